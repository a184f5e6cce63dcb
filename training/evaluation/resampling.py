"""Bootstrap intervals of corpus figures (Bisani and Ney 2004): speakers are drawn with replacement, not utterances.

What one speaker says is recognised alike well or badly, so utterances tell less than their number promises. With one
speaker alone, or none to tell apart, utterances are drawn, and the interval is that of this speaker.

Intervals are expanded percentiles (`catalogs.intervals`), and fewer than five groups have none. Of a difference between
two, exchanging them within groups tells how often chance alone has one as great (Noreen 1989), with however few groups.

N utterances · G groups · S sums · R replicates · E exchanges
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.intervals import FEWEST, expanded

Sums: TypeAlias = NDArray[np.float64]
Figure: TypeAlias = Callable[[Sums], NDArray[np.float64]]
"""From sums (..., S) to a figure (...); NaN where it has no value."""

REPLICATES = 10_000

_AT_ONCE = 1 << 22
"""How many drawn counts or signs are held in memory."""


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
    """A figure and its 95 % interval, expanded percentiles of its replicates; None where there are too few groups."""

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


def exchanges(first: Sums, second: Sums, *, seed: int = 0, number: int = REPLICATES) -> Sums:
    """Sums (E, S) of the first of two whose groups (G, S) are exchanged; those of the other are what is left of both.

    Every way of exchanging groups, or its mirror image, if these are no more than ``number``; else so many that are
    drawn, and the groups as they are.
    """
    apart = (first - second)[(first != second).any(axis=1)] / 2  # other groups exchange nothing
    middle: Sums = (first + second).sum(axis=0) / 2
    groups = len(apart)
    if 2 ** max(groups - 1, 0) <= number:
        ways = np.arange(2 ** max(groups - 1, 0))[:, None] >> np.arange(groups) & 1  # (E, G)
        found: Sums = middle + (1.0 - 2 * ways) @ apart
        return found
    random = np.random.default_rng(seed)
    parts, step = [apart.sum(axis=0)[None]], max(1, _AT_ONCE // groups)
    for start in range(0, number, step):
        turned = random.integers(0, 2, (min(step, number - start), groups), dtype=np.int8)
        parts.append((1.0 - 2 * turned) @ apart)
    drawn: Sums = middle + np.concatenate(parts)
    return drawn


def interval(figure: Figure, sums: Sums, drawn: Sums, *, groups: int | None = None) -> Interval | None:
    """A figure of the sums of all groups (G, S), with an interval from their replicates; None if it has no value.

    ``groups`` is how many of them the figure rests on, None those that it has a value of.
    """
    value = float(figure(sums.sum(axis=0)))
    if not np.isfinite(value):
        return None
    if groups is None:
        groups = int(np.count_nonzero(np.isfinite(figure(sums))))
    if groups < FEWEST:
        return Interval(value, None, None)
    low, high = expanded(figure(drawn), freedom=groups - 1, inflation=groups / (groups - 1))
    return Interval(value, low, high)


def ratio(over: int, under: int) -> Figure:
    """The figure that divides one sum by another, by their places."""

    def figure(sums: Sums) -> NDArray[np.float64]:
        below = sums[..., under]
        return np.divide(sums[..., over], below, out=np.full_like(below, np.nan), where=below > 0)

    return figure
