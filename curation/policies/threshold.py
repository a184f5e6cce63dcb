"""What a policy asks of one figure, and which takes it asks it of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite, isnan
from typing import Literal

from catalogs.lake import quoted
from catalogs.records import Value

KINDS = ("language", "voice", "domain")
"""The columns of ``takes`` that an override may name."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The range a figure must lie in, ends included, and what to do with a take that lacks the figure (or has NaN).

    An end may be a quantile in [0, 1]: of the takes that are judged, or of the corpus's real ones, which calibrates it
    on real speech. It is found once, when a corpus is judged, and then stands in ``min`` or ``max`` beside the
    quantile that it came from; so a file that gives both is pinned.
    """

    min: float | None = None
    max: float | None = None
    min_quantile: float | None = None
    max_quantile: float | None = None
    of: Literal["judged", "real"] = "judged"
    missing: Literal["drop", "keep"] = "drop"

    def __post_init__(self) -> None:
        quantiles = [q for q in (self.min_quantile, self.max_quantile) if q is not None]
        if self.min is None and self.max is None and not quantiles:
            raise ValueError("a threshold needs min, max or both")
        if not all(0 <= q <= 1 for q in quantiles):
            raise ValueError("a quantile lies between 0 and 1")
        if not all(isfinite(end) for end in (self.min, self.max) if end is not None):
            raise ValueError("min and max must be finite numbers; leave out the one that does not matter")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing would be kept")

    @property
    def is_open(self) -> bool:
        """Whether a quantile still waits for its number."""
        waits_below = self.min is None and self.min_quantile is not None
        return waits_below or (self.max is None and self.max_quantile is not None)

    @property
    def opened(self) -> "Threshold":
        """The threshold without the numbers that quantiles stand for."""
        low = self.min if self.min_quantile is None else None
        return replace(self, min=low, max=self.max if self.max_quantile is None else None)

    def reason(self, column: str, value: Value) -> str | None:
        """Why a take with this figure is dropped; None if it is not."""
        if value is None or isinstance(value, str | tuple) or isnan(value):
            return f"{column} missing" if self.missing == "drop" else None
        if self.min is not None and value < self.min:
            return f"{column} < {self.min:g}"
        if self.max is not None and value > self.max:
            return f"{column} > {self.max:g}"
        return None

    def reason_sql(self, column: str) -> str:
        """The SQL expression of the same."""
        figure = f'"{column}"::DOUBLE'
        missing = f"'{column} missing'" if self.missing == "drop" else "NULL"
        # DuckDB holds NaN to be greater than every number.
        whens = [f"WHEN {figure} IS NULL OR isnan({figure}) THEN {missing}"]
        if self.min is not None:
            whens.append(f"WHEN {figure} < {self.min!r} THEN '{column} < {self.min:g}'")
        if self.max is not None:
            whens.append(f"WHEN {figure} > {self.max!r} THEN '{column} > {self.max:g}'")
        return f"CASE {' '.join(whens)} END"


@dataclass(frozen=True, slots=True)
class Override:
    """What holds for some takes instead: those of a language, voice or domain, in which * stands for any characters.

    ``off`` names figures that do not matter for them.
    """

    language: str | None = None
    voice: str | None = None
    domain: str | None = None
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    off: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self._patterns():
            raise ValueError(f"an override needs one of {', '.join(KINDS)}")
        both = sorted(set(self.off) & set(self.thresholds))
        if both:
            raise ValueError(f"{both[0]} has a threshold and is off")

    def fits(self, values: Mapping[str, Value]) -> bool:
        """Whether a take with this language, voice and domain is meant."""
        return all(_is_like(values.get(kind), pattern) for kind, pattern in self._patterns())

    def fits_sql(self) -> str:
        """The SQL condition of the same."""
        return " AND ".join(_like_sql(kind, pattern) for kind, pattern in self._patterns())

    def _patterns(self) -> list[tuple[str, str]]:
        found = zip(KINDS, (self.language, self.voice, self.domain), strict=True)
        return [(kind, pattern) for kind, pattern in found if pattern is not None]


def _is_like(value: Value, pattern: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return isinstance(value, str) and re.fullmatch(".*".join(parts), value, re.DOTALL) is not None


def _like_sql(column: str, pattern: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern).replace("*", "%")
    return f"\"{column}\" LIKE {quoted(escaped)} ESCAPE '\\'"
