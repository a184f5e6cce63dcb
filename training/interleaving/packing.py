"""Packing: sequences behind each other in rows of one length, none of which sees or counts another.

R rows · S columns · N slots of a batch · W width of the language model · V its vocabulary
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from training.backbones.packed_attention import sequences_in
from training.interleaving.choosing import Part
from training.padding import IGNORED
from training.template import Words


@dataclass(frozen=True, slots=True)
class Packable:
    """One sequence: its tokens, which of its slots stands where (-1 none), and its labels (-100 none).

    The first position has no label: what is before it belongs to another sequence.
    """

    ids: Sequence[int]
    slots: Sequence[int]
    labels: Sequence[int]

    @property
    def num_slots(self) -> int:
        """How many slots of audio it holds."""
        return sum(slot >= 0 for slot in self.slots)


def in_tokens(parts: Sequence[Part], counts: Sequence[int], words: Words, *, between: Sequence[int] = ()) -> Packable:
    """A sequence in tokens: text is learned; audio, what stands between two parts, beginning and end are not.

    A space joins a text to what is before it, as tokenizers of subwords write words; behind white space, and at the
    beginning, there is none.

    Args:
        parts: heard and read units, in order.
        counts: how many slots each heard part becomes, in order.
        words: the tokens of the language model; one without BOS begins with its EOS.
        between: tokens between two parts; none for units that are words.

    Raises:
        TrainingError: if the last part is heard, or counts are more or fewer than heard parts.
    """
    if not parts or parts[-1].modality != "text":
        raise TrainingError("an interleaved sequence must end in text: nothing would be learned from its last unit")
    if len(counts) != sum(part.modality == "speech" for part in parts):
        raise TrainingError(f"{len(counts)} counts of slots; expected one for each heard part")
    begin = words.eos_id if words.bos_id is None else words.bos_id
    ids, slots, labels = [begin], [-1], [IGNORED]
    space = "" if words.text(between)[-1:].isspace() else " "
    heard, left = 0, iter(counts)
    for number, part in enumerate(parts):
        marks = list(between) if number else []
        if part.modality == "speech":
            count = next(left)
            ids += [*marks, *[words.eos_id] * count]
            slots += [*[-1] * len(marks), *range(heard, heard + count)]
            labels += [IGNORED] * (len(marks) + count)
            heard += count
        else:
            tokens = words.tokens(f"{space}{part.text}" if number else part.text)
            ids += [*marks, *tokens]
            slots += [-1] * (len(marks) + len(tokens))
            labels += [*[IGNORED] * len(marks), *tokens]
    return Packable([*ids, words.eos_id], [*slots, -1], [*labels, IGNORED])


def rows_of(lengths: Sequence[int], context: int) -> list[list[int]]:
    """Which sequences make which row: each goes into the first row that has room, so that the order hardly changes.

    Raises:
        TrainingError: for a sequence that is longer than a row.
    """
    rows: list[list[int]] = []
    room: list[int] = []
    for index, length in enumerate(lengths):
        if length > context:
            raise TrainingError(f"a sequence of {length} positions, and a row has {context}; leave so long a take out")
        fit = next((row for row, free in enumerate(room) if free >= length), len(rows))
        if fit == len(rows):
            rows.append([])
            room.append(context)
        rows[fit].append(index)
        room[fit] -= length
    return rows


def pack(sequences: Sequence[Packable], context: int) -> dict[str, Tensor]:
    """Rows (R, S) of sequences; S is the longest row, at most ``context``.

    ``ids``, ``labels`` (each at its own position); ``slots`` counts those of all sequences in the order given, -1 none;
    ``positions`` begin at 0 in every sequence; ``owners`` says which sequence stands there, -1 padding.

    Raises:
        TrainingError: for a sequence that is longer than a row.
    """
    rows = rows_of([len(sequence.ids) for sequence in sequences], context)
    firsts = [0]
    for sequence in sequences:
        firsts.append(firsts[-1] + sequence.num_slots)
    width = max((sum(len(sequences[index].ids) for index in row) for row in rows), default=0)
    fills = {"ids": 0, "labels": IGNORED, "slots": -1, "positions": 0, "owners": -1}
    tensors = {name: torch.full((len(rows), width), value) for name, value in fills.items()}
    for row, index, start in _placed(rows, sequences):
        sequence = sequences[index]
        stop = start + len(sequence.ids)
        slots = torch.tensor(sequence.slots)
        tensors["ids"][row, start:stop] = torch.tensor(sequence.ids)
        tensors["labels"][row, start:stop] = torch.tensor(sequence.labels)
        tensors["slots"][row, start:stop] = torch.where(slots >= 0, slots + firsts[index], slots)
        tensors["positions"][row, start:stop] = torch.arange(stop - start)
        tensors["owners"][row, start:stop] = index
    return tensors


def _placed(rows: Sequence[Sequence[int]], sequences: Sequence[Packable]) -> Iterator[tuple[int, int, int]]:
    """Row, sequence and first column of every sequence."""
    for row, indexes in enumerate(rows):
        start = 0
        for index in indexes:
            yield row, index, start
            start += len(sequences[index].ids)


def block_mask(owners: Tensor, dtype: torch.dtype) -> Tensor:
    """What is added to attention (R, 1, S, S): 0 for what a position may see, else the least number of the type.

    A position sees itself and what is before it in its own sequence; padding sees padding, so that no row is empty.
    """
    size = owners.shape[1]
    same = owners[:, :, None] == owners[:, None, :]
    seen = same & torch.ones(size, size, dtype=torch.bool, device=owners.device).tril()
    mask = torch.zeros(seen.shape, dtype=dtype, device=owners.device).masked_fill(~seen, torch.finfo(dtype).min)
    return mask[:, None]


def embed(tensors: Mapping[str, Tensor], text: Tensor, audio: Tensor) -> Tensor:
    """Embeddings (R, S, W): those of text (R, S, W) where text stands, of the n-th slot (N, W) where that belongs."""
    slots = tensors["slots"]
    if not len(audio):
        return text
    return torch.where((slots >= 0)[..., None], audio.to(text.dtype)[slots.clamp(min=0)], text)


def inputs(lm: Any, tensors: Mapping[str, Tensor], text: Tensor, audio: Tensor) -> dict[str, Any]:
    """What a causal language model of `transformers` is given, which takes a mask of four dimensions as it is."""
    embeds = embed(tensors, text, audio)
    return {
        "inputs_embeds": embeds,
        "attention_mask": block_mask(tensors["owners"], embeds.dtype),
        "position_ids": tensors["positions"],
        **sequences_in(lm, tensors["owners"]),
    }
