"""Linear probes: what can be read off vectors by a straight line, and how sure the answer is.

N rows · W numbers a row · C classes. Folds say which rows are held out together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.intervals import expanded
from curation.bootstrap import Statistic, block_sums, count, estimate

Rows: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

_SHRINKAGE = 0.2
_RIDGES = 10.0 ** np.arange(-1, 6)
_INNER_FOLDS = 5
_RESAMPLES = 400


@dataclass(frozen=True, slots=True)
class Found:
    """A figure and its 95 % interval, by resampling held-out rows, or clusters of them such as readings of a text."""

    value: float
    low: float
    high: float

    def text(self, *, percent: bool = False) -> str:
        """Value and interval, in percent if so wanted."""
        if percent:
            return f"{100 * self.value:.1f} % ({100 * self.low:.1f}–{100 * self.high:.1f})"
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f})"


def identify(vectors: Rows, speakers: Labels, folds: Labels, *, clusters: Labels | None = None) -> Found:
    """The share of held-out rows whose speaker linear discriminant analysis finds, every speaker weighing the same."""
    hits = np.full(len(speakers), np.nan)
    for fold in np.unique(folds):
        held = folds == fold
        known = np.unique(speakers[~held])
        rows = np.flatnonzero(held & np.isin(speakers, known))
        hits[rows] = known[_discriminant(vectors[~held], speakers[~held], known)(vectors[rows])] == speakers[rows]
    kept = np.isfinite(hits)
    kinds, speaker = np.unique(speakers[kept], return_inverse=True)
    of_speaker = np.eye(len(kinds))[speaker]  # (N, C)
    sums = np.hstack((of_speaker * hits[kept][:, None], of_speaker))
    return _found(sums, _balanced, None if clusters is None else clusters[kept])


def explain(
    vectors: Rows, target: Rows, folds: Labels, *, groups: Labels | None = None, clusters: Labels | None = None
) -> Found:
    """R² of ridge regression on held-out rows; the ridge is chosen within the others. 0 is what their mean explains.

    While it is chosen, rows of one of the ``groups`` (N,) are held out together; without them every row is by itself.
    Rows about the mean of their group tell of each other.
    """
    group = np.arange(len(target)) if groups is None else groups
    guess, plain = np.zeros(len(target)), np.zeros(len(target))
    for fold in np.unique(folds):
        held = folds == fold
        guess[held] = _ridge(vectors[~held], target[~held], group[~held])(vectors[held])
        plain[held] = target[~held].mean()
    sums = np.stack((np.square(target - guess), np.square(target - plain)), axis=1)
    return _found(sums, lambda s: np.asarray(1 - s[..., 0] / s[..., 1]), clusters)


def equal_error_rate(same: Rows, different: Rows) -> float:
    """Where as many pairs of one speaker lie below a threshold as pairs of two lie above it."""
    same, different = np.sort(same), np.sort(different)
    thresholds = np.concatenate([same, different])
    missed = np.searchsorted(same, thresholds) / len(same)
    mistaken = 1 - np.searchsorted(different, thresholds) / len(different)
    nearest = np.abs(missed - mistaken).argmin()
    return float(missed[nearest] + mistaken[nearest]) / 2


def error_rate_of_halves(first: Rows, second: Rows) -> Found:
    """The equal error rate of telling speakers by row n of one and row n of the other, resampling speakers."""
    likeness, speakers, random = first @ second.T, len(first), np.random.default_rng(0)

    def rate(rows: Labels) -> float:
        chosen = likeness[np.ix_(rows, rows)]
        other = rows[:, None] != rows
        return equal_error_rate(chosen.diagonal(), chosen[other])

    drawn = np.array([rate(random.integers(0, speakers, speakers)) for _ in range(_RESAMPLES)])
    low, high = expanded(drawn, freedom=speakers - 1, inflation=speakers / (speakers - 1))
    return Found(rate(np.arange(speakers)), low, high)


def _discriminant(vectors: Rows, speakers: Labels, known: Labels) -> Callable[[Rows], Labels]:
    """Class means under one shrunken covariance; gives the number of the likeliest class."""
    centre, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-9
    standard = (vectors - centre) / scale
    means = np.array([standard[speakers == speaker].mean(axis=0) for speaker in known])  # (C, W)
    apart = standard - means[np.searchsorted(known, speakers)]
    covariance = apart.T @ apart / max(1, len(apart) - len(known))
    spherical = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    weights = np.linalg.solve((1 - _SHRINKAGE) * covariance + _SHRINKAGE * spherical, means.T)  # (W, C)
    offsets = -0.5 * (means.T * weights).sum(axis=0)
    return lambda rows: (((rows - centre) / scale) @ weights + offsets).argmax(axis=1)


def _ridge(vectors: Rows, target: Rows, groups: Labels) -> Callable[[Rows], Rows]:
    _, group = np.unique(groups, return_inverse=True)
    inner = group % _INNER_FOLDS
    errors = np.zeros(len(_RIDGES))
    for fold in np.unique(inner):
        held = inner == fold
        guesses = _fits(vectors[~held], target[~held])(vectors[held])  # (held, ridges)
        errors += ((target[held, None] - guesses) ** 2).sum(axis=0)
    best = int(errors.argmin())
    fit = _fits(vectors, target)
    return lambda rows: fit(rows)[:, best]


def _fits(vectors: Rows, target: Rows) -> Callable[[Rows], Rows]:
    """One regression for each ridge, all from one decomposition; gives guesses (N, ridges)."""
    centre, scale, mean = vectors.mean(axis=0), vectors.std(axis=0) + 1e-9, target.mean()
    left, sizes, right = np.linalg.svd((vectors - centre) / scale, full_matrices=False)
    shares = sizes[:, None] / (sizes[:, None] ** 2 + _RIDGES)  # (rank, ridges)
    weights = right.T @ (shares * (left.T @ (target - mean))[:, None])  # (W, ridges)
    return lambda rows: ((rows - centre) / scale) @ weights + mean


def _balanced(sums: Rows) -> Rows:
    """The mean over speakers of their shares of hits, from hits and rows of each, (..., 2 C) to (...)."""
    hits, rows = np.split(sums, 2, axis=-1)
    shares = np.divide(hits, rows, out=np.zeros_like(hits), where=rows > 0)
    return np.asarray(shares.sum(axis=-1) / (rows > 0).sum(axis=-1))


def _found(rows: Rows, figure: Statistic, clusters: Labels | None) -> Found:
    found = estimate(block_sums(rows, clusters), figure, num_items=count(len(rows), clusters))
    return Found(found.value, found.low, found.high)
