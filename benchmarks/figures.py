"""Error rates, and how much of them is gone, on the same takes; intervals draw speakers again.

A domain with one speaker has its utterances drawn: its interval says nothing of other speakers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import Errors
from training.evaluation.resampling import Groups, Interval, Sums, interval, ratio, replicates


def wer(row: Errors) -> Interval | None:
    """The word error rate; None without words."""
    sums = Groups.of(row.speakers).sums(np.stack([row.errors, row.words], axis=1))
    return interval(ratio(0, 1), sums, replicates(sums))


def mean_reduction(pairs: Sequence[tuple[Errors, Errors]]) -> Interval | None:
    """The share of errors that the first of each pair has less than the second, averaged over pairs, one a domain.

    Every domain weighs alike, and its speakers are drawn apart from those of the others. None where one of the second
    has no errors, or there are no pairs.

    Raises:
        ValueError: if a pair has not heard the same takes.
    """
    values, drawn = [], []
    for seed, (row, base) in enumerate(pairs):
        if row.takes != base.takes:
            raise ValueError(f"pair {seed}: {len(row.errors)} takes against {len(base.errors)}; expected the same ones")
        sums = Groups.of(base.speakers).sums(np.stack([row.errors, base.errors], axis=1))
        values.append(float(_less(sums.sum(axis=0))))
        drawn.append(_less(replicates(sums, seed=seed)))
    if not values or not np.isfinite(values).all():
        return None
    low, high = np.nanpercentile(np.mean(drawn, axis=0), (2.5, 97.5))
    return Interval(float(np.mean(values)), float(low), float(high))


def _less(sums: Sums) -> NDArray[np.float64]:
    """1 - errors / errors, (...); NaN where there is nothing to reduce."""
    below = sums[..., 1]
    return 1.0 - np.divide(sums[..., 0], below, out=np.full_like(below, np.nan), where=below > 0)
