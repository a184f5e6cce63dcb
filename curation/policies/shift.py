"""How figures shift from the takes that one policy keeps to those that another keeps, with intervals.

Takes count as independent draws: where many share a text, the true intervals are somewhat wider.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from catalogs.intervals import Z95
from catalogs.lake import Lake, query
from catalogs.records import ScoreColumn


@dataclass(frozen=True, slots=True)
class Moments:
    """How many takes have a figure, its mean over them, and its variance (over n)."""

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0


@dataclass(frozen=True, slots=True)
class Median:
    """A median with the 95 % interval of its order statistics."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A figure among the takes that policy A keeps and those that B keeps; None where none has it.

    ``low`` and ``high`` are the 95 % interval of ``difference``, B's mean less A's.
    """

    figure: str
    unit: str
    better: str
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    median_a: Median | None
    median_b: Median | None


def shifts(lake: Lake, columns: Sequence[ScoreColumn]) -> tuple[Shift, ...]:
    """The shift of every figure, asked of the temporary table ``replay``, which holds it as `figure_sql` names it."""
    if not columns:
        return ()
    rows = lake.rows(query("replay_moments").format(moments=", ".join(map(_moments_sql, columns))))
    sides = {(in_a, in_b): [_moments(cell) for cell in cells] for in_a, in_b, *cells in rows}
    none = [Moments()] * len(columns)
    both, only_a, only_b = (sides.get(side, none) for side in ((True, True), (True, False), (False, True)))
    found = list(zip(columns, both, only_a, only_b, strict=True))
    asked = [_median_sql(c, "in_a", pooled([x, a])) for c, x, a, _ in found]
    asked += [_median_sql(c, "in_b", pooled([x, b])) for c, x, _, b in found]
    (medians,) = lake.rows(query("replay_medians").format(medians=", ".join(asked)))
    halves = zip(found, medians[: len(found)], medians[len(found) :], strict=True)
    return tuple(_shift(c, (x, a, b), (_median(of_a), _median(of_b))) for (c, x, a, b), of_a, of_b in halves)


def figure_sql(column: ScoreColumn) -> str:
    """The name of a figure in the table ``replay``, which no other column of it can have."""
    return f'"figure:{column.name}"'


def pooled(parts: Sequence[Moments]) -> Moments:
    """The moments of several disjoint sets taken together."""
    count = sum(part.count for part in parts)
    if count == 0:
        return Moments()
    mean = sum(part.count * part.mean for part in parts) / count
    spread = sum(part.count * (part.variance + (part.mean - mean) ** 2) for part in parts)
    return Moments(count, mean, spread / count)


def difference(both: Moments, only_a: Moments, only_b: Moments) -> tuple[float, float, float] | None:
    """The mean of B (both and only B) less that of A, with its 95 % interval; None if either set is empty.

    The variance is that of the linearised difference, in which a take that both keep weighs by how far its weight in B
    is from that in A: sets that share all their takes differ by exactly nothing.
    """
    a, b = pooled([both, only_a]), pooled([both, only_b])
    if not a.count or not b.count:
        return None
    shared = both.count * (both.variance + (both.mean - a.mean) * (both.mean - b.mean))
    variance = a.variance / a.count + b.variance / b.count - 2 * shared / (a.count * b.count)
    half = Z95 * sqrt(max(variance, 0.0))
    found = b.mean - a.mean
    return found, found - half, found + half


def median_quantiles(count: int) -> tuple[float, float, float]:
    """The quantiles that hold the median and its 95 % interval among ``count`` values."""
    half = Z95 / (2 * sqrt(count)) if count else 0.5
    return max(0.0, 0.5 - half), 0.5, min(1.0, 0.5 + half)


def _shift(column: ScoreColumn, sides: tuple[Moments, Moments, Moments], medians: tuple[Median | None, ...]) -> Shift:
    both, only_a, only_b = sides
    a, b = pooled([both, only_a]), pooled([both, only_b])
    found, low, high = difference(both, only_a, only_b) or (None, None, None)
    return Shift(
        figure=column.name,
        unit=column.unit,
        better=column.better,
        mean_a=a.mean if a.count else None,
        mean_b=b.mean if b.count else None,
        difference=found,
        low=low,
        high=high,
        median_a=medians[0],
        median_b=medians[1],
    )


def _moments_sql(column: ScoreColumn) -> str:
    figure = figure_sql(column)
    told = (f"{name}({figure}) FILTER (isfinite({figure}))" for name in ("count", "avg", "var_pop"))
    return f"[{', '.join(told)}]"


def _median_sql(column: ScoreColumn, side: str, moments: Moments) -> str:
    low, middle, high = median_quantiles(moments.count)
    figure = figure_sql(column)
    return f"quantile_cont({figure}, [{low!r}, {middle!r}, {high!r}]) FILTER ({side} AND isfinite({figure}))"


def _moments(cell: Sequence[float | None]) -> Moments:
    count, mean, variance = cell
    return Moments(int(count or 0), mean or 0.0, variance or 0.0)


def _median(ends: Sequence[float] | None) -> Median | None:
    return Median(ends[1], ends[0], ends[2]) if ends else None
