"""Intervals of figures that are made of sums over items: means, ratios, entropies, spectra.

A figure is a function of sums, so a resample is a weighted sum. Items are dealt at random into at most `BLOCKS` blocks,
whole blocks are drawn with replacement, and only the sums of blocks are kept: a million items cost as much as four
hundred. With fewer items every block is one item, and this is Efron's bootstrap. Of few blocks the percentiles are
expanded (`catalogs.intervals`), so that an interval of twenty items holds what it promises.

Items that belong together, as takes of one text do, are a cluster and stay in one block. Dealt one by one, four
readings a text would make intervals up to half as wide as they should be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id
from catalogs.intervals import FEWEST, expanded, student
from catalogs.records import SetScore

Labels: TypeAlias = NDArray[np.int64]
Sums: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Sums], NDArray[np.float64]]
"""From sums of shape (..., S) to figures of shape (...); NaN where a resample has no value."""

BLOCKS = 400
LEAST_REPLICATES, MOST_REPLICATES = 400, 4_000
"""Few blocks take many: their percentiles lie far out, and cost little."""

_AT_ONCE = 1 << 19
"""How many drawn counts or sums of resamples are held in memory, if `LEAST_REPLICATES` are not more."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, how many independent items it rests on, and its 95 % interval.

    Items that belong together count as one: readings of a hundred texts are a hundred items, however many there are.
    """

    value: float
    num_items: int
    low: float
    high: float

    @property
    def standard_error(self) -> float:
        """The standard deviation of its error, for which the interval is as wide as Student's."""
        return (self.high - self.low) / (2 * student(self.freedom))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the interval."""
        return min(self.num_items, BLOCKS) - 1

    def score(self, set_id: Id, metric: str, *, version: str, subset: str = "") -> SetScore:
        """The figure as a row of the catalog."""
        return SetScore(set_id, subset, metric, version, self.value, self.num_items, self.low, self.high)


def deal(num_items: int, clusters: Labels | None = None, *, seed: int = 0, blocks: int = BLOCKS) -> Labels:
    """The block of each item, shape (num_items,): at random, with as many clusters in each as it goes."""
    kinds, cluster = np.unique(np.arange(num_items) if clusters is None else clusters, return_inverse=True)
    order = np.random.default_rng((seed, len(kinds))).permutation(len(kinds))
    return np.asarray((order % max(min(blocks, len(kinds)), 1))[cluster])


def block_sums(values: NDArray[np.float64], clusters: Labels | None = None, *, seed: int = 0) -> Sums:
    """Sums of the rows of ``values`` (items, S) by block, shape (blocks, S)."""
    of_item = deal(len(values), clusters, seed=seed)
    order = np.argsort(of_item, kind="stable")
    starts = np.flatnonzero(np.diff(of_item[order], prepend=-1))
    return np.add.reduceat(values[order], starts, axis=0)


def count(num_items: int, clusters: Labels | None = None) -> int:
    """How many of so many items come independently: their clusters, if they have any."""
    return num_items if clusters is None else len(np.unique(clusters))


def estimate(sums: Sums, statistic: Statistic, *, num_items: int, seed: int = 0, corrected: bool = False) -> Estimate:
    """The figure of the sums of all blocks (blocks, S), with the expanded percentiles of its resamples.

    The percentiles are moved so that their mean is the figure: entropies and spectra of a resample, which holds
    some items twice, are biased, and their spread is not. ``corrected`` takes as much off the figure as they are off it
    (Efron and Tibshirani 1993, chapter 10). ``num_items`` is that of `count`.

    Raises:
        ValueError: for fewer than `FEWEST` blocks, which tell too little of their spread.
    """
    blocks = len(sums)
    if blocks < FEWEST:
        raise ValueError(f"an interval needs {FEWEST} independent items or more, and there are {blocks}")
    value = float(statistic(sums.sum(axis=0)))
    number = max(LEAST_REPLICATES, min(MOST_REPLICATES, _AT_ONCE // max(blocks, sums.shape[1])))
    resampled = statistic(_draws(blocks, number, seed) @ sums)
    low, high = expanded(resampled, freedom=blocks - 1, inflation=blocks / (blocks - 1))
    bias = float(np.nanmean(resampled)) - value
    value, shift = (value - bias, -2 * bias) if corrected else (value, -bias)
    return Estimate(value, num_items, min(low + shift, value), max(high + shift, value))


@lru_cache(maxsize=16)
def _draws(num_blocks: int, number: int, seed: int) -> NDArray[np.float64]:
    """How often each replicate draws each block, shape (number, num_blocks); drawing costs more than summing."""
    random = np.random.default_rng((seed, num_blocks))
    return random.multinomial(num_blocks, np.full(num_blocks, 1 / num_blocks), size=number).astype(np.float64)


def mean_of(values: NDArray[np.float64], clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """The mean of the values that are there (NaN is none), with its interval."""
    there = np.isfinite(values)
    return ratio_of(values[there], np.ones(there.sum()), None if clusters is None else clusters[there], seed=seed)


def ratio_of(
    over: NDArray[np.float64], under: NDArray[np.float64], clusters: Labels | None = None, *, seed: int = 0
) -> Estimate:
    """The sum of ``over`` divided by the sum of ``under``, as errors over words; items are resampled in pairs."""
    sums = block_sums(np.stack((over, under), axis=1), clusters, seed=seed)
    number = count(len(over), clusters)
    return estimate(sums, lambda s: s[..., 0] / np.maximum(s[..., 1], 1e-12), num_items=number, seed=seed)
