"""Bootstrap intervals of corpus figures (Bisani and Ney 2004): speakers are drawn with replacement, not utterances.

What one speaker says is recognised alike well or badly, so utterances tell less than their number promises. With one
speaker alone, or none to tell apart, utterances are drawn, and the interval is that of this speaker.

N utterances · G groups · S sums · R replicates
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Sums: TypeAlias = NDArray[np.float64]
Figure: TypeAlias = Callable[[Sums], NDArray[np.float64]]
"""From sums (..., S) to a figure (...); NaN where it has no value."""

REPLICATES = 10_000
_AT_ONCE = 1 << 22
"""How many drawn counts are held in memory."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Which group each utterance is resampled with (N,), and what groups are."""

    labels: NDArray[np.int64]
    unit: Literal["speakers", "utterances"]

    @classmethod
    def of(cls, speakers: Sequence[str]) -> "Groups":
        """By speaker if there are several, else every utterance by itself."""
        names, labels = np.unique(np.asarray(speakers, dtype=np.str_), return_inverse=True)
        if len(names) > 1:
            return cls(labels.astype(np.int64), "speakers")
        return cls(np.arange(len(speakers)), "utterances")

    @property
    def number(self) -> int:
        """How many groups there are, G."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0

    def sums(self, values: Sums) -> Sums:
        """Values (N, S) summed by group, (G, S)."""
        summed = np.zeros((self.number, values.shape[1]))
        np.add.at(summed, self.labels, values)
        return summed


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95 % interval, the percentiles of its replicates; one group alone tells nothing of a spread."""

    value: float
    low: float | None
    high: float | None


def replicates(sums: Sums, *, seed: int = 0, number: int = REPLICATES) -> Sums:
    """Sums of groups (G, S), resampled: (R, S). The same seed gives the same draws for the same number of groups."""
    random = np.random.default_rng(seed)
    groups = len(sums)
    shares = np.full(groups, 1 / groups)
    parts, step = [], max(1, _AT_ONCE // groups)
    for start in range(0, number, step):
        counts = random.multinomial(groups, shares, size=min(step, number - start))
        parts.append(counts.astype(np.float64) @ sums)
    return np.concatenate(parts)


def interval(figure: Figure, sums: Sums, drawn: Sums) -> Interval | None:
    """A figure of the sums of all groups (G, S), with an interval from their replicates; None if it has no value.

    An interval needs two groups that the figure has a value of.
    """
    value = float(figure(sums.sum(axis=0)))
    if not np.isfinite(value):
        return None
    if np.count_nonzero(np.isfinite(figure(sums))) < 2:
        return Interval(value, None, None)
    low, high = np.nanpercentile(figure(drawn), (2.5, 97.5))
    return Interval(value, float(low), float(high))


def ratio(over: int, under: int) -> Figure:
    """The figure that divides one sum by another, by their places."""

    def figure(sums: Sums) -> NDArray[np.float64]:
        below = sums[..., under]
        return np.divide(sums[..., over], below, out=np.full_like(below, np.nan), where=below > 0)

    return figure
