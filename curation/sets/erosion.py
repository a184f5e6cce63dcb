"""Erosion: a corpus of synthetic speech gets cleaner and flatter as it grows. Which figure gives way, and where?

Points are takes with a share of synthetic among them, *alpha*: releases, or stretches of a job in its order, made
comparable (`curation.sets.comparable`). Each has the figures of `FIGURES`, with intervals. A figure has left its
baseline where it is worse by more than chance explains, by Student's t with the freedom of both errors (Welch 1947).
The limit is set for all figures and points together, so a healthy corpus is called eroding once in a hundred looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from statistics import NormalDist

import numpy as np

from catalogs.ids import Id, content_id
from catalogs.intervals import student
from catalogs.records import SetScore
from curation.bootstrap import Estimate
from curation.sets.comparable import spread
from curation.sets.signs import FIGURES, Figure
from curation.sets.watched import Watched

FALSE_ALARMS = 0.01
"""The chance that a healthy corpus, all its figures and points together, is called eroding."""

LEAST_CHANGE = 0.005
"""A change of less than this share of the baseline is none, however certain it is."""

BASELINE_SHARE = 0.2
STRETCHES = 20
LEAST_TAKES = 100

REVISION = "2"
"""The first part of the version of points: how their figures are worked out."""


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of some takes; ``alpha`` is the share of synthetic there or, in a job, up to there.

    Points of one ``standard`` were made comparable with each other; "" needed nothing for it.
    """

    name: str
    alpha: float
    num_takes: int
    figures: Mapping[str, Estimate]
    takes_hash: str = ""
    standard: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Takes of a job that are to be a point."""

    name: str
    alpha: float
    takes: Watched


@dataclass(frozen=True, slots=True)
class Warned:
    """The first point at which a figure has left its baseline; ``limit`` is the value at which it does.

    ``alpha`` is where the line from the point before crosses the limit.
    """

    figure: str
    point: str
    alpha: float
    value: float
    baseline: float
    limit: float

    def text(self) -> str:
        """The warning in one line."""
        return (
            f"{self.figure} left its baseline at {self.point} (alpha {self.alpha:.0%}): "
            f"{self.value:.3g}, was {self.baseline:.3g}, limit {self.limit:.3g}"
        )


@dataclass(frozen=True, slots=True)
class Erosion:
    """A baseline, what came after it, and the warnings, earliest first.

    ``deviations`` is how many standard errors a normal figure must be worse by, the more the more is looked at.
    """

    baseline: Point
    points: tuple[Point, ...]
    warnings: tuple[Warned, ...]
    deviations: float


def watch(baseline: Point, points: Sequence[Point], *, of: int = 0, false_alarms: float = FALSE_ALARMS) -> Erosion:
    """Hold every figure of every point against the baseline; a figure warns once, at its first point outside.

    ``of`` is how many points there may come to be, as a job grows: limits are those of so many from the first look on,
    or every look would have its own false alarms.
    """
    watched = [figure for figure in FIGURES if figure.name in baseline.figures]
    tests = max(1, len(watched) * max(of, len(points)))
    deviations = NormalDist().inv_cdf(1 - false_alarms / tests)
    found = [_first_outside(figure, baseline, points, deviations) for figure in watched]
    order = {point.name: place for place, point in enumerate(points)}
    warnings = sorted((w for w in found if w is not None), key=lambda w: (order[w.point], w.alpha, w.figure))
    return Erosion(baseline, tuple(points), tuple(warnings), deviations)


def limit_of(figure: Figure, now: Estimate, before: Estimate, deviations: float) -> float:
    """The value at which a figure has left its baseline, given the chance in both.

    ``deviations`` of a normal figure are as many more of one whose error is known from a few texts only.
    """
    error = hypot(now.standard_error, before.standard_error)
    parts = sum(found.standard_error**4 / found.freedom for found in (now, before))
    chance = error * student(error**4 / parts, z=deviations) if parts else 0.0
    slack = max(chance, LEAST_CHANGE * abs(before.value))
    return before.value + slack if figure.worse == "higher" else before.value - slack


def point_of(takes: Watched, name: str, *, alpha: float | None = None) -> Point:
    """Measure some takes; ``alpha`` is their share of synthetic unless it is given."""
    measured = {figure.name: figure.measure(takes) for figure in FIGURES}
    return Point(
        name=name,
        alpha=takes.alpha if alpha is None else alpha,
        num_takes=len(takes),
        figures={figure: found for figure, found in measured.items() if found is not None},
        takes_hash=content_id("takes", sorted(takes.take_ids)).partition("-")[0],
        standard=takes.standard,
    )


def along(takes: Watched, *, real: int = 0, size: int | None = None) -> list[Point]:
    """A job as points in its order: those of its `stretches`."""
    return [point_of(part.takes, part.name, alpha=part.alpha) for part in stretches(takes, real=real, size=size)]


def stretches(takes: Watched, *, real: int = 0, size: int | None = None) -> list[Stretch]:
    """A job in its order: the baseline, its first fifth, then stretches of ``size`` takes.

    Each has its part of what each voice reads of each domain; places in the names are those in this order.
    ``alpha`` is synthetic over all takes up to there, with ``real`` takes beside them. A stretch that would be shorter
    than half of ``size`` joins the one before.

    Raises:
        ValueError: if there are not enough takes for a baseline and one stretch.
    """
    size = size or max(LEAST_TAKES, len(takes) // STRETCHES)
    first = max(size, round(BASELINE_SHARE * len(takes)))
    if len(takes) - first < size // 2:
        raise ValueError(f"{len(takes):,} takes are too few to see erosion: {first + size:,} would do")
    count = max(1, round((len(takes) - first) / size))
    edges = [0, *(first + round((len(takes) - first) * part / count) for part in range(count + 1))]
    takes = spread(takes, parts=len(takes) // size)
    synthetic = np.cumsum(takes.is_synthetic)
    return [
        Stretch(
            f"takes {start + 1}-{stop}",
            float(synthetic[stop - 1] / (synthetic[stop - 1] + real)) if synthetic[stop - 1] else 0.0,
            takes.between(start, stop),
        )
        for start, stop in pairwise(edges)
    ]


def set_scores(point: Point, set_id: Id, *, subset: str = "") -> list[SetScore]:
    """A point as rows of the catalog; the version holds which takes they were made of, and by what standard."""
    version = f"{REVISION}/{point.takes_hash}" + (f"/{point.standard}" if point.standard else "")
    share = SetScore(set_id, subset, "alpha", version, point.alpha, point.num_takes, point.alpha, point.alpha)
    figures = [found.score(set_id, name, version=version, subset=subset) for name, found in point.figures.items()]
    return [share, *figures]


def _first_outside(figure: Figure, baseline: Point, points: Sequence[Point], deviations: float) -> Warned | None:
    before = baseline.figures[figure.name]
    sign = 1.0 if figure.worse == "higher" else -1.0
    inside, alpha = 0.0, baseline.alpha
    for point in points:
        now = point.figures.get(figure.name)
        if now is None:
            continue
        limit = limit_of(figure, now, before, deviations)
        outside = sign * (now.value - limit)
        if outside > 0:
            inside = inside or sign * (limit - before.value)
            crossed = alpha + (point.alpha - alpha) * inside / (inside + outside)
            return Warned(figure.name, point.name, crossed, now.value, before.value, limit)
        inside, alpha = -outside, point.alpha
    return None
