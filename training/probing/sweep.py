"""The perturbation sweep: a probe that was fitted on takes as they are scores takes as they are not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.evaluation.resampling import Interval
from training.probing.activations import Layer
from training.probing.classifier import Probe, Scores, Vectors, probability
from training.probing.layers import Bench

Kind = Literal["real", "synthetic"]


@dataclass(frozen=True, slots=True)
class SweepRow:
    """What a perturbation of the takes of one kind does to the scores that a layer's probe gives them.

    ``p_synthetic`` is the mean probability of being synthetic that perturbed takes have, ``shift`` how much more that
    is than before, ``shift_log_odds`` the same in log odds, which do not saturate. ``auc`` sets perturbed takes of
    this kind against takes of the other as they are.
    """

    perturbation: str
    layer: str
    kind: Kind
    p_synthetic: Interval
    shift: Interval
    shift_log_odds: Interval
    auc: Interval


def sweep_rows(
    perturbation: str,
    bench: Bench,
    probes: Mapping[Layer, Probe],
    *,
    before: Mapping[Layer, Vectors],
    after: Mapping[Layer, Vectors],
) -> list[SweepRow]:
    """The rows of one perturbation, by the vectors of all takes before and after it."""
    rows = []
    for layer, probe in probes.items():
        were, are = probe.scores(before[layer]), probe.scores(after[layer])
        for is_synthetic in (True, False):
            figures = _figures(bench, were, are, is_synthetic=is_synthetic)
            rows.append(SweepRow(perturbation, layer.name, "synthetic" if is_synthetic else "real", *figures))
    return rows


def _figures(bench: Bench, were: Scores, are: Scores, *, is_synthetic: bool) -> tuple[Interval, ...]:
    """The figures of a row, where the scores (N,) of one kind are no longer what they were."""
    labels, draws = bench.readings.is_synthetic, bench.resampled
    among = (labels == is_synthetic) & np.isfinite(were)
    shift = probability(are) - probability(were)
    auc = draws.auc(are if is_synthetic else were, were if is_synthetic else are, labels, bench.cells)
    return draws.mean(probability(are), among), draws.mean(shift, among), draws.mean(are - were, among), auc
