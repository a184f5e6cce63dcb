"""Coverage: choosing takes so that every kind of them is there, and none crowds out the others.

The reward of a set is a sum over *features* (voice, domain, a band of pitch, …, their combination, and the text) of
the square roots of what the set holds of each value of the feature: the tenth take of a kind adds less than the first.
It is monotone and submodular (a feature-based function, Wei et al. 2014), so the greedy choice has at least 1 - 1/e of
the best reward there is for so many takes, 1/2 with a limit per text (Nemhauser et al. 1978). A feature of V values is
weighed by 1/√V, which makes an evenly filled feature count the same however fine it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """What can be chosen from, N takes in an order that breaks ties.

    ``features`` (N, F) says which value of each feature a take has, ``texts`` (N,) which text it reads, both counted
    from 0; ``merits`` (N,) in (0, 1] is how much of a take counts.
    """

    features: Ints
    texts: Ints
    merits: Floats


def reward(pool: Pool, chosen: Sequence[int]) -> float:
    """The reward of a set of takes."""
    picked = np.asarray(chosen, np.int64)
    held = [(cells, pool.merits[picked]) for cells in _with_cell(pool.features).T]
    held.append((pool.texts, np.ones(len(picked))))
    return float(sum(_feature_reward(values, picked, weights) for values, weights in held))


def in_order(pool: Pool, *, per_text: int | None = None) -> Iterator[int]:
    """Takes by their place in ``pool``, each the one that adds most reward to those before; ties by place.

    At most ``per_text`` of a text come. A beginning of the sequence is what the greedy choice of that many takes is.
    """
    return _Greedy(pool, per_text or len(pool.texts)).run()


class _Greedy:
    """The lazy greedy algorithm (Minoux 1978), over groups of takes instead of single ones.

    Takes that share all features and of whose text equally many are chosen differ in merit alone, so of such a group
    only the best can be next. A group's key in ``_heap`` is never below its true gain: gains only fall.
    """

    def __init__(self, pool: Pool, per_text: int) -> None:
        cells = _with_cell(pool.features)
        counts = cells.max(axis=0) + 1 if len(cells) else np.zeros(cells.shape[1], np.int64)
        starts = np.cumsum(counts) - counts
        self._cells: list[int] = cells[:, -1].tolist()
        self._texts: list[int] = pool.texts.tolist()
        self._merits: list[float] = pool.merits.tolist()
        self._per_text = per_text
        self._text_scale = 1 / sqrt(max(len(set(self._texts)), 1))
        self._scales: list[float] = (1 / np.sqrt(np.maximum(counts, 1))).tolist()
        _, firsts = np.unique(cells[:, -1], return_index=True)
        self._values: list[list[int]] = (cells[firsts] + starts).tolist()
        self._held = [0.0] * int(counts.sum())
        self._chosen_of = [0] * (max(self._texts, default=-1) + 1)
        self._groups: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
        for n, cell in enumerate(self._cells):
            self._groups[cell, 0].append((-self._merits[n], n))
        for group in self._groups.values():
            heapify(group)
        self._heap: list[tuple[float, int, tuple[int, int]]] = []

    def run(self) -> Iterator[int]:
        """Takes in the order of the greedy choice."""
        for key in list(self._groups):
            self._offer(key)
        while self._heap:
            gain, n, key = heappop(self._heap)
            best = self._best(key)
            if best != (gain, n):
                self._offer(key, best)
                continue
            heappop(self._groups[key])
            self._choose(n)
            self._offer(key)
            yield n

    def _offer(self, key: tuple[int, int], best: tuple[float, int] | None = None) -> None:
        best = best or self._best(key)
        if best:
            heappush(self._heap, (*best, key))

    def _best(self, key: tuple[int, int]) -> tuple[float, int] | None:
        """The best take of a group with its gain, negated; those whose text has been chosen since move on."""
        cell, copies = key
        group = self._groups[key]
        while group:
            merit, n = group[0]
            now = self._chosen_of[self._texts[n]]
            if now == copies:
                return -self._gain(cell, -merit, copies), n
            heappop(group)
            if now < self._per_text:
                heappush(self._groups[cell, now], (merit, n))
                self._offer((cell, now))
        return None

    def _gain(self, cell: int, merit: float, copies: int) -> float:
        gain = self._text_scale * (sqrt(copies + 1) - sqrt(copies))
        for value, scale in zip(self._values[cell], self._scales, strict=True):
            held = self._held[value]
            gain += scale * (sqrt(held + merit) - sqrt(held))
        return gain

    def _choose(self, n: int) -> None:
        self._chosen_of[self._texts[n]] += 1
        for value in self._values[self._cells[n]]:
            self._held[value] += self._merits[n]


def _with_cell(features: Ints) -> Ints:
    """The features and, as the last one, their combination, (N, F + 1)."""
    if not features.shape[1]:
        return np.zeros((len(features), 1), np.int64)
    _, cells = np.unique(features, axis=0, return_inverse=True)
    return np.column_stack([features, cells.reshape(-1)]).astype(np.int64)


def _feature_reward(values: Ints, picked: Ints, weights: Floats) -> float:
    held = np.bincount(values[picked], weights, minlength=1)
    return float(np.sqrt(held).sum() / sqrt(max(len(np.unique(values)), 1)))
