"""What `synthgen erosion` has stored of a corpus, as points to draw: along a job, and from release to release."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from curation.bootstrap import Estimate
from curation.report.findings import PointFigure
from curation.sets.erosion import REVISION, STRETCHES, Erosion, Point, Warned, limit_of, watch
from curation.sets.signs import FIGURES, Figure

_STRETCH = re.compile(r"takes (?P<first>\d+)-(?P<last>\d+)")
_LEAST_ALPHAS = 0.01
"""Points whose shares of synthetic differ by less are drawn in their order instead."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure at one point: its place along the axis, its value, and beyond which limit it has left the baseline.

    ``limit`` is None at the baseline itself.
    """

    place: float
    point: Point
    found: Estimate
    limit: float | None
    has_left: bool


@dataclass(frozen=True, slots=True)
class Series:
    """Points in their order, the baseline first, each at a place along ``axis``; and what was found to have left.

    ``rows`` is all that the points were chosen from.
    """

    name: str
    axis: str
    places: tuple[float, ...]
    is_of_alpha: bool
    seen: Erosion
    rows: tuple[PointFigure, ...]

    @property
    def points(self) -> tuple[Point, ...]:
        """The baseline, and what came after it."""
        return (self.seen.baseline, *self.seen.points)

    @property
    def figures(self) -> list[Figure]:
        """What the baseline was measured for."""
        return [figure for figure in FIGURES if figure.name in self.seen.baseline.figures]

    def marks(self, figure: Figure) -> list[Mark]:
        """A figure at every point that has it."""
        before = self.seen.baseline.figures[figure.name]
        sign = 1.0 if figure.worse == "higher" else -1.0
        marks = [Mark(self.places[0], self.seen.baseline, before, None, has_left=False)]
        for place, point in zip(self.places[1:], self.seen.points, strict=True):
            now = point.figures.get(figure.name)
            if now is not None:
                limit = limit_of(figure, now, before, self.seen.deviations)
                marks.append(Mark(place, point, now, limit, has_left=sign * (now.value - limit) > 0))
        return marks

    def left(self, figure: Figure) -> Warned | None:
        """Where a figure left its baseline first; None if it has not."""
        return next((warned for warned in self.seen.warnings if warned.figure == figure.name), None)

    def place_of(self, warned: Warned) -> float:
        """Where along the axis that was: between two points where the axis is a share, else at a point."""
        if self.is_of_alpha:
            return 100 * warned.alpha
        return next(at for at, point in zip(self.places, self.points, strict=True) if point.name == warned.point)


def series_of(rows: Sequence[PointFigure]) -> list[Series]:
    """What there is to draw: a series needs a baseline and one point after it, comparable and of this `REVISION`."""
    of_job = [row for row in rows if row.release is None]
    of_releases = [row for row in rows if row.release is not None]
    found = [_along_job(of_job), _over_releases(of_releases)]
    return [series for series in found if series]


def _along_job(rows: Sequence[PointFigure]) -> Series | None:
    """Of the standards by which stretches were made comparable, that which comes farthest."""
    tilings = []
    for points in _comparable(rows):
        matched = [(_STRETCH.fullmatch(point.name), point) for point in points]
        tilings.append(_tiling([(int(match["first"]), int(match["last"]), point) for match, point in matched if match]))
    tiles = max(tilings, key=lambda found: (found[-1][1] if found else 0, len(found)), default=[])
    order = [float(last) for _, last, _ in tiles]
    found = [point for *_, point in tiles]
    return _series("along the job", found, order, axis="takes so far", rows=rows, of=STRETCHES)


def _over_releases(rows: Sequence[PointFigure]) -> Series | None:
    """Of the standards by which releases were made comparable, that of most of them; of equals the latest."""
    found = max(reversed(_comparable(rows)), key=len, default=[])
    points = sorted(found, key=lambda point: point.alpha)  # stable: of equals the oldest comes first
    order = [float(number) for number in range(1, len(points) + 1)]
    return _series("from release to release", points, order, axis="releases", rows=rows)


def _series(
    name: str,
    points: Sequence[Point],
    order: Sequence[float],
    *,
    axis: str,
    rows: Sequence[PointFigure],
    of: int = 0,
) -> Series | None:
    """Along the share of synthetic, or, if that is the same everywhere, in this order."""
    if len(points) <= 1:
        return None
    seen, alphas = watch(points[0], points[1:], of=of), [point.alpha for point in points]
    if max(alphas) - min(alphas) >= _LEAST_ALPHAS:
        places = tuple(100 * alpha for alpha in alphas)
        return Series(name, "α, % synthetic", places, is_of_alpha=True, seen=seen, rows=tuple(rows))
    told = f"{axis} (α {alphas[0]:.0%})"
    return Series(name, told, tuple(order), is_of_alpha=False, seen=seen, rows=tuple(rows))


def _comparable(rows: Sequence[PointFigure]) -> list[list[Point]]:
    """The points of each standard, those standards last that come last."""
    grouped: dict[str, list[Point]] = {}
    for point in _points([row for row in rows if row.version.partition("/")[0] == REVISION]):
        grouped[point.standard] = [*grouped.pop(point.standard, []), point]
    return list(grouped.values())


def _points(rows: Sequence[PointFigure]) -> list[Point]:
    """The points that these figures belong to, in the order they come."""
    grouped: dict[tuple[str, str, str], list[PointFigure]] = defaultdict(list)
    for row in rows:
        grouped[row.set_id, row.subset, row.version].append(row)
    return [
        Point(
            name=rows[0].release or rows[0].subset,
            alpha=rows[0].alpha,
            num_takes=rows[0].num_takes,
            figures={row.metric: Estimate(row.value, row.num_items, row.low, row.high) for row in rows},
            takes_hash=version.split("/")[1],
            standard="/".join(version.split("/")[2:]),
        )
        for (_, _, version), rows in grouped.items()
    ]


def _tiling(stretches: Sequence[tuple[int, int, Point]]) -> list[tuple[int, int, Point]]:
    """Of the stretches of every time it was measured, those that go without a gap from the first take farthest.

    A job that grew, or was measured in stretches of another size, has several such rows; the finest is taken.
    """
    best: dict[int, list[tuple[int, int, Point]]] = {0: []}
    for first, last, point in sorted(stretches, key=lambda stretch: stretch[:2][::-1]):
        before = best.get(first - 1)
        if before is not None and len(before) + 1 > len(best.get(last, ())):
            best[last] = [*before, (first, last, point)]
    return best[max(best)]
