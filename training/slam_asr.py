"""SLAM-ASR (Ma et al. 2024): a projector is trained between a frozen speech encoder and a frozen language model.

The encoder has run before: utterances come with its features. Of the language model only what LoRA has added to it is
trained; the loss is that of the answer and its EOS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from catalogs.errors import TrainingError
from training.answering import Answer, DecodingConfig
from training.backbones.causal_lm import LanguageModel
from training.decoding import decode
from training.objective import Batch, Loss, Utterance
from training.padding import lay_out, num_slots, pad_features
from training.projectors import Projector, ProjectorConfig
from training.speech_llm import SpeechLlm, answer_loss, positions_of, widths_on
from training.template import Filled, Template, TokenTemplate

_ADDED = "lora_"
"""What the names of parameters contain that peft's LoRA has added."""


@dataclass(frozen=True, slots=True)
class SlamAsrConfig:
    """Settings of a recogniser: its template and its projector; what else it needs are its two models."""

    template: Template = field(default_factory=Template)
    projector: ProjectorConfig = field(default_factory=ProjectorConfig)

    def build(self, lm: LanguageModel, *, layers: int, width: int, seed: int) -> "SlamAsr":
        """A recogniser with a new projector, for features of so many encoder layers of this width.

        The language model is frozen here, all but what LoRA has added to it.

        Raises:
            TrainingError: for a projector that does not suit them.
        """
        projector = self.projector.build(widths_on(lm, layers=layers, width=width), seed=seed)
        return SlamAsr(lm.module, projector, self.template.compile(lm))


class SlamAsr:
    """The objective; see `Objective`. It takes features."""

    def __init__(self, lm: Any, projector: Projector, template: TokenTemplate) -> None:
        for name, parameter in lm.named_parameters():
            parameter.requires_grad_(_ADDED in name)
        self.module = SpeechLlm(lm, projector)
        self.template = template

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The projector, its layer mix, and LoRA."""
        return {name: parameter for name, parameter in self.module.named_parameters() if parameter.requires_grad}

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch to learn from: every target is a token of an answer, or its EOS.

        Raises:
            TrainingError: for an utterance without features, of less than one slot, or longer than the language model
                can read.
        """
        return self._batch(utterances, [self.fill(utterance, answered=True) for utterance in utterances])

    def questions(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch to answer; texts are not looked at. Raises as `collate` does."""
        return self._batch(utterances, [self.fill(utterance, answered=False) for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """Cross entropy, summed over the targets; ``correct`` of ``targets`` were the likeliest token."""
        return answer_loss(self.module(batch.tensors), batch.tensors["labels"])

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What is heard in a batch, greedily or by beam search. Raises as `collate` does."""
        return decode(self, utterances, settings)

    def _batch(self, utterances: Sequence[Utterance], rows: Sequence[Filled]) -> Batch:
        tensors = pad_features(utterances) | lay_out(rows)
        num_targets = sum(len(row.answer) for row in rows)
        return Batch(tensors, num_targets, [utterance.take_id for utterance in utterances])

    def fill(self, utterance: Utterance, *, answered: bool) -> Filled:
        """An utterance in tokens, with its answer or as a question. Raises as `collate` does."""
        slots = num_slots(self.module.projector, utterance)
        row = self.template.fill(slots, utterance.text if answered else None)
        length, limit = len(row.context) + len(row.answer), positions_of(self.module.lm)
        if limit is not None and length > limit:
            raise TrainingError(
                f"take {utterance.take_id}: {length} positions ({slots} of audio), and the language model reads "
                f"{limit}; leave so long a take out, or stack more frames a slot"
            )
        return row


def recogniser_in(objective: object) -> SlamAsr | None:
    """The recogniser that an objective is, or trains as its ``asr``; None for one that is no SLAM-ASR."""
    asr = getattr(objective, "asr", objective)
    return asr if isinstance(asr, SlamAsr) else None
