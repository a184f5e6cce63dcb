"""Figures of sets of takes: what they cover, how many voices they are worth, how far they are from real speech.

Every figure carries its number of items and an interval; `curation.bootstrap` says how. ``clusters`` are the takes that
were drawn together (`Watched.clusters`): readings of one text tell less than their number promises. Columns come in as
arrays, one row a take, so that a hundred thousand takes cost seconds.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from curation.bootstrap import Estimate, Sums, block_sums, count, deal, estimate
from curation.sets.diversity import unit_vectors
from curation.sets.entropy import plugin_bits

Vectors = NDArray[np.float64]
Labels = NDArray[np.int64]

_SPECTRUM_BLOCKS = 100
_EDGES = 1024
_MOST_KERNEL = 1000


def cells(columns: Sequence[Labels]) -> tuple[Labels, int]:
    """The cell of each take in the product of some labels (speaker, style, ...), and how many cells there are.

    Every label that occurs in a column counts, with every label of the others.
    """
    cell, number = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        kinds, label = np.unique(column, return_inverse=True)
        cell, number = cell * len(kinds) + label, number * len(kinds)
    return cell, number


def thirds(values: NDArray[np.float64], *, within: float) -> Labels:
    """0, 1 or 2: more than ``within`` below the median, around it, or above. Sameness leaves 0 and 2 empty."""
    away = values - np.nanmedian(values)
    return np.where(away < -within, 0, np.where(away > within, 2, 1))


def coverage(
    cell: Labels, num_cells: int, clusters: Labels | None = None, *, least: int = 5, seed: int = 0
) -> Estimate:
    """The share of cells that hold ``least`` takes or more."""
    sums, number = _counts(cell, num_cells, clusters, seed=seed), count(len(cell), clusters)
    return estimate(sums, lambda s: np.asarray((s >= least).mean(axis=-1)), num_items=number, seed=seed)


def evenness(cell: Labels, num_cells: int, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """Entropy of the cells over that of even ones, in [0, 1]; 1 for a single cell."""
    most = np.log2(num_cells) or 1.0
    even = 1.0 if num_cells == 1 else 0.0
    sums, number = _counts(cell, num_cells, clusters, seed=seed), count(len(cell), clusters)
    return estimate(sums, lambda s: plugin_bits(s) / most + even, num_items=number, seed=seed)


def effective_labels(labels: Labels, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """How many equally frequent labels (speakers) have the entropy of these: 1 for one, n for n even ones."""
    kinds, label = np.unique(labels, return_inverse=True)
    sums, number = _counts(label, len(kinds), clusters, seed=seed), count(len(labels), clusters)
    return estimate(sums, lambda s: np.exp2(plugin_bits(s)), num_items=number, seed=seed)


def vendi(vectors: Vectors, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """How many voices that have nothing in common are as diverse as these vectors (N, D): the Vendi score, by cosine.

    It is 1 for takes that are all alike. Method: Friedman and Dieng 2022, from the spectrum of the (D, D) moment.
    """
    unit = unit_vectors(vectors)
    sums = _moments(unit, clusters, seed=seed)

    def score(s: Sums) -> NDArray[np.float64]:
        takes, _, moment = _parts(s, unit.shape[1])
        shares = np.maximum(np.linalg.eigvalsh(moment / takes[..., None, None]), 0.0)
        return np.exp2(plugin_bits(shares))

    return estimate(sums, score, num_items=count(len(unit), clusters), seed=seed)


def frechet(vectors: Vectors, reference: Vectors, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """Fréchet distance (squared) of two sets of vectors (N, D) as Gaussians; the interval is that of ``vectors``.

    It falls as N grows, by chance alone: compare sets of equal N. Both need more takes than dimensions.
    """
    width = vectors.shape[1]
    mean, covariance = reference.mean(axis=0), np.cov(reference, rowvar=False, bias=True).reshape(width, width)
    root = _root(covariance)

    def distance(s: Sums) -> NDArray[np.float64]:
        takes, total, moment = _parts(s, width)
        centre = total / takes[..., None]
        spread = moment / takes[..., None, None] - centre[..., :, None] * centre[..., None, :]
        shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ spread @ root), 0.0)).sum(axis=-1)
        traces = np.trace(spread, axis1=-2, axis2=-1) + np.trace(covariance)
        return np.asarray(np.square(centre - mean).sum(axis=-1) + traces - 2 * shared)

    number = count(len(vectors), clusters)
    return estimate(_moments(vectors, clusters, seed=seed), distance, num_items=number, seed=seed)


def wasserstein(
    values: NDArray[np.float64], reference: NDArray[np.float64], clusters: Labels | None = None, *, seed: int = 0
) -> Estimate:
    """Earth mover's distance of two samples of a figure, in standard deviations of ``reference``; NaN is left out."""
    there = np.isfinite(values)
    ours, theirs = values[there], np.sort(reference[np.isfinite(reference)])
    together = None if clusters is None else clusters[there]
    pooled = np.unique(np.concatenate((ours, theirs)))
    edges = pooled if len(pooled) <= _EDGES else np.unique(np.quantile(pooled, np.linspace(0, 1, _EDGES)))
    widths, expected = np.diff(edges), np.searchsorted(theirs, edges[:-1], side="right") / len(theirs)
    sums = _counts(np.searchsorted(edges, ours), len(edges), together, seed=seed)
    scale = theirs.std() or 1.0

    def distance(s: Sums) -> NDArray[np.float64]:
        share = np.cumsum(s, axis=-1)[..., :-1] / np.maximum(s.sum(axis=-1, keepdims=True), 1)
        return np.asarray((np.abs(share - expected) * widths).sum(axis=-1) / scale)

    return estimate(sums, distance, num_items=count(len(ours), together), seed=seed)


