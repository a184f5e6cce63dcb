"""Error rates, and how much of them is gone, on the same takes; intervals draw speakers again.

A domain with one speaker has its utterances drawn: its interval says nothing of other speakers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import Errors
from catalogs.intervals import FEWEST, beyond, expanded
from training.evaluation.resampling import Figure, Groups, Interval, Sums, interval, ratio, replicates


def wer(row: Errors) -> Interval | None:
    """The word error rate; None without words."""
    if not len(row.takes):
        return None
    sums = Groups.of(row.speakers).sums(np.stack([row.errors, row.words], axis=1))
    return interval(ratio(0, 1), sums, replicates(sums))


def share_right(row: Errors) -> Interval | None:
    """One less the error rate; None without words, or values."""
    found = wer(row)
    if found is None or found.low is None or found.high is None:
        return None if found is None else Interval(1 - found.value, None, None)
    return Interval(1 - found.value, 1 - found.high, 1 - found.low)


def mean_reduction(pairs: Sequence[tuple[Errors, Errors]]) -> Interval | None:
    """The share of errors that the first of each pair has less than the second, averaged over pairs, one a domain.

    None where one of the second has no errors, or there are no pairs. The interval is that of `_mean`: only speakers in
    whom the second errs count, so that one who errs alone, however much, makes no certainty.

    Raises:
        ValueError: if a pair has not heard the same takes.
    """
    return _mean(pairs, _less)


def mean_points(pairs: Sequence[tuple[Errors, Errors]]) -> Interval | None:
    """By how many points, errors in a hundred words, the rate of the first of each pair is lower than the second's.

    It is averaged over pairs as `mean_reduction` is, and known where hardly anybody errs: every speaker with words
    counts. None where one of the second has no words, or there are no pairs.

    Raises:
        ValueError: if a pair has not heard the same takes.
    """
    return _mean(pairs, _points)


def _mean(pairs: Sequence[tuple[Errors, Errors]], figure: Figure) -> Interval | None:
    """The mean over domains of a figure of errors, errors of the second and words; None if it has no value in one.

    Every domain weighs alike, and its speakers are drawn apart from those of the others; the interval has the degrees
    of freedom that variances of unlike many speakers have together (Welch and Satterthwaite). As in
    `resampling.interval` only speakers in whom the figure has a value count, and no interval is given where a domain
    has fewer than `FEWEST` of them: its variance is hardly known, and Welch's degrees of freedom take it as it is.

    Draws without any of these speakers leave the figure without a value, and that may be anything. There is no interval
    either if they are more than lie beyond one of its limits, which could then be anything, too.
    """
    values, drawn, counted = [], [], []
    for seed, (row, base) in enumerate(pairs):
        if row.takes != base.takes:
            raise ValueError(f"pair {seed}: {len(row.errors)} takes against {len(base.errors)}; expected the same ones")
        sums = Groups.of(base.speakers).sums(np.stack([row.errors, base.errors, base.words], axis=1))
        values.append(float(figure(sums.sum(axis=0))))
        drawn.append(figure(replicates(sums, seed=seed)))
        counted.append(np.count_nonzero(np.isfinite(figure(sums))))
    if not values or not np.isfinite(values).all():
        return None
    value = float(np.mean(values))
    if min(counted) < FEWEST:
        return Interval(value, None, None)
    freedom, inflation = _freedom(np.nanvar(drawn, axis=1), np.array(counted))
    means = np.mean(drawn, axis=0)
    if np.isnan(means).mean() > beyond(freedom, inflation):
        return Interval(value, None, None)
    return Interval(value, *expanded(means, freedom=freedom, inflation=inflation))


def _freedom(spread: NDArray[np.float64], groups: NDArray[np.int64]) -> tuple[float, float]:
    """The degrees of freedom of a mean over domains (D,), and by how much the variance of its replicates is too small.

    ``spread`` is the variance of each domain's replicates, too small by n / (n - 1) of its n groups.
    """
    whole = spread * groups / (groups - 1)
    if not whole.sum():
        return float((groups - 1).sum()), 1.0
    return float(whole.sum() ** 2 / (whole**2 / (groups - 1)).sum()), float(whole.sum() / spread.sum())


def _less(sums: Sums) -> NDArray[np.float64]:
    """1 - errors / errors, (...); NaN where there is nothing to reduce."""
    return 1.0 - ratio(0, 1)(sums)


def _points(sums: Sums) -> NDArray[np.float64]:
    """100 (errors - errors) / words, (...); NaN without words."""
    return 100 * (ratio(1, 2)(sums) - ratio(0, 2)(sums))
