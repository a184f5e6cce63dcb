"""JSTIP (Fan et al. 2026): a language model that listens goes on learning from speech and text in turn.

A batch mixes utterances that are transcribed through the template of SLAM-ASR, sequences of heard and read units, and
texts alone; all of them stand behind each other in rows, and none sees another. Learned are the texts, of a transcript
its end as well. What comes of it transcribes as a SLAM-ASR of the same template does.

Beyond the paper, texts can be heard as slots that a synthesiser makes of them. Unlike there, where 7 B parameters are
all trained, the encoder stays as it is.

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
from training.lasyn.slots import SlotMaker
from training.members import RATE_HZ, Member
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
    """The objective; see `Objective`. It takes the features of whole takes, and of the heard parts of sequences.

    With a ``maker`` it makes the slots of what is to be heard of texts alone.
    """

    def __init__(self, asr: SlamAsr, rows: Rows, maker: SlotMaker | None = None) -> None:
        """It trains what the recogniser trains, and is one itself."""
        self.module: nn.Module = asr.module if maker is None else nn.ModuleList([asr.module, maker.module])
        self._model: SpeechLlm = asr.module
        self._maker = maker
        self.slotting, self.context = rows.slotting, rows.context
        self.template = asr.template
        self.asr, self._between = asr, rows.between

    @property
    def frames_per_slot(self) -> int:
        """How many frames of the encoder the projector makes a slot of."""
        return self._model.projector.frames_per_slot

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What the recogniser trains: the projector, and of the language model what is tuned."""
        return self.asr.trained()

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch to learn from: every target is a token of a text, or the end of a transcript.

        Raises:
            TrainingError: for an utterance without the features of what is heard in it, or longer than a row.
        """
        made = [each for each in utterances if self._is_made(each)]
        others = [each for each in utterances if not self._is_made(each)]
        sequences = [self._sequence(utterance) for utterance in (*others, *made)]
        tensors = pack(sequences, self.context)
        heard = [each for each, sequence in zip(others, sequences, strict=False) if sequence.num_slots]
        if heard:
            tensors |= pad_features(heard)
        if self._maker is not None and made:
            tensors |= self._maker.read([text for each in made for text in _heard_texts(each)])
        num_targets = int((tensors["labels"] != IGNORED).sum())
        return Batch(tensors, num_targets, [utterance.take_id for utterance in (*others, *made)])

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
        return self.asr.answers(utterances, settings)

    def look_over(self, texts: Sequence[str]) -> str:
        """See `PhoneReader.look_over`; texts that are only read can be anything."""
        return "" if self._maker is None else self._maker.look_over(texts)

    def length_of(self, draw: Draw) -> int:
        """How many positions a draw will have in a row, before anything of it is heard."""
        member = draw.member
        if draw.parts is not None:
            return len(self._interleaved(draw.parts, is_made=member.place is None).ids)
        row = self.template.fill(self._num_slots(member), member.text)
        return len(row.context) + len(row.answer)

    def _num_slots(self, member: Member) -> int:
        """How many slots a whole take, or a whole text that is heard, becomes."""
        if member.place is None and self._maker is not None:
            return self._maker.counts([member.spoken])[0]
        hop = self.slotting.samples_a_slot // self.frames_per_slot
        return self._model.projector.output_lengths(-(-round(member.duration_s * RATE_HZ) // hop))

    def _is_made(self, utterance: Utterance) -> bool:
        """Whether slots are to be made of it: of a text that is to be heard, and was not."""
        return self._maker is not None and utterance.features is None and bool(_heard_texts(utterance))

    def _sequence(self, utterance: Utterance) -> Packable:
        if self._maker is not None and self._is_made(utterance):
            if utterance.parts is not None:
                return self._interleaved(utterance.parts, is_made=True)
            return _of_transcript(self.template.fill(self._maker.counts([utterance.spoken])[0], utterance.text))
        if utterance.parts is None:
            return _of_transcript(self.asr.fill(utterance, answered=True))
        sequence = self._interleaved(utterance.parts)
        num_frames = 0 if utterance.features is None else utterance.features.shape[1]
        slots = self._model.projector.output_lengths(num_frames)
        if slots != sequence.num_slots:
            raise TrainingError(
                f"take {utterance.take_id}: its heard parts are {sequence.num_slots} slots, and there are features of "
                f"{slots}; expected those of the parts behind each other"
            )
        return sequence

    def _interleaved(self, parts: Sequence[Part], *, is_made: bool = False) -> Packable:
        between = self._between if parts and parts[0].of == "segments" else ()
        if is_made and self._maker is not None:
            counts = self._maker.counts([part.text for part in parts if part.modality == "speech"])
        else:
            counts = counts_of(parts, self.slotting)
        return in_tokens(parts, counts, self.template.words, between=between)

    def _slots(self, tensors: Mapping[str, Tensor], text: Tensor) -> Tensor:
        """What was heard in all sequences, one behind the other, and what was made for others: (slots, W)."""
        slots = text.new_zeros(0, text.shape[-1])
        if "features" in tensors:
            projected: Tensor = self._model.projector(tensors["features"], tensors["lengths"])  # (B, N, W)
            counts = self._model.projector.output_lengths(tensors["lengths"])
            slots = projected[torch.arange(projected.shape[1], device=projected.device) < counts[:, None]]
        if self._maker is not None and "phones" in tensors:
            slots = torch.cat([slots, self._maker.slots(tensors["phones"], tensors["num_phones"]).to(slots.dtype)])
        return slots


def _heard_texts(utterance: Utterance) -> list[str]:
    """What is said where it is heard: all of it, or its heard parts."""
    if utterance.parts is None:
        return [utterance.spoken]
    return [part.text for part in utterance.parts if part.modality == "speech"]


def _of_transcript(row: Filled) -> Packable:
    """An utterance through the template: its answer is learned, and that it ends there."""
    length, start = len(row.context), row.slots.start
    slots = [-1] * (length + len(row.answer))
    slots[start : row.slots.stop] = range(len(row.slots))
    return Packable([*row.context, *row.answer], slots, [*[IGNORED] * length, *row.answer])
