"""A probe in words, for people."""

from collections.abc import Iterator

from training.evaluation.resampling import Interval
from training.probing.report import Report


def told(report: Report) -> str:
    """The layers as a table, and for each perturbation the layer that it moves most."""
    return "\n".join((*_of_layers(report), *_of_sweep(report)))


def _of_layers(report: Report) -> Iterator[str]:
    about = report.about
    yield (
        f"{about.real_takes:,} real takes of {about.real_speakers:,} speakers and {about.synthetic_takes:,} synthetic "
        f"ones of {about.synthetic_speakers:,}, of {about.num_texts:,} texts"
    )
    yield "synthetic against real, on speakers and texts held out; 95 % intervals over texts"
    yield f"  {'layer':<18} {'auc':<24} {'accuracy':<24} {'auc, random labels':<24}".rstrip()
    for row in report.layers:
        cells = (row.auc, row.accuracy, row.random_auc)
        yield f"  {row.layer:<18} {' '.join(f'{_written(cell):<24}' for cell in cells)}".rstrip()


def _of_sweep(report: Report) -> Iterator[str]:
    if not report.sweep:
        return
    yield "shift of P(synthetic) by perturbing synthetic takes, where it is greatest; auc of probes fitted anew"
    yield f"  {'perturbation':<18} {'shift':<26} {'layer':<18} {'auc, real as they are':<24} auc, all perturbed"
    for name in dict.fromkeys(row.perturbation for row in report.sweep):
        rows = (row for row in report.sweep if row.perturbation == name and row.kind == "synthetic")
        most = max(rows, key=lambda row: abs(row.shift.value))
        anew, both = ("" if auc is None else _written(auc) for auc in (most.auc_anew, most.auc_both_anew))
        yield f"  {name:<18} {_written(most.shift, sign='+'):<26} {most.layer:<18} {anew:<24} {both}".rstrip()


def _written(found: Interval, *, sign: str = "") -> str:
    within = "" if found.low is None or found.high is None else f" [{found.low:{sign}.3f}, {found.high:{sign}.3f}]"
    return f"{found.value:{sign}.3f}{within}"
