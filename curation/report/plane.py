"""The plane of stability and expressivity: word errors against pitch spread, of voices and of releases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from curation.report.svg import Frame, Scale, axes, element, path, picture, text

_WIDTH, _HEIGHT = 940, 440
_LEFT = 46
_MOST_NAMES = 24
_LETTER_WIDTH, _LINE_HEIGHT = 6.6, 13.0


@dataclass(frozen=True, slots=True)
class Point:
    """A set of takes on the plane: all takes of a voice, what was kept of them, or a release."""

    name: str
    wer: float
    f0_sd_st: float
    takes: int
    kind: Literal["all", "kept", "release"]


@dataclass(frozen=True, slots=True)
class _Spot:
    """A point, and its pixels."""

    point: Point
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle in pixels."""

    left: float
    right: float
    top: float
    bottom: float

    def touches(self, other: "_Box") -> bool:
        """Whether the two have a point in common."""
        is_beside = self.right < other.left or other.right < self.left
        return not (is_beside or self.bottom < other.top or other.bottom < self.top)


def plane(points: Sequence[Point]) -> Markup | None:
    """Stability (fewer errors, to the left) against expressivity (more spread, up); None without points.

    A dotted line joins what a voice read with what was kept of it; the staircase is the front of the kept.
    """
    if not points:
        return None
    frame = _frame(points)
    spots = [_Spot(point, *frame.at(100 * point.wer, point.f0_sd_st)) for point in points]
    parts = axes(frame, most=(8, 6))
    parts.append(text("F0 spread, semitones (expressive is up)", (12, 12), class_="label"))
    below = (_WIDTH - 16, _HEIGHT - 6)
    parts.append(text("word error rate, % (stable to the left)", below, class_="label", text_anchor="end"))
    parts += [path(_stairs(_front(spots), frame), class_="front"), *_joins(spots)]
    parts += [_mark(spot) for spot in spots]
    return picture(
        "plane",
        title="Stability and expressivity",
        text="One mark a voice before and after judging, and one a release; the table below has the numbers.",
        size=(_WIDTH, _HEIGHT),
        parts=[*parts, *_names(spots)],
    )


def _frame(points: Sequence[Point]) -> Frame:
    spreads = [point.f0_sd_st for point in points]
    margin = 0.12 * (max(spreads) - min(spreads)) or 0.5
    widest = 100 * max(1.12 * max(point.wer for point in points), 0.01)
    return Frame(
        Scale(0, widest, _LEFT, _WIDTH - 16),
        Scale(max(0.0, min(spreads) - margin), max(spreads) + margin, _HEIGHT - 44, 14),
    )


def _front(spots: Sequence[_Spot]) -> list[_Spot]:
    """The kept sets that no other kept set beats on both axes, from the most stable on."""
    kept = [spot for spot in spots if spot.point.kind == "kept"]
    front: list[_Spot] = []
    for spot in sorted(kept, key=lambda spot: (spot.point.wer, -spot.point.f0_sd_st)):
        if not front or spot.point.f0_sd_st > front[-1].point.f0_sd_st:
            front.append(spot)
    return front


def _stairs(front: Sequence[_Spot], frame: Frame) -> list[tuple[float, float]]:
    """The corners of the front, from the floor to the right edge."""
    height, corners = frame.up.start, list[tuple[float, float]]()
    for spot in front:
        corners += [(spot.x, height), (spot.x, spot.y)]
        height = spot.y
    return [*corners, (frame.across.end, height)] if corners else []


def _joins(spots: Sequence[_Spot]) -> list[Markup]:
    kept = {spot.point.name: spot for spot in spots if spot.point.kind == "kept"}
    pairs = [(s, kept[s.point.name]) for s in spots if s.point.kind == "all" and s.point.name in kept]
    return [path([(a.x, a.y), (b.x, b.y)], class_="join") for a, b in pairs]


def _mark(spot: _Spot) -> Markup:
    point = spot.point
    figures = f"WER {point.wer:.1%}, {point.f0_sd_st:.2f} st, {point.takes:,} takes"
    told = element("title", f"{point.name}, {point.kind}: {figures}")
    if point.kind == "release":
        return element("path", told, class_="mark release", d=f"M{spot.x:.1f} {spot.y - 9:.1f}l9 9l-9 9l-9 -9z")
    return element("circle", told, class_=f"mark {point.kind}", cx=spot.x, cy=spot.y, r=5)


def _names(spots: Sequence[_Spot]) -> list[Markup]:
    """Names beside the marks, each where it touches nothing if there is such a place; those of most spread only."""
    named = [spot for spot in spots if spot.point.kind != "all"] or list(spots)
    taken = [_Box(spot.x - 6, spot.x + 6, spot.y - 6, spot.y + 6) for spot in spots]
    parts = []
    for spot in sorted(named, key=lambda spot: -spot.point.f0_sd_st)[:_MOST_NAMES]:
        places = [place for place in _places(spot) if place.left > _LEFT and place.right < _WIDTH]
        free = next((place for place in places if not any(map(place.touches, taken))), places[0])
        taken.append(free)
        at = ((free.left + free.right) / 2, free.bottom - 3)
        parts.append(text(spot.point.name, at, class_=f"name {spot.point.kind}", text_anchor="middle"))
    return parts


def _places(spot: _Spot) -> list[_Box]:
    """Where a name may stand: to the right of its mark or to the left, above, below, and further off."""
    width = _LETTER_WIDTH * len(spot.point.name)
    lefts = (spot.x + 5, spot.x - 5 - width, spot.x - width / 2)
    tops = [spot.y - 7 - _LINE_HEIGHT, spot.y + 5, spot.y - 22 - _LINE_HEIGHT, spot.y + 20]
    return [_Box(left, left + width, top, top + _LINE_HEIGHT) for top in tops for left in lefts]
