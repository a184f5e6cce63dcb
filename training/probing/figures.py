"""How well a probe tells takes apart, and how far a perturbation moves its scores, with intervals over texts.

A text is resampled with all its readings (see `training.evaluation.resampling`): every figure is a function of how
often each text was drawn, and the same draws serve all figures.

N takes · T texts · R replicates
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import ReleaseError
from training.evaluation.resampling import Figure, Interval, Sums, interval, replicates
from training.probing.cells import Cell
from training.probing.classifier import Scores
from training.probing.pairing import Flags, Places


@dataclass(frozen=True, slots=True)
class Resampled:
    """The texts of takes (N,) as numbers, and how often each text was drawn, (R, T)."""

    texts: Places
    drawn: Sums

    @classmethod
    def of(cls, texts: Places, *, number: int) -> "Resampled":
        """So many draws of all texts."""
        return cls(texts, replicates(np.eye(int(texts.max()) + 1), number=number))

    def mean(self, values: Scores, among: Flags) -> Interval:
        """The mean of the values (N,) of some takes."""
        return self._found(_share(self._by_text(np.where(among, values, 0)), self._by_text(among)))

    def accuracy(self, scores: Scores, labels: Flags) -> Interval:
        """The share of takes on the right side of even odds, the mean of that of either label."""
        known = np.isfinite(scores)
        right = known & ((scores > 0) == labels)
        sides = [
            _share(self._by_text(right & of_label), self._by_text(known & of_label)) for of_label in (labels, ~labels)
        ]
        texts = len(np.unique(self.texts[known]))
        return self._found(lambda weights: (sides[0](weights) + sides[1](weights)) / 2, texts=texts)

    def auc(self, positive: Scores, negative: Scores, labels: Flags, cells: Sequence[Cell]) -> Interval:
        """The area under the curve: how often a take that is so labelled has more of a score than one that is not.

        The first scores (N,) are read where a label is true, the second where it is not: takes of one kind may be
        perturbed and those of the other not. Only takes of one cell, which one model has scored, are compared.
        """
        number = self.drawn.shape[1]
        above, pairs = np.zeros((number, number)), np.zeros((number, number))
        for cell in cells:
            ours, theirs = cell.test[labels[cell.test]], cell.test[~labels[cell.test]]
            apart = positive[ours][:, None] - negative[theirs][None]  # (ours, theirs)
            places = (self.texts[ours][:, None], self.texts[theirs][None])
            np.add.at(above, places, (apart > 0) + 0.5 * (apart == 0))
            np.add.at(pairs, places, 1.0)
        return self._found(
            lambda weights: _divided(((weights @ above) * weights).sum(-1), ((weights @ pairs) * weights).sum(-1)),
            texts=int(np.count_nonzero(pairs.any(axis=0) | pairs.any(axis=1))),
        )

    def _by_text(self, values: NDArray[np.float64] | Flags) -> NDArray[np.float64]:
        summed = np.zeros(self.drawn.shape[1])
        np.add.at(summed, self.texts, values)
        return summed

    def _found(self, figure: Figure, *, texts: int | None = None) -> Interval:
        """``texts`` is how many the figure rests on, where one alone may have no value of it."""
        found = interval(figure, np.eye(self.drawn.shape[1]), self.drawn, groups=texts)
        if found is None:
            raise ReleaseError(
                "no cell has both real and synthetic takes to test: too few speakers and texts pair up; "
                "expected a few speakers of either kind and some dozen texts"
            )
        return found


def _share(over: NDArray[np.float64], under: NDArray[np.float64]) -> Figure:
    return lambda weights: _divided(weights @ over, weights @ under)


def _divided(over: NDArray[np.float64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.divide(over, under, out=np.full(np.shape(under), np.nan), where=under > 0)
    return found
