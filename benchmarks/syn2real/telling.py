"""The experiment as Markdown: error rates of every row on every target, the curve over lambda, cosines; and plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import TypeAlias

from benchmarks.errors import Errors, errors_of, told
from benchmarks.figures import mean_reduction, wer
from benchmarks.syn2real.merges import SYNTHETIC, Tested, source_of
from training.merging.angles import CosineRow, Registered
from training.merging.choosing import Choice
from training.merging.plots import plot_choosing, plot_cosines

Heard: TypeAlias = Mapping[str, Mapping[str, Errors]]
"""Errors by row and target, means over seeds."""

APART = {
    "two domains, one engine": (True, False, False),
    "one domain, two engines": (False, True, False),
    "two domains, two engines": (True, True, False),
    "one domain, one engine, two seeds": (False, False, True),
}
"""What two vectors may differ in: domain, engine, seed."""


def heard(corpus: Path, found: Sequence[Tested], *, is_curve: bool) -> Heard:
    """What the rows of the table, or of the curve, have heard; rows in the order in which they came.

    A model that is the same for all seeds has one evaluation, which counts once.
    """
    ids: dict[str, dict[str, dict[str, None]]] = {}
    for each in found:
        if each.is_curve is is_curve:
            ids.setdefault(each.row, {}).setdefault(each.target, {})[each.evaluation_id] = None
    return {
        row: {target: errors_of(corpus, list(evaluations)) for target, evaluations in of_row.items()}
        for row, of_row in ids.items()
    }


def table(rows: Heard, found: Sequence[Tested]) -> list[str]:
    """WER of every row, and how much of the errors of target-synthetic is gone, over all targets that a row has."""
    targets = list(rows[SYNTHETIC])
    lines = [
        f"| | lambda | {' | '.join(targets)} | relative reduction, mean over targets |",
        "|---|---|" + "---:|" * (len(targets) + 1),
    ]
    for row, by_target in rows.items():
        cells = [told(wer(by_target[name]), ".1%") if name in by_target else "–" for name in targets]
        gone = mean_reduction([(errors, rows[SYNTHETIC][name]) for name, errors in by_target.items()])
        reduction = "" if row == SYNTHETIC else told(gone, "+.1%") + _of_targets(len(by_target), len(targets))
        lines.append(f"| {row} | {_scales(row, found)} | {' | '.join(cells)} | {reduction} |")
    return lines


def curve(rows: Heard, base: Mapping[str, Errors]) -> list[str]:
    """The error rate over lambda, the plain mean of all sources added; at 0 that is target-synthetic, ``base``."""
    targets = list(base)
    lines = [f"| lambda | {' | '.join(targets)} | mean |", "|---|" + "---:|" * (len(targets) + 1)]
    for scale, by_target in {"0": base, **rows}.items():
        found = [wer(by_target[name]) for name in targets]
        middle = mean(each.value for each in found if each is not None)
        lines.append(f"| {scale} | {' | '.join(told(each, '.1%') for each in found)} | {middle:.1%} |")
    return lines


def draw_curve(rows: Heard, base: Mapping[str, Errors], to: Path) -> None:
    """The same as a plot."""
    points = []
    for scale, by_target in {"0": base, **rows}.items():
        for target, errors in by_target.items():
            found = wer(errors)
            if found is not None:
                counts = (len(errors.errors), int(errors.words.sum()))
                points.append(Choice(target, float(scale), found.value, found.low, found.high, *counts))
    plot_choosing(points, None, to, heard="the target")


def cosines(found: Registered) -> list[str]:
    """Cosines between vectors: of two domains by one engine, and of two engines in one domain; all parameters."""
    names = [row.name for row in found.vectors if row.name not in found.gone]
    by_pair = {(row.one, row.other): row.cosine for row in found.cosines if not row.part}
    lines = [f"| | {' | '.join(names)} |", "|---|" + "---:|" * len(names)]
    for one in names:
        cells = [by_pair.get((one, other), by_pair.get((other, one))) for other in names]
        lines.append(f"| {one} | {' | '.join('–' if cell is None else f'{cell:+.3f}' for cell in cells)} |")
    for told_as, apart in APART.items():
        values = [row.cosine for row in _pairs(found) if _apart(row) == apart and row.cosine is not None]
        if values:
            lines += ["", f"{told_as}: {mean(values):+.3f} on the mean, {min(values):+.3f} to {max(values):+.3f}"]
    return lines


def report(to: Path, corpus: Path, found: Sequence[Tested], vectors: Registered) -> str:
    """All of it, heard in ``corpus``; the plots are curve.svg and cosines.svg in the folder ``to``."""
    rows, points = heard(corpus, found, is_curve=False), heard(corpus, found, is_curve=True)
    draw_curve(points, rows[SYNTHETIC], to / "curve.svg")
    plot_cosines(vectors, to / "cosines.svg")
    parts = [table(rows, found), curve(points, rows[SYNTHETIC]), cosines(vectors)]
    return "\n\n".join("\n".join(part) for part in parts)


def _scales(row: str, found: Sequence[Tested]) -> str:
    """The lambdas of a row over targets and seeds."""
    scales = sorted({each.scale for each in found if each.row == row and each.scale is not None and not each.is_curve})
    return ", ".join(f"{scale:g}" for scale in scales)


def _of_targets(number: int, of: int) -> str:
    return "" if number == of else f", {number} of {of} targets"


def _pairs(found: Registered) -> list[CosineRow]:
    return [row for row in found.cosines if not row.part and row.one_id != row.other_id]


def _apart(row: CosineRow) -> tuple[bool, bool, bool]:
    """Whether two vectors are of different domains, engines and seeds."""
    one, other = source_of(row.one), source_of(row.other)
    return one[0] != other[0], one[1] != other[1], one[2] != other[2]