def calibrated_rate(
    errors: NDArray[np.float64], of: NDArray[np.float64], clusters: Labels, *, real: float, seed: int = 0
) -> Estimate:
    """Errors over what they could have been, pooled over takes, less that rate of ``real`` speech; at least 0.

    What is left is not the recogniser's own. The interval is that of the takes, as if ``real`` were known.
    """
    sums = block_sums(np.stack((errors, of), axis=1), clusters, seed=seed)

    def left(s: Sums) -> NDArray[np.float64]:
        return np.asarray(np.maximum(0.0, s[..., 0] / np.maximum(s[..., 1], 1e-12) - real))

    found = estimate(sums, left, num_items=count(len(errors), clusters), seed=seed)
    return replace(found, low=max(0.0, found.low))


def mmd(vectors: Vectors, reference: Vectors, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """Maximum mean discrepancy (squared, unbiased) with a Gaussian kernel as wide as the median distance.

    About 0 for two samples of one source, whatever their sizes. At most `_MOST_KERNEL` takes of each are drawn.
    """
    rows = _drawn(len(vectors), seed=seed)
    ours, theirs = vectors[rows], reference[_drawn(len(reference), seed=seed + 1)]
    together = None if clusters is None else clusters[rows]
    between = _squared(ours, theirs)
    width = np.median(between) or 1.0
    cross, within = np.exp(-between / width).mean(axis=1), np.exp(-_squared(ours, ours) / width)
    same = np.exp(-_squared(theirs, theirs) / width)
    constant = (same.sum() - len(theirs)) / (len(theirs) * (len(theirs) - 1))

    def discrepancy(weights: Sums) -> NDArray[np.float64]:
        takes = weights.sum(axis=-1)
        pairs = (weights @ within * weights).sum(axis=-1) - np.square(weights).sum(axis=-1)
        ordered = np.maximum(takes**2 - np.square(weights).sum(axis=-1), 1)
        return np.asarray(pairs / ordered + constant - 2 * weights @ cross / takes)

    sums = block_sums(np.eye(len(ours)), together, seed=seed)
    return estimate(sums, discrepancy, num_items=count(len(ours), together), seed=seed)


def _counts(labels: Labels, num_labels: int, clusters: Labels | None, *, seed: int) -> Sums:
    block = deal(len(labels), clusters, seed=seed)
    num_blocks = int(block.max(initial=-1)) + 1
    counts = np.bincount(block * num_labels + labels, minlength=num_blocks * num_labels)
    return counts.reshape(num_blocks, num_labels).astype(np.float64)


def _moments(vectors: Vectors, clusters: Labels | None, *, seed: int) -> Sums:
    """Count, sum and sum of outer products by block, shape (blocks, 1 + D + D²)."""
    block = deal(len(vectors), clusters, seed=seed, blocks=_SPECTRUM_BLOCKS)
    held = [vectors[block == number] for number in range(int(block.max(initial=-1)) + 1)]
    return np.stack([np.concatenate(([len(part)], part.sum(axis=0), (part.T @ part).ravel())) for part in held])


def _parts(sums: Sums, width: int) -> tuple[NDArray[np.float64], Vectors, NDArray[np.float64]]:
    return sums[..., 0], sums[..., 1 : 1 + width], sums[..., 1 + width :].reshape(*sums.shape[:-1], width, width)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def _drawn(number: int, *, seed: int) -> Labels:
    """At most `_MOST_KERNEL` of so many rows, drawn at random, in order."""
    return np.sort(np.random.default_rng((seed, number)).permutation(number)[:_MOST_KERNEL])


def _squared(one: Vectors, other: Vectors) -> NDArray[np.float64]:
    away = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(away, 0.0))
