"""Plots of erosion: a figure along the share of synthetic, its interval, and where it leaves its baseline.

Every mark has a form besides its colour: the baseline is a ring, a point inside a disc, one that has left a triangle.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from catalogs.ids import content_id
from curation.report.erosion import Mark, Series
from curation.report.svg import Frame, Scale, axes, element, number, path, picture, text
from curation.sets.erosion import Point, Warned
from curation.sets.signs import Figure

_WIDTH, _HEIGHT = 320, 190
_LEFT, _RIGHT, _TOP, _FLOOR = 46, 12, 22, 40
_MIDDLE = 0.55
_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure of a series: what it is, where it gave way (None: nowhere), and how that is drawn."""

    figure: Figure
    left: Warned | None
    drawn: Markup


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point as a row of a table: a cell for each figure, and whether it has left its baseline there."""

    point: Point
    cells: tuple[tuple[str, bool], ...]


def erosion_plots(series: Series) -> list[Plot]:
    """A plot for each figure that the baseline was measured for."""
    return [Plot(figure, series.left(figure), _plot(series, figure)) for figure in series.figures]


def point_rows(series: Series) -> list[PointRow]:
    """The same as a table, the baseline first."""
    marks = [{mark.point.name: mark for mark in series.marks(figure)} for figure in series.figures]
    return [PointRow(point, tuple(_cell(held.get(point.name)) for held in marks)) for point in series.points]


def _plot(series: Series, figure: Figure) -> Markup:
    marks = series.marks(figure)
    frame = _frame(series, marks)
    baseline_y = frame.up.at(marks[0].found.value)
    parts = axes(frame, most=(4, 4))
    parts.append(text(series.axis, (_WIDTH - _RIGHT, _HEIGHT - 6), class_="label", text_anchor="end"))
    parts.append(_line("baseline", (frame.across.start, frame.across.end), (baseline_y, baseline_y)))
    parts.append(path(_band(frame, marks), class_="band"))
    limits = [frame.at(mark.place, mark.limit) for mark in marks if mark.limit is not None]
    parts.append(path(limits, class_="limit", fill="none"))
    parts.append(path([frame.at(mark.place, mark.found.value) for mark in marks], class_="curve"))
    left = series.left(figure)
    parts += _crossing(series, left, frame=frame) if left else []
    parts += [_mark(mark, frame.at(mark.place, mark.found.value), figure=figure) for mark in marks]
    return picture(
        f"erosion-{content_id(series.name, figure.name)}",
        title=f"{figure.name} {series.name}",
        text=_told(figure, marks, left),
        size=(_WIDTH, _HEIGHT),
        parts=parts,
    )


def _frame(series: Series, marks: Sequence[Mark]) -> Frame:
    ends = [end for mark in marks for end in (mark.found.low, mark.found.high, mark.limit) if end is not None]
    margin = 0.06 * (max(ends) - min(ends))
    return Frame(
        Scale(min(series.places), max(series.places), _LEFT, _WIDTH - _RIGHT),
        Scale(min(ends) - margin, max(ends) + margin, _HEIGHT - _FLOOR, _TOP),
    )


def _band(frame: Frame, marks: Sequence[Mark]) -> list[tuple[float, float]]:
    lows = [frame.at(mark.place, mark.found.low) for mark in marks]
    highs = [frame.at(mark.place, mark.found.high) for mark in marks]
    return [*lows, *reversed(highs)]


def _crossing(series: Series, left: Warned, *, frame: Frame) -> list[Markup]:
    """A line down where the figure leaves its baseline, with the place written at its head."""
    x = frame.across.at(series.place_of(left))
    where = f"left at α {left.alpha:.0%}" if series.is_of_alpha else f"left at {_short(left.point)}"
    is_late = x > frame.across.start + _MIDDLE * (frame.across.end - frame.across.start)
    at = (x - 4 if is_late else x + 4, 14)
    return [
        _line("crossing", (x, x), (frame.up.start, 6)),
        text(where, at, class_="name out", text_anchor="end" if is_late else "start"),
    ]


def _mark(mark: Mark, at: tuple[float, float], *, figure: Figure) -> Markup:
    x, y = at
    told = element("title", _one(mark))
    if mark.has_left:
        up = -1 if figure.worse == "higher" else 1
        return element("path", told, class_="mark out", d=f"M{x:.1f} {y + 6 * up:.1f}l5 {-9 * up}h-10z")
    kind = "all" if mark.limit is None else "kept"
    return element("circle", told, class_=f"mark {kind}", cx=x, cy=y, r=4)


def _line(kind: str, across: tuple[float, float], up: tuple[float, float]) -> Markup:
    return element("line", class_=kind, x1=across[0], x2=across[1], y1=up[0], y2=up[1])


def _told(figure: Figure, marks: Sequence[Mark], left: Warned | None) -> str:
    first = f"{figure.name}, {figure.unit}, {figure.worse} is worse. Baseline {_one(marks[0])}."
    rest = "; ".join(_one(mark) for mark in marks[1:])
    return f"{first} {rest}. {left.text() if left else 'It has not left its baseline'}."


def _one(mark: Mark) -> str:
    point, found = mark.point, mark.found
    value = f"{number(found.value)} ({number(found.low)} to {number(found.high)})"
    return f"{point.name}, α {point.alpha:.0%}: {value}{', has left' if mark.has_left else ''}"


def _cell(mark: Mark | None) -> tuple[str, bool]:
    if mark is None:
        return "–", False
    found = mark.found
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})", mark.has_left


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
