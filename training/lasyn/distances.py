"""How far latents that are made are from real ones, beside how far two halves of real ones are from each other.

The halves have other texts, and what is made of the texts of one half is held against the real latents of the other:
the floor differs from the figure by nothing but who made the latents. All sets have the same size, since both distances
depend on it. Channels are in standard deviations of the real latents, so that none of them counts more than others.

P pairs · T frames · N rows · D width of the encoder
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from training.lasyn.matching import frames_mmd
from training.lasyn.pairs import Pair, halves

Rows: TypeAlias = NDArray[np.float64]
"""Frames, or means of utterances, (N, D)."""

_MOST = {"frechet": 10_000, "mmd": 1_000}
"""Rows that are compared at most; MMD compares every one with every other."""


@dataclass(frozen=True, slots=True)
class Distance:
    """One distance: of ``made`` latents to real ones, and of ``real`` ones to others, its floor."""

    name: str
    made: float
    real: float


def distances(pairs: Sequence[Pair]) -> list[Distance]:
    """Fréchet distance and MMD of frames, and of means over the frames of utterances; there must be four pairs."""
    found = []
    for level, rows_of in (("frames", _frames), ("utterances", _means)):
        real = [rows_of([pair.real for pair in half]) for half in halves(pairs)]
        made = [rows_of([pair.made for pair in half]) for half in halves(pairs)]
        every = np.concatenate(real)
        mean, spread = every.mean(axis=0), np.maximum(every.std(axis=0), 1e-6)
        ours, theirs = ([(rows - mean) / spread for rows in kind] for kind in (made, real))
        for name, compare in (("frechet", frechet), ("mmd", _mmd)):
            few = min(_MOST[name], *map(len, (*ours, *theirs)))
            ours_drawn, theirs_drawn = ([_drawn(rows, few) for rows in kind] for kind in (ours, theirs))
            found.append(_distance(f"{name}_{level}", compare, ours_drawn, theirs_drawn))
    return found


def frechet(ours: Rows, theirs: Rows) -> float:
    """The squared Fréchet distance of two sets of rows (N, D) as Gaussians, from 0 (Dowson and Landau 1982).

    Covariances are shrunk towards spheres as Ledoit and Wolf (2004) have it, by as much as few rows need.
    """
    from sklearn.covariance import ledoit_wolf

    (one, _), (other, _) = ledoit_wolf(ours), ledoit_wolf(theirs)
    values, axes = np.linalg.eigh(one)
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    apart = np.square(ours.mean(axis=0) - theirs.mean(axis=0)).sum() + np.trace(one) + np.trace(other) - 2 * shared
    return max(0.0, float(apart))


def _mmd(ours: Rows, theirs: Rows) -> float:
    return float(frames_mmd(torch.from_numpy(ours), torch.from_numpy(theirs)))


def _distance(
    name: str, compare: Callable[[Rows, Rows], float], made: Sequence[Rows], real: Sequence[Rows]
) -> Distance:
    """Halves of either kind: made of the texts of one, real of the other, and the other way round."""
    crossed = (compare(made[0], real[1]) + compare(made[1], real[0])) / 2
    return Distance(name, crossed, compare(real[0], real[1]))


def _frames(latents: Sequence[torch.Tensor]) -> Rows:
    """(T, D) each to all their frames (N, D)."""
    return torch.cat(list(latents)).double().numpy()


def _means(latents: Sequence[torch.Tensor]) -> Rows:
    """(T, D) each to one row each."""
    return torch.stack([each.double().mean(dim=0) for each in latents]).numpy()


def _drawn(rows: Rows, number: int) -> Rows:
    """So many of the rows, drawn once and for all."""
    drawn: Rows = rows[np.random.default_rng(0).permutation(len(rows))[:number]]
    return drawn
