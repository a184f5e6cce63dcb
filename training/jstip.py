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
from itertools import islice

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError
from training.answering import Answer, DecodingConfig
from training.interleaving.choosing import Part
from training.interleaving.packing import Packable, in_tokens, inputs, pack
from training.interleaving.spans import Slotting, counts_of
from training.lasyn.matching import heard_frames
from training.lasyn.slots import SlotMaker
from training.members import RATE_HZ, Member
from training.objective import Batch, Loss, Utterance
from training.padding import IGNORED, num_slots, pad_features
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
        self.module: nn.Module = asr.module
        self._model: SpeechLlm = asr.module
        self.slotting, self.context = rows.slotting, rows.context
        self.template = asr.template
        self.asr, self._between, self._maker = asr, rows.between, maker

    @property
    def frames_per_slot(self) -> int:
        """How many frames of the encoder the projector makes a slot of."""
        return self._model.projector.frames_per_slot

    @property
    def makes_slots(self) -> bool:
        """Whether texts can be heard."""
        return self._maker is not None

    @property
    def tunes_language_model(self) -> bool:
        """Whether texts alone teach it anything."""
        return any(parameter.requires_grad for parameter in self._model.lm.parameters())

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What the recogniser trains: the projector, and of the language model what is tuned."""
        return self.asr.trained()

    def look_over(self, members: Sequence[Member]) -> str:
        """See `SlotMaker.look_over`; without a maker texts are only read, and can be anything."""
        return "" if self._maker is None else self._maker.look_over(members)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch to learn from: every target is a token of a text, or the end of a transcript.

        What slots are made for stands behind what was heard.

        Raises:
            TrainingError: for an utterance without the features of what is heard in it, or longer than a row.
        """
        made = [each for each in utterances if self._is_made(each)]
        others = [each for each in utterances if not self._is_made(each)]
        sequences = [self._heard(utterance) for utterance in others]
        tensors: dict[str, Tensor] = {}
        if heard := [each for each, sequence in zip(others, sequences, strict=True) if sequence.num_slots]:
            tensors |= pad_features(heard)
        if self._maker is not None and made:
            texts = [_texts_heard(each.parts, each.spoken) for each in made]
            phones, counts = self._maker.read([text for each in texts for text in each])
            left = iter(counts)
            for each, parts in zip(made, texts, strict=True):
                sequences.append(self._laid_out(each.parts, each.text, list(islice(left, len(parts)))))
            tensors |= phones
        tensors |= pack(sequences, self.context)
        num_targets = int((tensors["labels"] != IGNORED).sum())
        return Batch(tensors, num_targets, [utterance.take_id for utterance in (*others, *made)])

    def loss(self, batch: Batch) -> Loss:
        """Cross entropy, summed over the targets; ``correct`` of ``targets`` were the likeliest token."""
        tensors = batch.tensors
        labels = tensors["labels"][:, 1:]
        learned = (labels != IGNORED).any(dim=0).nonzero()[:, 0]  # (K,)
        text = self._model.lm.get_input_embeddings()(tensors["ids"])  # (R, S, W)
        given = inputs(self._model.lm, tensors, text, self._slots(tensors, text))
        logits = self._model.lm(**given, logits_to_keep=learned, use_cache=False).logits  # (R, K, V)
        return answer_loss(logits, labels[:, learned])

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What is heard in whole takes. Raises as `SlamAsr.answers` does."""
        return self.asr.answers(utterances, settings)

    def length_of(self, draw: Draw) -> int:
        """How many positions a draw will have in a row, before anything of it is heard."""
        member = draw.member
        if member.place is None:
            texts = _texts_heard(draw.parts, member.spoken)
            counts = self._maker.read(texts)[1] if self._maker is not None and texts else []
        elif draw.parts is not None:
            counts = counts_of(draw.parts, self.slotting)
        else:
            hop = self.slotting.samples_a_slot // self.frames_per_slot
            num_frames = -(-round(member.duration_s * RATE_HZ) // hop)
            counts = [self._model.projector.output_lengths(num_frames)]
        return len(self._laid_out(draw.parts, member.text, counts).ids)

    def _is_made(self, utterance: Utterance) -> bool:
        """Whether slots are to be made of it: something of it is to be heard, and there is nothing to hear."""
        is_heard = utterance.features is not None
        return self.makes_slots and not is_heard and bool(_texts_heard(utterance.parts, utterance.spoken))

    def _heard(self, utterance: Utterance) -> Packable:
        if utterance.parts is None:
            counts = [num_slots(self._model.projector, utterance)]
            return self._laid_out(None, utterance.text, counts)
        sequence = self._laid_out(utterance.parts, utterance.text, counts_of(utterance.parts, self.slotting))
        num_frames = 0 if utterance.features is None else utterance.features.shape[1]
        slots = self._model.projector.output_lengths(num_frames)
        if slots != sequence.num_slots:
            raise TrainingError(
                f"take {utterance.take_id}: its heard parts are {sequence.num_slots} slots, and there are features of "
                f"{slots}; expected those of the parts behind each other"
            )
        return sequence

    def _laid_out(self, parts: Sequence[Part] | None, text: str, counts: Sequence[int]) -> Packable:
        """A sequence whose heard parts, or all of which, are so many slots."""
        if parts is None:
            (count,) = counts
            return _of_transcript(self.template.fill(count, text))
        if parts and parts[0].of == "answers":
            return _of_transcript(self.template.fill(0, parts[0].text))
        between = self._between if parts and parts[0].of == "segments" else ()
        return in_tokens(parts, counts, self.template.words, between=between)

    def _slots(self, tensors: Mapping[str, Tensor], text: Tensor) -> Tensor:
        """What was heard in all sequences, one behind the other, and what was made for the others: (slots, W)."""
        slots = text.new_zeros(0, text.shape[-1])
        if "features" in tensors:
            projected = self._model.projector(tensors["features"], tensors["lengths"])  # (B, N, W)
            slots = heard_frames(projected, self._model.projector.output_lengths(tensors["lengths"]))
        if self._maker is not None and "phones" in tensors:
            made = self._maker.slots(tensors["phones"], tensors["num_phones"])
            slots = torch.cat([slots, made.to(slots.dtype)])
        return slots


def _texts_heard(parts: Sequence[Part] | None, text: str) -> list[str]:
    """What is said where an utterance is heard: all of its text, or its heard parts."""
    return [text] if parts is None else [part.text for part in parts if part.modality == "speech"]


def _of_transcript(row: Filled) -> Packable:
    """An utterance through the template: its answer is learned, and that it ends there."""
    length, start = len(row.context), row.slots.start
    slots = [-1] * (length + len(row.answer))
    slots[start : row.slots.stop] = range(len(row.slots))
    return Packable([*row.context, *row.answer], slots, [*[IGNORED] * length, *row.answer])
