"""Intervals of figures that are made of sums over items: means, ratios, entropies, spectra.

A figure is a function of sums, so a resample is a weighted sum. Items are dealt at random into at most `BLOCKS` blocks,
whole blocks are drawn with replacement, and only the sums of blocks are kept: a million items cost as much as four
hundred. With fewer items every block is one item, and this is Efron's bootstrap.

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
from catalogs.intervals import Z95
from catalogs.records import SetScore

Labels: TypeAlias = NDArray[np.int64]
Sums: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Sums], NDArray[np.float64]]
"""From sums of shape (..., S) to figures of shape (...)."""

BLOCKS = 400
REPLICATES = 400


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, how many items it rests on, and its 95 % interval."""

    value: float
    num_items: int
    low: float
    high: float

    @property
    def standard_error(self) -> float:
        """The interval's width as the standard deviation of a normal error."""
        return (self.high - self.low) / (2 * Z95)

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


def estimate(sums: Sums, statistic: Statistic, *, num_items: int, seed: int = 0) -> Estimate:
    """The figure of the sums of all blocks (blocks, S), with the percentiles of its resamples.

    The percentiles are moved so that their mean is the figure: entropies and spectra of a resample, which holds
    some items twice, are biased, and their spread is not.

    Raises:
        ValueError: for fewer than two blocks, which tell nothing of their spread.
    """
    if len(sums) < 2:
        raise ValueError(f"an interval needs two items or more, and there are {len(sums)}")
    value = float(statistic(sums.sum(axis=0)))
    resampled = statistic(_draws(len(sums), seed) @ sums)
    low, high = np.percentile(resampled, (2.5, 97.5)) - resampled.mean() + value
    return Estimate(value, num_items, float(min(low, value)), float(max(high, value)))


@lru_cache(maxsize=64)
def _draws(num_blocks: int, seed: int) -> NDArray[np.float64]:
    """How often each replicate draws each block, shape (REPLICATES, num_blocks); drawing costs more than summing."""
    random = np.random.default_rng((seed, num_blocks))
    return random.multinomial(num_blocks, np.full(num_blocks, 1 / num_blocks), size=REPLICATES).astype(np.float64)


def mean_of(values: NDArray[np.float64], clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """The mean of the values that are there (NaN is none), with its interval."""
    there = np.isfinite(values)
    return ratio_of(values[there], np.ones(there.sum()), None if clusters is None else clusters[there], seed=seed)


def ratio_of(
    over: NDArray[np.float64], under: NDArray[np.float64], clusters: Labels | None = None, *, seed: int = 0
) -> Estimate:
    """The sum of ``over`` divided by the sum of ``under``, as errors over words; items are resampled in pairs."""
    sums = block_sums(np.stack((over, under), axis=1), clusters, seed=seed)
    return estimate(sums, lambda s: s[..., 0] / np.maximum(s[..., 1], 1e-12), num_items=len(over), seed=seed)
