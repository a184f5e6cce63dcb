"""How far takes of a set are apart: in vectors, over all pairs or within voices; in tokens, readings of one text."""

import numpy as np
from numpy.typing import NDArray

from curation.bootstrap import Estimate, Labels, Sums, block_sums, count, deal, estimate, mean_of
from curation.tokenisers.distance import mean_distance
from curation.tokenisers.sequences import TokenRows

Vectors = NDArray[np.float64]


def diversity(vectors: Vectors, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """Mean cosine distance of two different takes of a set, in [0, 2]; ``vectors`` (N, D), not all of one length."""
    unit = unit_vectors(vectors)
    sums = block_sums(np.column_stack((np.ones(len(unit)), unit)), clusters, seed=seed)

    def distance(s: Sums) -> NDArray[np.float64]:
        takes = s[..., 0]
        alike = np.square(s[..., 1:]).sum(axis=-1) - takes  # the sum over pairs of different takes
        return np.asarray(1.0 - alike / np.maximum(takes * (takes - 1), 1))

    return estimate(sums, distance, num_items=count(len(unit), clusters), seed=seed)


def diversity_within(vectors: Vectors, groups: Labels, clusters: Labels | None = None, *, seed: int = 0) -> Estimate:
    """Mean over groups (voices) of the mean cosine distance within one; groups of one take have none.

    What is drawn again are clusters (texts), so that the interval is that of these voices. Where a cluster is all that
    a voice has said, as in real speech, voices are.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    rows = np.flatnonzero(sizes[group] > 1)
    cluster = np.arange(len(rows)) if clusters is None else clusters[rows]
    unit, block = unit_vectors(vectors[rows]), deal(len(rows), cluster, seed=seed)
    members = [np.flatnonzero(group[rows] == number) for number in np.flatnonzero(sizes > 1)]
    held = [_by_block(unit[part], block[part]) for part in members]
    if all(len(np.unique(cluster[part])) == 1 for part in members):
        values = [float(_apart(part, np.ones(block.max(initial=0) + 1))) for part in held]
        return mean_of(np.array(values), np.array([cluster[part[0]] for part in members]), seed=seed)

    def distance(weights: Sums) -> NDArray[np.float64]:
        apart = np.array([_apart(part, weights) for part in held])
        there = np.isfinite(apart)
        number = np.where(there.any(axis=0), there.sum(axis=0), np.nan)
        return np.asarray(np.where(there, apart, 0.0).sum(axis=0) / number)

    return estimate(np.eye(block.max() + 1), distance, num_items=count(len(rows), cluster), seed=seed)


def reading_distances(takes: TokenRows, groups: Labels, *, rate_hz: float) -> NDArray[np.float64]:
    """The mean edits a second between two takes of a group (a text, by one voice), at the first take of the group.

    Shape (takes,), NaN everywhere else: a group counts once, and stands beside what is known of its first take.
    """
    rows, found = list(takes), np.full(len(takes), np.nan)
    order = np.argsort(groups, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        if len(members) > 1:
            found[members[0]] = mean_distance([rows[row] for row in members], rate_hz=rate_hz)
    return found


def unit_vectors(vectors: Vectors) -> Vectors:
    """Vectors (N, D) of length one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _by_block(unit: Vectors, block: Labels) -> tuple[Labels, Sums]:
    """The blocks that a group's takes (N, D) are in, and how many of them with their sum, (blocks, 1 + D)."""
    blocks, place = np.unique(block, return_inverse=True)
    sums = np.zeros((len(blocks), 1 + unit.shape[1]))
    np.add.at(sums, place, np.column_stack((np.ones(len(unit)), unit)))
    return blocks, sums


def _apart(group: tuple[Labels, Sums], weights: Sums) -> NDArray[np.float64]:
    """The distance within a group whose blocks are drawn so often (..., blocks); NaN where no two takes are."""
    blocks, sums = group
    drawn = weights[..., blocks]
    total, same = drawn @ sums, np.square(drawn) @ sums[:, 0]  # a take and its copy are no pair
    pairs = np.square(total[..., 0]) - same
    alike = np.square(total[..., 1:]).sum(axis=-1) - same
    return np.asarray(1.0 - np.divide(alike, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0))
