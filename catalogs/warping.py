"""Dynamic time warping: which frames of two readings of a text say the same.

T frames of ours · D frames of theirs · K coefficients of a frame
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Frames: TypeAlias = NDArray[np.float64]


def warp(ours: Frames, theirs: Frames) -> NDArray[np.int64]:
    """The cheapest way through (T, K) and (D, K) frames from both beginnings to both ends, rows of (ours, theirs).

    Each coefficient counts about its own mean and in its own spread, so that two voices are compared by how they
    change. Steps are one frame in either or both.
    """
    return _cheapest(_distances(_standard(ours), _standard(theirs)))


def _standard(frames: Frames) -> Frames:
    return np.asarray((frames - frames.mean(axis=0)) / (frames.std(axis=0) + 1e-9))


def _distances(ours: Frames, theirs: Frames) -> Frames:
    squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1) - 2 * ours @ theirs.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _cheapest(costs: Frames) -> NDArray[np.int64]:
    """From the first corner of (T, D) to the last; filled along anti-diagonals."""
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(rows + columns - 1):
        row = np.arange(max(0, diagonal - columns + 1), min(rows, diagonal + 1))
        column = diagonal - row
        before = np.minimum(np.minimum(total[row, column + 1], total[row + 1, column]), total[row, column])
        total[row + 1, column + 1] = costs[row, column] + before
    place, steps = (rows, columns), []
    while place != (0, 0):
        row, column = place
        steps.append((row - 1, column - 1))
        ways = ((row - 1, column - 1), (row - 1, column), (row, column - 1))  # straight on, where it is as cheap
        place = min(ways, key=lambda way: total[way])
    return np.array(steps[::-1], np.int64)
