"""Pareto fronts: which takes are better in one way without being worse in another."""

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fronts(first: Floats, second: Floats) -> Ints:
    """The front of each point, (N,), by non-dominated sorting; on both axes more is better.

    Front 0 holds the points that none dominates: no other is at least as good on both axes and better on one. Front 1
    holds those that only front 0 dominates, and so on; equal points share a front. It takes O(N log N): in the order
    of the first axis, a front dominates a point if the best second value that it has so far does (Jensen 2003).
    """
    found = np.zeros(len(first), np.int64)
    lowest: list[float] = []  # of each front, its best second value so far, negated: ascending
    before: tuple[float, float] | None = None
    front = 0
    for n in np.lexsort((-second, -first)).tolist():
        point = (float(first[n]), float(second[n]))
        if point != before:
            front = bisect_right(lowest, -point[1])
            lowest[front : front + 1] = [-point[1]]
            before = point
        found[n] = front
    return found


def merits(stability: Sequence[Floats], expressivity: Sequence[Floats], strata: Ints) -> Floats:
    """What each take is worth to a selection, (N,) in (0, 1), by its place among the takes of its stratum.

    A stratum is what can fairly be compared, such as the takes of one voice in one domain. Figures are arrays (N,) in
    which more is better. An axis is the mean, over its figures, of the share of the stratum that a take surpasses.
    The merit falls from front to front, evenly, and along a front with the geometric mean of the two shares: a front
    ends in takes that buy one axis with the other, and those are not worth what a take is that has both.
    """
    found = np.ones(len(strata))
    order = np.argsort(strata, kind="stable")
    edges = np.flatnonzero(np.diff(strata[order])) + 1
    for members in np.split(order, edges) if len(order) else []:
        stable, lively = (_axis([f[members] for f in figures], len(members)) for figures in (stability, expressivity))
        rank = fronts(stable, lively)
        found[members] = (1 - rank / (rank.max() + 1)) * np.sqrt(stable * lively)
    return found


def shares(values: Floats) -> Floats:
    """The share of all that each value surpasses, (N,) in (0, 1), equals and itself counting half; 0.5 for NaN."""
    found = np.full(len(values), 0.5)
    known = np.isfinite(values)
    if known.any():
        _, which, counts = np.unique(values[known], return_inverse=True, return_counts=True)
        found[known] = ((np.cumsum(counts) - counts / 2) / known.sum())[which]
    return found


def _axis(figures: Sequence[Floats], size: int) -> Floats:
    return np.mean([shares(figure) for figure in figures], axis=0) if figures else np.full(size, 0.5)
