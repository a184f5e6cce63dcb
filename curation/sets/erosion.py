"""Erosion: a corpus of synthetic speech gets cleaner and flatter as it grows. Which figure gives way, and where?

Points are takes with a share of synthetic among them, *alpha*: releases, or stretches of a job in its order. Each has
the figures of `FIGURES`, with intervals. A figure has left its baseline where it is worse by more than chance explains;
the limit is set for all figures and points together, so a healthy corpus is called eroding once in a hundred times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id, content_id
from catalogs.records import SetScore
from curation.bootstrap import Estimate, mean_of, ratio_of
from curation.sets.diversity import reading_distances
from curation.sets.entropy import token_entropy
from curation.sets.watched import Watched
from curation.tokenisers.frames import FRAMES_HZ

FALSE_ALARMS = 0.01
"""The chance that a healthy corpus, all its figures and points together, is called eroding."""

LEAST_TEXTS = 20
"""A figure that rests on takes of fewer texts says nothing: texts, and not takes, come independently."""

LEAST_CHANGE = 0.005
"""A change of less than this share of the baseline is none, however certain it is."""

BASELINE_SHARE = 0.2
STRETCHES = 20
LEAST_TAKES = 100

_REVISION = "1"

Measure: TypeAlias = Callable[[Watched], "Estimate | None"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is watched: its name, unit, which way it gets worse, and how it is measured (None: not enough items)."""

    name: str
    unit: str
    worse: Literal["higher", "lower"]
    measure: Measure


@dataclass(frozen=True, slots=True)
class Point:
    """The figures of some takes; ``alpha`` is the share of synthetic there or, in a job, up to there."""

    name: str
    alpha: float
    num_takes: int
    figures: Mapping[str, Estimate]
    takes_hash: str = ""


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
    """A baseline, what came after it, and the warnings, earliest first."""

    baseline: Point
    points: tuple[Point, ...]
    warnings: tuple[Warned, ...]


def watch(baseline: Point, points: Sequence[Point], *, false_alarms: float = FALSE_ALARMS) -> Erosion:
    """Hold every figure of every point against the baseline; a figure warns once, at its first point outside."""
    watched = [figure for figure in FIGURES if figure.name in baseline.figures]
    deviations = deviations_of(baseline, points, false_alarms=false_alarms)
    found = [_first_outside(figure, baseline, points, deviations) for figure in watched]
    order = {point.name: place for place, point in enumerate(points)}
    warnings = sorted((w for w in found if w is not None), key=lambda w: (order[w.point], w.alpha, w.figure))
    return Erosion(baseline, tuple(points), tuple(warnings))


def deviations_of(baseline: Point, points: Sequence[Point], *, false_alarms: float = FALSE_ALARMS) -> float:
    """How many standard errors a figure must be worse by: the more figures and points are held, the more."""
    watched = [figure.name for figure in FIGURES if figure.name in baseline.figures]
    tests = max(1, sum(name in point.figures for name in watched for point in points))
    return NormalDist().inv_cdf(1 - false_alarms / tests)


def limit_of(figure: Figure, now: Estimate, before: Estimate, deviations: float) -> float:
    """The value at which a figure has left its baseline, given the chance in both."""
    chance = deviations * hypot(now.standard_error, before.standard_error)
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
    )


def along(takes: Watched, *, real: int = 0, size: int | None = None) -> list[Point]:
    """A job as points in its order: the baseline, its first fifth, then stretches of ``size`` takes.

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
    synthetic = np.cumsum(takes.is_synthetic)
    return [
        point_of(
            takes.between(start, stop),
            f"takes {start + 1}-{stop}",
            alpha=float(synthetic[stop - 1] / (synthetic[stop - 1] + real)) if synthetic[stop - 1] else 0.0,
        )
        for start, stop in pairwise(edges)
    ]


def set_scores(point: Point, set_id: Id, *, subset: str = "") -> list[SetScore]:
    """A point as rows of the catalog; the version holds which takes they were made of."""
    version = f"{_REVISION}/{point.takes_hash}"
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


def _mean(column: str) -> Measure:
    def measure(takes: Watched) -> Estimate | None:
        values = takes.figures.get(column)
        return None if values is None else _mean_of(values, takes.text)

    return measure


def _mean_of(values: NDArray[np.float64], text: NDArray[np.int64]) -> Estimate | None:
    return mean_of(values, text) if _are_enough(text[np.isfinite(values)]) else None


def _are_enough(text: NDArray[np.int64]) -> bool:
    return len(np.unique(text)) >= LEAST_TEXTS


def _wer(takes: Watched) -> Estimate | None:
    columns = [takes.figures.get(name) for name in ("substitutions", "insertions", "deletions", "ref_words")]
    there = [column for column in columns if column is not None]
    if len(there) < len(columns):
        return None
    errors, words = there[0] + there[1] + there[2], there[3]
    counted = np.isfinite(errors) & (words > 0)
    text = takes.text[counted]
    return ratio_of(errors[counted], words[counted], text) if _are_enough(text) else None


def _entropy(takes: Watched) -> Estimate | None:
    if takes.tokens is None or not _are_enough(takes.text[takes.tokens.lengths > 0]):
        return None
    return token_entropy(takes.tokens, takes.text)


def _reading_distance(takes: Watched) -> Estimate | None:
    if takes.tokens is None or len(takes) == 0:
        return None
    return _mean_of(reading_distances(takes.tokens, takes.reading, rate_hz=FRAMES_HZ), takes.text)


FIGURES: tuple[Figure, ...] = (
    Figure("wer", "ratio", "higher", _wer),
    Figure("token_entropy", "bits", "lower", _entropy),
    Figure("token_repetition", "share", "higher", _mean("token_repetition")),
    Figure("speaker_similarity", "cosine", "lower", _mean("speaker_similarity")),
    Figure("f0_sd_st", "semitones", "lower", _mean("f0_sd_st")),
    Figure("energy_sd_db", "dB", "lower", _mean("energy_sd_db")),
    Figure("reading_distance", "edits/s", "lower", _reading_distance),
)
"""What is watched; a figure whose columns were not measured is left out."""
