"""A language model that listens as a guide: latents are the slots of its projector, pseudo-audio among the words.

A second of speech is ten slots, of fifty frames, and what hears them is the language model that will listen later.
Beyond the paper, whose latents are those of an encoder.

B texts · N slots · W width of the language model · L encoder layers · T frames · D their width
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from catalogs.ids import Id
from training import checkpoint
from training.answering import DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.frozen import freeze
from training.backbones.language_models import identity
from training.checkpoint import Checkpoint
from training.decoding import decode_batch
from training.evaluation.trained import recipe_of
from training.lasyn.recogniser import GUIDE_FROM, check_encoder
from training.objective import Batch, Loss, Utterance
from training.padding import lay_out
from training.slam_asr import SlamAsr, recogniser_in
from training.speech_llm import answer_loss
from training.tables import OnFeatures
from training.template import Filled

LISTENERS = ("slam_asr", "grpo", "jstip")
"""Methods whose recogniser is a language model that listens."""


@dataclass(frozen=True)
class ListensWith:
    """Which language model listens: what its table names, and the training that has tuned it, if one has."""

    named: Mapping[str, Any]
    tuned_by: Id | None = None

    def __str__(self) -> str:
        """For people: "smollm2", or "causal_lm (checkpoint = 'models/my-lm'), tuned by 1f0c"."""
        told = ", ".join(
            f"{key} = {value!r}" for key, value in self.named.items() if key != "name" and value is not None
        )
        name = f"{self.named['name']} ({told})" if told else str(self.named["name"])
        return name if self.tuned_by is None else f"{name}, tuned by training {self.tuned_by}"


class Listener:
    """See `Guide`."""

    has_positions = False

    def __init__(self, asr: SlamAsr, layers: tuple[int, ...], listens_with: ListensWith) -> None:
        self.listens_with = listens_with
        self.module: nn.Module = asr.module
        self.width = asr.module.projector.widths.text
        self._asr, self._layers = asr, layers

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers of the encoder that the projector stands on."""
        return self._layers

    def low(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Slots of features: what the projector makes of them."""
        projector = self._asr.module.projector
        return projector(features, lengths), projector.output_lengths(lengths)

    def targets(self, utterances: Sequence[Utterance], counts: Sequence[int]) -> dict[str, Tensor]:
        """The template of each, with room for so many slots; see `training.padding.lay_out`."""
        template = self._asr.template
        rows = [template.fill(count, utterance.text) for utterance, count in zip(utterances, counts, strict=True)]
        return lay_out(rows) | {"num_targets": torch.tensor([len(row.answer) for row in rows])}

    def decode_high(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:  # noqa: ARG002  # the layout has them
        """The loss of the answers; ``correct`` of ``targets`` were the likeliest token."""
        return answer_loss(self.module(batch.tensors, latents), batch.tensors["labels"])

    def answers(self, utterances: Sequence[Utterance], latents: Sequence[Tensor]) -> list[str]:
        """What it hears, greedily."""
        rows: list[Filled] = [self._asr.template.fill(len(slots)) for slots in latents]
        frames = [len(slots) * self._asr.module.projector.frames_per_slot for slots in latents]
        take_ids = [utterance.take_id for utterance in utterances]
        batch = Batch(lay_out(rows) | {"lengths": torch.tensor(frames)}, 0, take_ids)
        audio = pad_sequence(list(latents), batch_first=True)
        found = decode_batch(self._asr, batch, DecodingConfig(beams=1), audio=audio)
        return [answer.text for answer in found]


def listener(found: Checkpoint, encoder: Encoder, *, key: str = GUIDE_FROM) -> Listener:
    """The language model that listens out of a checkpoint, frozen; ``key`` is what names it, for errors.

    Raises:
        TrainingError: if it listens through another encoder.
        EngineError: if the language model is not to be had.
    """
    check_encoder(found, encoder, key=key)
    recipe = recipe_of(found)
    if not isinstance(recipe.objective, OnFeatures):
        raise TrainingError(f"{key}: {found.folder} hears no features of an encoder")
    objective = recipe.objective.build(encoder, num_layers=len(recipe.features.layers), seed=0)
    asr = recogniser_in(objective)
    if asr is None:
        raise TrainingError(f"{key}: {found.folder} is no language model that listens")
    checkpoint.restore(found, objective.trained())
    freeze(asr.module)
    asr.module.projector.dropout.p = 0.0
    return Listener(asr, recipe.features.layers, listens_with(found))


def method_of(found: Checkpoint) -> str | None:
    """The method that a checkpoint was trained by."""
    method: str | None = found.provenance.get("recipe", {}).get("objective", {}).get("method")
    return method


def listens_with(found: Checkpoint) -> ListensWith:
    """Which language model listens in a checkpoint of `LISTENERS`."""
    table = found.provenance["recipe"]["objective"]
    is_tuned = table.get("tuned") == "all" or table["language_model"].get("lora") is not None
    return ListensWith(identity(table["language_model"]), found.provenance["training"] if is_tuned else None)
