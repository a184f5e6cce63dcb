"""The experiment as Markdown: error rates of every row on every target, the curve over lambda, cosines; and plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.errors import Errors, errors_of, told
from benchmarks.figures import mean_points, mean_reduction, wer
from benchmarks.syn2real.merges import SYNTHETIC, Tested, source_of
from training.evaluation.resampling import Groups
from training.merging.angles import CosineRow, Registered
from training.merging.choosing import Choice
from training.merging.plots import plot_choosing, plot_cosines


@dataclass(frozen=True)
class Row:
    """The errors of a row by target, means over its seeds, and those of target-synthetic of the same seeds."""

    num_seeds: int
    errors: Mapping[str, Errors]
    base: Mapping[str, Errors]


APART = {
    "two domains, one engine": (True, False, False),
    "one domain, two engines": (False, True, False),
    "two domains, two engines": (True, True, False),
    "one domain, one engine, two seeds": (False, False, True),
}
"""What two vectors may differ in: domain, engine, seed."""


def heard(corpus: Path, found: Sequence[Tested], *, is_curve: bool) -> dict[str, Row]:
    """What the rows of the table, or of the curve, have heard; rows in the order in which they came.

    A model that is the same for all seeds has one evaluation, which counts once.
    """
    rows: dict[str, Row] = {}
    for name in dict.fromkeys(each.row for each in found if each.is_curve is is_curve):
        of_row = [each for each in found if each.row == name and each.is_curve is is_curve]
        targets, seeds = dict.fromkeys(each.target for each in of_row), {each.seed for each in of_row}
        base = [each for each in found if each.row == SYNTHETIC and each.seed in seeds]
        rows[name] = Row(
            len(seeds),
            {target: _errors(corpus, of_row, target) for target in targets},
            {target: _errors(corpus, base, target) for target in targets},
        )
    return rows


def _errors(corpus: Path, found: Sequence[Tested], target: str) -> Errors:
    return errors_of(corpus, list(dict.fromkeys(each.evaluation_id for each in found if each.target == target)))


def intervals(rows: Mapping[str, Row]) -> list[str]:
    """What intervals of the targets are over, and where there are none."""
    alone = [name for name, errors in rows[SYNTHETIC].errors.items() if Groups.of(errors.speakers).unit != "speakers"]
    over = f"; of {' and '.join(alone)}, whose tests have one speaker, over utterances" if alone else ""
    none = f"A mean has none where too few of them tell of a target: of a reduction, those in whom {SYNTHETIC} errs."
    return [f"95 % intervals over speakers{over}. {none}"]


def table(rows: Mapping[str, Row], found: Sequence[Tested]) -> list[str]:
    """WER of every row, and how much lower it is than target-synthetic's, over all targets that a row has.

    That is told in points, and as the share of errors that is gone, to which a target with few errors adds much.
    """
    targets = list(rows[SYNTHETIC].errors)
    lines = [
        f"| | seeds | lambda | {' | '.join(targets)} | points less, mean over targets | relative reduction, the same |",
        "|---|---:|---|" + "---:|" * (len(targets) + 2),
    ]
    for name, row in rows.items():
        cells = [told(wer(row.errors[target]), ".1%") if target in row.errors else "–" for target in targets]
        pairs = [(errors, row.base[target]) for target, errors in row.errors.items()]
        less = ["", ""]
        if name != SYNTHETIC:
            gone = told(mean_reduction(pairs), "+.1%") + _of_targets(len(row.errors), len(targets))
            less = [told(mean_points(pairs), "+.1f"), gone]
        lines.append(f"| {name} | {row.num_seeds} | {_scales(name, found)} | {' | '.join([*cells, *less])} |")
    return lines


def curve(points: Mapping[str, Row]) -> list[str]:
    """The error rate over lambda, the plain mean of all sources added; at 0 that is target-synthetic."""
    by_scale = _with_none(points)
    targets = list(by_scale["0"])
    lines = [f"| lambda | {' | '.join(targets)} | mean |", "|---|" + "---:|" * (len(targets) + 1)]
    for scale, by_target in by_scale.items():
        found = [wer(by_target[name]) for name in targets]
        middle = mean(each.value for each in found if each is not None)
        lines.append(f"| {scale} | {' | '.join(told(each, '.1%') for each in found)} | {middle:.1%} |")
    return lines


def _with_none(points: Mapping[str, Row]) -> dict[str, Mapping[str, Errors]]:
    """Errors by lambda and target, without any vector first."""
    (first, *_) = points.values()
    return {"0": first.base} | {scale: row.errors for scale, row in points.items()}


def draw_curve(points: Mapping[str, Row], to: Path) -> None:
    """The same as a plot."""
    choices = []
    for scale, by_target in _with_none(points).items():
        for target, errors in by_target.items():
            found = wer(errors)
            if found is not None:
                counts = (len(errors.errors), int(errors.words.sum()))
                choices.append(Choice(target, float(scale), found.value, found.low, found.high, *counts))
    plot_choosing(choices, None, to, heard="the target")


def cosines(found: Registered) -> list[str]:
    """Cosines between vectors: of two domains by one engine, and of two engines in one domain; all parameters."""
    names = [row.name for row in found.vectors if row.id not in found.gone]
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
    draw_curve(points, to / "curve.svg")
    plot_cosines(vectors, to / "cosines.svg")
    parts = [intervals(rows), table(rows, found), curve(points), cosines(vectors)]
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
