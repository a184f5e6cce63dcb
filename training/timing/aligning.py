"""Forced alignment: the likeliest way in which a CTC head says given characters (Graves et al. 2006; Viterbi).

T frames · V characters and the blank, and what else has a column · L characters of a text
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from training.alphabet import BLANK


@dataclass(frozen=True, slots=True)
class Span:
    """The frames of one character, from ``start`` up to ``end``, and the sum of its log probabilities there."""

    start: int
    end: int
    log_prob: float


def frames_needed(numbers: Sequence[int]) -> int:
    """How many frames characters need at least: one each, and a blank between two that are the same."""
    return len(numbers) + sum(first == second for first, second in pairwise(numbers))


def align(log_probs: NDArray[np.floating], numbers: Sequence[int]) -> list[Span]:
    """The span of each character on the likeliest path; ``log_probs`` (T, V) are in nats.

    Costs T · (2 L + 1) bytes. Of paths that are equally likely it takes the one that goes on earliest.

    Raises:
        ValueError: if there are no characters, or fewer frames than `frames_needed`.
    """
    if not numbers or len(log_probs) < frames_needed(numbers):
        raise ValueError(f"{len(numbers)} characters cannot be aligned with {len(log_probs)} frames")
    states = np.full(2 * len(numbers) + 1, BLANK)
    states[1::2] = numbers
    path = _best_path(log_probs, states)
    spans = []
    for place, number in enumerate(numbers):
        start, end = np.searchsorted(path, [2 * place + 1, 2 * place + 2]).tolist()
        spans.append(Span(start, end, float(log_probs[start:end, number].sum(dtype=np.float64))))
    return spans


def _best_path(log_probs: NDArray[np.floating], states: NDArray[np.int_]) -> NDArray[np.int_]:
    """The state of each frame (T,): it stays, goes on by one, or by two over a blank between two that differ."""
    num_frames, num_states = len(log_probs), len(states)
    barred = np.full(num_states, -np.inf)
    barred[3::2] = np.where(states[3::2] == states[1:-2:2], -np.inf, 0.0)
    best = np.full((3, num_states), -np.inf)
    came = np.zeros((num_frames, num_states), np.int8)
    score = np.full(num_states, -np.inf)
    score[:2] = log_probs[0, states[:2]]
    for frame in range(1, num_frames):
        best[0] = score
        best[1, 1:] = score[:-1]
        best[2, 2:] = score[:-2] + barred[2:]
        came[frame] = best.argmax(axis=0)
        score = best.max(axis=0) + log_probs[frame, states]
    path = np.empty(num_frames, np.int_)
    path[-1] = num_states - 1 if score[-1] > score[-2] else num_states - 2
    for frame in range(num_frames - 1, 0, -1):
        path[frame - 1] = path[frame] - came[frame, path[frame]]
    return path
