"""A policy: thresholds on score columns. It only reads scores, so a new one never reloads a model.

The same policy judges a take on arrival, in Python, and a whole corpus, in SQL; a test holds the two equal. It is a
TOML file, or the table ``[policy]`` of a recipe::

    name = "dialogue"
    version = 3
    note = "wider F0 than version 2"

    [thresholds]
    wer = { max = 0.25 }
    f0_sd_st = { min_quantile = 0.05, missing = "keep" }

    [[overrides]]                # the last one that fits a take decides
    language = "th"
    off = ["wer"]                # words are not spaced
    thresholds = { cer = { max = 0.2 } }
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from catalogs.config import parse, read_toml
from catalogs.errors import RecipeError
from catalogs.ids import Id, canonical, content_id
from catalogs.records import MetricCard, Value
from curation.derived import COLUMNS as DERIVED
from curation.policies.threshold import Override, Threshold

__all__ = ["NUMBERS", "Override", "Policy", "Threshold", "load_policy"]

EVIDENCE = "eval_"
"""How the columns of the family *evaluation* begin."""

NUMBERS = ("DOUBLE", "INTEGER", "BOOLEAN")


@dataclass(frozen=True, slots=True)
class Policy:
    """Which figures decide: a take is kept if all thresholds that hold for it are met.

    ``name`` and ``version`` are what people call it. The id is the hash of all of it: a policy never changes.
    """

    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    name: str | None = None
    version: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        evidence = [column for column in self.columns if column.startswith(EVIDENCE)]
        if evidence:
            raise ValueError(f"{', '.join(evidence)}: what evaluates takes may not choose among them")

    @property
    def definition(self) -> str:
        """The policy as canonical JSON."""
        return canonical(asdict(self))

    @property
    def id(self) -> Id:
        """The hash of the definition."""
        return content_id("policy", self.definition)

    @staticmethod
    def from_definition(definition: str) -> "Policy":
        """The policy that was stored as this JSON."""
        return parse(Policy, json.loads(definition), source="a stored policy")

    @property
    def title(self) -> str:
        """What to call it: name and version, or the beginning of its id."""
        if self.name is None:
            return self.id[:8]
        return self.name if self.version is None else f"{self.name} {self.version}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that may decide, sorted."""
        named = [set(override.thresholds) for override in self.overrides]
        return tuple(sorted(set(self.thresholds).union(*named)))

    @property
    def is_open(self) -> bool:
        """Whether a quantile still waits for its number; such a policy cannot judge."""
        return any(threshold.is_open for _, _, threshold in self.all_thresholds())

    @property
    def opened(self) -> "Policy":
        """The policy without its note and the numbers that quantiles stand for: what it was before it judged."""
        overrides = tuple(replace(o, thresholds=_opened(o.thresholds)) for o in self.overrides)
        return replace(self, thresholds=_opened(self.thresholds), overrides=overrides, note=None)

    @property
    def judges_late(self) -> bool:
        """Whether it needs more than a take's own scores, and so cannot judge on arrival."""
        return bool(self.overrides) or self.is_open or any(column in self.thresholds for column in DERIVED)

    def all_thresholds(self) -> Iterator[tuple[int | None, str, Threshold]]:
        """Every threshold: (number of its override or None, column, threshold)."""
        tables = [(None, self.thresholds), *((n, o.thresholds) for n, o in enumerate(self.overrides))]
        return ((n, column, threshold) for n, table in tables for column, threshold in table.items())

    def reasons(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """Why a take with these figures is dropped; empty if it is kept.

        With overrides, ``values`` also hold its language, voice and domain.
        """
        found = [
            threshold.reason(column, values.get(column))
            for column in self.columns
            if (threshold := self._holding(column, values))
        ]
        return tuple(reason for reason in found if reason)

    def reasons_sql(self) -> str:
        """The SQL expression over columns of ``takes`` that gives the same reasons as a list."""
        if not self.columns:
            return "CAST([] AS VARCHAR[])"
        cases = ", ".join(self._case(column) for column in self.columns)
        return f"list_filter([{cases}], reason -> reason IS NOT NULL)"

    def mistakes(self, cards: Sequence[MetricCard]) -> list[tuple[str, str]]:
        """What keeps a recipe with these metrics from judging by it: (column, what is wrong)."""
        types = {c.name: c.type for card in cards for c in card.columns}
        wrong = [
            (column, "is not a number" if column in types else "is written by no metric of this recipe")
            for column in self.columns
            if types.get(column) not in NUMBERS
        ]
        waiting = sorted({column for _, column, threshold in self.all_thresholds() if threshold.is_open})
        return wrong + [(c, "is a quantile of all takes: `synthgen judge --policy` finds its number") for c in waiting]

    def _holding(self, column: str, values: Mapping[str, Value]) -> Threshold | None:
        for override in reversed(self.overrides):
            if (column in override.thresholds or column in override.off) and override.fits(values):
                return override.thresholds.get(column)
        return self.thresholds.get(column)

    def _case(self, column: str) -> str:
        whens = [
            f"WHEN {override.fits_sql()} THEN {_reason_sql(override.thresholds.get(column), column)}"
            for override in reversed(self.overrides)
            if column in override.thresholds or column in override.off
        ]
        base = _reason_sql(self.thresholds.get(column), column)
        return f"CASE {' '.join(whens)} ELSE {base} END" if whens else base


def load_policy(path: Path) -> Policy:
    """Read a policy from its file, or from the recipe that holds it.

    Raises:
        RecipeError: if there is none, or with every mistake in it.
    """
    if not path.exists():
        raise RecipeError(f"no policy at {path}; expected a TOML file with [thresholds], or a recipe")
    table = read_toml(path)
    return parse(Policy, table.get("policy", table), source=str(path))


def _opened(thresholds: Mapping[str, Threshold]) -> dict[str, Threshold]:
    return {column: threshold.opened for column, threshold in thresholds.items()}


def _reason_sql(threshold: Threshold | None, column: str) -> str:
    return threshold.reason_sql(column) if threshold else "NULL::VARCHAR"
