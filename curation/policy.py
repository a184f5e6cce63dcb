"""A policy: thresholds on score columns. It only reads scores, so a new one never reloads a model.

The same policy judges a take on arrival, in Python, and a whole corpus, in SQL; a test holds the two equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite, isnan
from typing import Literal

from catalogs.ids import Id, canonical, content_id
from catalogs.records import MetricCard, Value

NUMBERS = ("DOUBLE", "INTEGER", "BOOLEAN")


@dataclass(frozen=True, slots=True)
class Threshold:
    """The range a figure must lie in, ends included, and what to do with a take that lacks the figure (or has NaN)."""

    min: float | None = None
    max: float | None = None
    missing: Literal["drop", "keep"] = "drop"

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError("a threshold needs min, max or both")
        if not all(isfinite(end) for end in (self.min, self.max) if end is not None):
            raise ValueError("min and max must be finite numbers; leave out the one that does not matter")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing would be kept")


@dataclass(frozen=True, slots=True)
class Policy:
    """Which figures decide: a take is kept if all its thresholds hold."""

    thresholds: Mapping[str, Threshold] = field(default_factory=dict)

    @property
    def definition(self) -> str:
        """The policy as canonical JSON."""
        return canonical(asdict(self))

    @property
    def id(self) -> Id:
        """The hash of the definition."""
        return content_id("policy", self.definition)

    @property
    def needs_set_scores(self) -> bool:
        """Whether a threshold is on a figure that takes other takes to know, and so cannot be judged on arrival."""
        return "speaker_similarity" in self.thresholds

    def reasons(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """Why a take with these figures is dropped; empty if it is kept."""
        found = []
        for column, threshold in sorted(self.thresholds.items()):
            value = values.get(column)
            if value is None or isinstance(value, str | tuple) or isnan(value):
                if threshold.missing == "drop":
                    found.append(f"{column} missing")
            elif threshold.min is not None and value < threshold.min:
                found.append(f"{column} < {threshold.min:g}")
            elif threshold.max is not None and value > threshold.max:
                found.append(f"{column} > {threshold.max:g}")
        return tuple(found)

    def reasons_sql(self) -> str:
        """The SQL expression over columns of ``takes`` that gives the same reasons as a list."""
        if not self.thresholds:
            return "CAST([] AS VARCHAR[])"
        cases = ", ".join(_case(column, threshold) for column, threshold in sorted(self.thresholds.items()))
        return f"list_filter([{cases}], reason -> reason IS NOT NULL)"

    def mistakes(self, cards: Sequence[MetricCard]) -> list[tuple[str, str]]:
        """Thresholds on columns that no metric of the recipe writes as a number: (column, what is wrong)."""
        types = {c.name: c.type for card in cards for c in card.columns}
        return [
            (column, "is not a number" if column in types else "is written by no metric of this recipe")
            for column in self.thresholds
            if types.get(column) not in NUMBERS
        ]


def _case(column: str, threshold: Threshold) -> str:
    figure = f'"{column}"::DOUBLE'
    missing = f"'{column} missing'" if threshold.missing == "drop" else "NULL"
    # DuckDB holds NaN to be greater than every number.
    whens = [f"WHEN {figure} IS NULL OR isnan({figure}) THEN {missing}"]
    if threshold.min is not None:
        whens.append(f"WHEN {figure} < {threshold.min!r} THEN '{column} < {threshold.min:g}'")
    if threshold.max is not None:
        whens.append(f"WHEN {figure} > {threshold.max!r} THEN '{column} > {threshold.max:g}'")
    return f"CASE {' '.join(whens)} END"
