"""Token sequences: many of them in one array, and what one of them says of its clip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.tokenisers.codebook import PAUSE

LOOP_NGRAM = 4
"""Tokens of an n-gram whose repetition counts: about 0.17 s of speech."""

HELD_CODES = 3
"""A sound that is held on keeps to so many codes: an encoder that hears all around a frame wavers between a few."""


@dataclass(frozen=True)
class TokenRows:
    """Sequences one after the other in ``values``; ``lengths`` has one entry a sequence, 0 for none."""

    values: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int] | NDArray[np.integer]]) -> "TokenRows":
        """From separate sequences."""
        parts = [np.asarray(row, np.int64) for row in rows]
        values = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        return cls(values, np.array([len(part) for part in parts], np.int64))

    @classmethod
    def from_arrow(cls, column: pa.ChunkedArray) -> "TokenRows":
        """From a column of lists, as the catalog gives it; null is an empty sequence."""
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        values = pc.list_flatten(column)
        return cls(values.to_numpy().astype(np.int64), lengths.to_numpy().astype(np.int64))

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        return iter(np.split(self.values, np.cumsum(self.lengths)[:-1]) if len(self.lengths) else [])

    @property
    def owners(self) -> NDArray[np.int64]:
        """The index of the sequence each value belongs to."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def of_rows(self, rows: NDArray[np.int64]) -> "TokenRows":
        """Some of the sequences, in the order asked for; one may be asked for twice."""
        starts = np.cumsum(self.lengths) - self.lengths
        lengths = self.lengths[rows]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return TokenRows(self.values[np.repeat(starts[rows], lengths) + within], lengths)

    def spoken(self) -> "TokenRows":
        """The sequences without their pauses."""
        kept = self.values != PAUSE
        lengths = np.bincount(self.owners[kept], minlength=len(self.lengths))
        return TokenRows(self.values[kept], lengths.astype(np.int64))


def runs(tokens: NDArray[np.integer]) -> NDArray[np.int64]:
    """What is spoken, each run of equal tokens counted once: no pauses, no two equal neighbours."""
    spoken = np.asarray(tokens, np.int64)[np.asarray(tokens) != PAUSE]
    return np.asarray(spoken[np.diff(spoken, prepend=PAUSE) != 0])


def looped_share(tokens: NDArray[np.integer], *, ngram: int = LOOP_NGRAM) -> float:
    """The share of n-grams of `runs` that were there before in the clip, in [0, 1]; 0 if it is too short for two."""
    spoken = runs(tokens)
    if len(spoken) <= ngram:
        return 0.0
    grams = np.lib.stride_tricks.sliding_window_view(spoken, ngram)
    return 1.0 - len(np.unique(grams, axis=0)) / len(grams)


def held(tokens: NDArray[np.integer], *, codes: int = HELD_CODES) -> NDArray[np.int64]:
    """For each token the length of the longest stretch it is in that has so many codes and no pause; 0 for a pause.

    It sees what `runs` cannot: a voice that is stuck on one sound.
    """
    sequence = np.asarray(tokens, np.int64)
    starts = np.flatnonzero(np.diff(sequence, prepend=-1))
    said, ends = sequence[starts].tolist(), [*starts[1:].tolist(), len(sequence)]
    found, first = np.zeros(len(sequence), np.int64), 0
    for last, end in enumerate(ends[: len(said)]):
        while PAUSE in (within := set(said[first : last + 1])) or len(within) > codes:
            first += 1
        stretch = found[starts[first] : end] if first <= last else found[:0]
        np.maximum(stretch, len(stretch), out=stretch)
    return found


def held_share(tokens: NDArray[np.integer], *, longer_than: float) -> float:
    """The share of what is spoken that is in `held` stretches longer than so many tokens, in [0, 1]; 0 for silence."""
    spoken = np.asarray(tokens) != PAUSE
    return float((held(tokens)[spoken] > longer_than).mean()) if spoken.any() else 0.0


def repetition_rate(tokens: Sequence[int] | NDArray[np.integer], k: int = 4) -> float:
    """R_rep, as codec language models are judged: the share of tokens equal to each of the k after them, in [0, 1].

    A constant sequence has 1, one of distinct tokens 0, and one of k tokens or fewer 0. On k-means codes, which dwell
    on a sound for several frames, most real speech is above the 0.1 that is usual for codecs: use `looped_share`.
    """
    sequence = np.asarray(tokens)
    if len(sequence) <= k:
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(sequence, k + 1)
    return float((windows == windows[:, :1]).all(axis=1).mean())
