"""The probe: logistic regressions that tell synthetic from real takes by one vector each, where they were not trained.

N takes · W width of a layer
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.probing.cells import Cell, Grid
from training.probing.pairing import Flags, Readings

Vectors: TypeAlias = NDArray[np.float32]
"""One vector for each take, (N, W)."""

Scores: TypeAlias = NDArray[np.float64]
"""One number for each take, (N,); NaN where a take was not tested."""

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Inverse strengths of the L2 penalty to choose from."""

_UNCHOSEN = 1e-2
_INNER_GROUPS = 3
_MOST_STEPS = 500


@dataclass(frozen=True, slots=True)
class Probe:
    """One fitted regression for each cell; a take is scored by that of its cell, which knows neither speaker nor text.

    Takes of the two kinds weigh the same in all, however many there are.
    """

    cells: Sequence[Cell]
    models: Sequence[Any]

    def scores(self, vectors: Vectors) -> Scores:
        """The log odds, by these vectors, that each take is synthetic."""
        scores = np.full(len(vectors), np.nan)
        for cell, model in zip(self.cells, self.models, strict=True):
            scores[cell.test] = model.decision_function(vectors[cell.test])
        return scores


def fit(vectors: Vectors, labels: Flags, cells: Sequence[Cell], readings: Readings) -> Probe:
    """Fit the probe of one layer; ``labels`` (N,) say what it is to tell.

    Every cell standardises the vectors and chooses the strength of the penalty by what it trains on alone, the latter
    by cells within that, which again share neither speaker nor text.
    """
    return Probe(
        cells, [_fitted(vectors[cell.train], labels[cell.train], _inner(cell, labels, readings)) for cell in cells]
    )


def fit_quickly(vectors: Vectors, labels: Flags, cells: Sequence[Cell]) -> Probe:
    """The same without a choice of the penalty, a tenth of the work: for probes that are fitted by the hundred."""
    return Probe(cells, [_fitted(vectors[cell.train], labels[cell.train], ()) for cell in cells])


def probability(scores: Scores) -> Scores:
    """Log odds as probabilities."""
    return 1 / (1 + np.exp(-scores))


def _inner(cell: Cell, labels: Flags, readings: Readings) -> list[Cell]:
    speakers = [readings.speakers[place] for place in cell.train]
    texts = [readings.texts[place] for place in cell.train]
    kinds = readings.is_synthetic[cell.train]
    grid = Grid.of(speakers, texts, kinds, groups=_INNER_GROUPS)
    return Grid(grid.speakers, grid.texts, labels[cell.train]).diagonal()


def _fitted(vectors: Vectors, labels: Flags, inner: Sequence[Cell]) -> Any:
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    settings: dict[str, Any] = {"class_weight": "balanced", "max_iter": _MOST_STEPS}
    if inner:
        model = LogisticRegressionCV(
            Cs=STRENGTHS, cv=[(cell.train, cell.test) for cell in inner], scoring="neg_log_loss",
            l1_ratios=(0.0,), use_legacy_attributes=False, **settings,
        )  # fmt: skip
    else:
        model = LogisticRegression(C=_UNCHOSEN, **settings)
    return make_pipeline(StandardScaler(), model).fit(vectors.astype(np.float64), labels)
