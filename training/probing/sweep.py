"""The perturbation sweep: a probe that was fitted on takes as they are scores takes as they are not.

What fools it need not have made synthetic speech any more real, so a second probe is fitted on perturbed synthetic
takes and real ones as they are. It may go by the perturbation itself; a third is fitted on takes that are all perturbed
alike, and where it tells nothing apart, the perturbation has destroyed what gave synthetic speech away.
"""

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
    this kind against takes of the other as they are, by the probe as it was.

    What follows is in the rows of synthetic takes. ``auc_anew`` is by a probe that was fitted on perturbed synthetic
    takes against real ones as they are: whether perturbing could hide them among real speech. A mark that the
    perturbation leaves on whatever it touches keeps it high. ``auc_both`` sets takes of either kind against each other
    when all are perturbed, by the probe as it was, ``auc_both_anew`` by one that was fitted on just these: 0.5 if the
    perturbation destroys all that a probe could go by.
    """

    perturbation: str
    layer: str
    kind: Kind
    p_synthetic: Interval
    shift: Interval
    shift_log_odds: Interval
    auc: Interval
    auc_anew: Interval | None
    auc_both: Interval | None
    auc_both_anew: Interval | None


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
    labels = bench.readings.is_synthetic
    for layer, probe in probes.items():
        were, are = probe.scores(before[layer]), probe.scores(after[layer])
        told = (
            _told_anew(bench, np.where(labels[:, None], after[layer], before[layer])),
            bench.resampled.auc(are, are, labels, bench.cells),
            _told_anew(bench, after[layer]),
        )
        for is_synthetic in (True, False):
            figures = _figures(bench, were, are, is_synthetic=is_synthetic)
            kind: Kind = "synthetic" if is_synthetic else "real"
            rows.append(SweepRow(perturbation, layer.name, kind, *figures, *(told if is_synthetic else (None,) * 3)))
    return rows


def _figures(
    bench: Bench, were: Scores, are: Scores, *, is_synthetic: bool
) -> tuple[Interval, Interval, Interval, Interval]:
    """The first figures of a row, where the scores (N,) of one kind are no longer what they were."""
    labels, draws = bench.readings.is_synthetic, bench.resampled
    among = (labels == is_synthetic) & np.isfinite(were)
    shift = probability(are) - probability(were)
    auc = draws.auc(are if is_synthetic else were, were if is_synthetic else are, labels, bench.cells)
    return draws.mean(probability(are), among), draws.mean(shift, among), draws.mean(are - were, among), auc


def _told_anew(bench: Bench, vectors: Vectors) -> Interval:
    """How well takes are told apart by these vectors, of a probe that was fitted on them."""
    probe = bench.probe_anew(vectors)
    scores = probe.scores(vectors)
    return bench.resampled.auc(scores, scores, bench.readings.is_synthetic, probe.cells)
