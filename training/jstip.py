"""JSTIP (Fan et al. 2026): a language model that listens goes on learning from speech and text in turn.

A batch mixes utterances that are transcribed through the template of SLAM-ASR, sequences of heard and read units, and
texts alone; all of them stand behind each other in rows, and none sees another. Learned are the texts, of a transcript
its end as well. What comes of it transcribes as a SLAM-ASR of the same template does. The encoder stays as it is: the
paper, which has 7 B parameters and all of them trained, tunes it, too.

R rows · S columns · B heard utterances · N slots · W width of the language model · V its vocabulary · K columns learned
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError
from training.answering import Answer, DecodingConfig
from training.interleaving.choosing import Part
from training.interleaving.packing import Packable, in_tokens, inputs, pack
from training.interleaving.spans import Slotting, counts_of
from training.members import RATE_HZ
from training.objective import Batch, Loss, Utterance
from training.padding import IGNORED, pad_features
from training.sampling import Draw
from training.slam_asr import SlamAsr
from training.speech_llm import SpeechLlm, answer_loss
from training.template import Filled


@dataclass(frozen=True, slots=True)
class Rows:
    """How sequences become rows of ``context`` positions at most, and heard parts slots.

    ``between`` are the tokens between two units that are segments; nothing stands between words.
    """

    context: int
    slotting: Slotting
    between: tuple[int, ...] = ()


class Jstip:
    """The objective; see `Objective`. It takes the features of whole takes, and of the heard parts of sequences."""

    def __init__(self, asr: SlamAsr, rows: Rows) -> None:
        """It trains what the recogniser trains, and is one itself."""
        self.module: nn.Module = asr.module
        self._model: SpeechLlm = asr.module
        self.slotting, self.context = rows.slotting, rows.context
        self.template = asr.template
        self._asr, self._between = asr, rows.between

    @property
    def frames_per_slot(self) -> int:
        """How many frames of the encoder the projector makes a slot of."""
        return self._model.projector.frames_per_slot

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What the recogniser trains: the projector, and of the language model what is tuned."""
        return self._asr.trained()

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch to learn from: every target is a token of a text, or the end of a transcript.

        Raises:
            TrainingError: for an utterance without the features of what is heard in it, or longer than a row.
        """
        sequences = [self._sequence(utterance) for utterance in utterances]
        tensors = pack(sequences, self.context)
        heard = [each for each, sequence in zip(utterances, sequences, strict=True) if sequence.num_slots]
        if heard:
            tensors |= pad_features(heard)
        num_targets = int((tensors["labels"] != IGNORED).sum())
        return Batch(tensors, num_targets, [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """Cross entropy, summed over the targets; ``correct`` of ``targets`` were the likeliest token."""
        tensors = batch.tensors
        labels = tensors["labels"][:, 1:]
        learned = (labels != IGNORED).any(dim=0).nonzero()[:, 0]  # (K,)
        text = self._model.lm.get_input_embeddings()(tensors["ids"])  # (R, S, W)
        given = inputs(tensors, text, self._slots(tensors, text))
        logits = self._model.lm(**given, logits_to_keep=learned, use_cache=False).logits  # (R, K, V)
        return answer_loss(logits, labels[:, learned])

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What is heard in whole takes. Raises as `SlamAsr.answers` does."""
        return self._asr.answers(utterances, settings)

    def length_of(self, draw: Draw) -> int:
        """How many positions a draw will have in a row, before anything of it is heard."""
        if draw.parts is not None:
            return len(self._interleaved(draw.parts).ids)
        hop = self.slotting.samples_a_slot // self.frames_per_slot
        num_frames = -(-round(draw.member.duration_s * RATE_HZ) // hop)
        row = self.template.fill(self._model.projector.output_lengths(num_frames), draw.member.text)
        return len(row.context) + len(row.answer)

    def _sequence(self, utterance: Utterance) -> Packable:
        if utterance.parts is None:
            return _of_transcript(self._asr.fill(utterance, answered=True))
        sequence = self._interleaved(utterance.parts)
        num_frames = 0 if utterance.features is None else utterance.features.shape[1]
        slots = self._model.projector.output_lengths(num_frames)
        if slots != sequence.num_slots:
            raise TrainingError(
                f"take {utterance.take_id}: its heard parts are {sequence.num_slots} slots, and there are features of "
                f"{slots}; expected those of the parts behind each other"
            )
        return sequence

    def _interleaved(self, parts: Sequence[Part]) -> Packable:
        between = self._between if parts and parts[0].of == "segments" else ()
        return in_tokens(parts, counts_of(parts, self.slotting), self.template.words, between=between)

    def _slots(self, tensors: Mapping[str, Tensor], text: Tensor) -> Tensor:
        """What was heard in all sequences, one behind the other: (slots, W)."""
        if "features" not in tensors:
            return text.new_zeros(0, text.shape[-1])
        projected: Tensor = self._model.projector(tensors["features"], tensors["lengths"])  # (B, N, W)
        counts = self._model.projector.output_lengths(tensors["lengths"])
        return projected[torch.arange(projected.shape[1], device=projected.device) < counts[:, None]]


def _of_transcript(row: Filled) -> Packable:
    """An utterance through the template: its answer is learned, and that it ends there."""
    length, start = len(row.context), row.slots.start
    slots = [-1] * (length + len(row.answer))
    slots[start : row.slots.stop] = range(len(row.slots))
    return Packable([*row.context, *row.answer], slots, [*[IGNORED] * length, *row.answer])
