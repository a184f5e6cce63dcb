"""Replaying two policies over stored scores: what one would keep and the other would not, and what that changes.

Nothing is written and no model is loaded. DuckDB holds the takes in a temporary table that every figure is asked of.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from catalogs.catalog import Catalog
from catalogs.config import nearest
from catalogs.errors import UsageError
from catalogs.families import families
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import ScoreColumn
from curation.policies.judging import closed
from curation.policies.policy import NUMBERS, Policy
from curation.policies.shift import Shift, figure_sql, shifts
from curation.scope import Scope

HEADLINES = (
    *("wer", "cer", "token_repetition", "f0_sd_st", "energy_sd_db", "syllables_per_s"),
    *("speaker_similarity", "dnsmos_ovrl"),
)
"""Figures that are compared wherever a corpus was measured for them, beside those that the policies decide by."""

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Group:
    """The takes of one voice, language or domain, or all of them: what A and B keep, and what changes sides."""

    kind: str
    name: str
    takes: int
    kept_a: int
    kept_b: int
    gained: int
    lost: int
    audio_s: float
    kept_a_s: float
    kept_b_s: float
    gained_s: float
    lost_s: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why policy "a" or "b" drops takes: how many, and how many for no other reason."""

    policy: str
    reason: str
    takes: int
    alone: int
    audio_s: float


@dataclass(frozen=True, slots=True)
class Example:
    """A take that changes sides, and why the policy that does not keep it drops it."""

    take_id: Id
    side: str
    voice: str
    text: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """What policy B would change of what policy A keeps."""

    a: Policy
    b: Policy
    groups: tuple[Group, ...]
    reasons: tuple[Reason, ...]
    shifts: tuple[Shift, ...]
    examples: tuple[Example, ...]

    @property
    def all(self) -> Group:
        """The takes of every voice together."""
        return next(group for group in self.groups if group.kind == "all")

    def of_kind(self, kind: str) -> list[Group]:
        """The groups of a kind, largest change first."""
        return [group for group in self.groups if group.kind == kind]

    def plain(self) -> dict[str, Any]:
        """The same as JSON can say it."""
        return asdict(self) | {"a": _named(self.a), "b": _named(self.b)}


def replay(catalog: Catalog, policies: tuple[Policy, Policy], scope: Scope, *, figures: Sequence[str] = ()) -> Replay:
    """Hold policy B against policy A over the takes of ``scope``; ``figures`` are compared beside `HEADLINES`.

    Raises:
        UsageError: for a column that no metric has written here, or a scope without takes.
        CatalogError: if a policy asks for a quantile of a figure that no take has.
    """
    a, b = (closed(catalog, policy, scope) for policy in policies)
    columns = _compared(catalog, (a, b), figures)
    sql = query("replay_takes").format(
        reasons_a=a.reasons_sql(),
        reasons_b=b.reasons_sql(),
        figures=", ".join(f'takes."{c.name}"::DOUBLE AS {figure_sql(c)}' for c in columns),
        within=query("within"),
    )
    lake = catalog.lake
    lake.rows(f"CREATE OR REPLACE TEMP TABLE replay AS {sql}", job_id=scope.job_id, release_id=scope.release_id)
    try:
        groups = tuple(Group(*row) for row in lake.rows(query("replay_groups")))
        if not any(group.takes for group in groups):
            raise UsageError(f"{catalog.folder} has no such takes; there is nothing to compare")
        reasons = tuple(Reason(*row) for row in lake.rows(query("replay_reasons")))
        examples = lake.rows(query("replay_examples").format(examples=EXAMPLES))
        told = tuple(Example(take, side, voice, text, tuple(why)) for take, side, voice, text, why in examples)
        return Replay(a, b, groups, reasons, shifts(lake, columns), told)
    finally:
        lake.rows("DROP TABLE temp.replay")


def _compared(catalog: Catalog, policies: Sequence[Policy], figures: Sequence[str]) -> list[ScoreColumn]:
    """The figures to compare, in the order the corpus has them, by their names in ``takes``."""
    known = {
        f.named(c): ScoreColumn(f.named(c), c.type, c.unit, c.better, c.meaning)
        for f in families(catalog.lake)
        for c in f.card.columns
        if c.type in NUMBERS
    }
    for name in figures:
        if name not in known:
            raise UsageError(f"no metric has written a number {name!r} here{nearest(name, [*known])}")
    wanted = {*HEADLINES, *figures, *(column for policy in policies for column in policy.columns)}
    return [column for name, column in known.items() if name in wanted]


def _named(policy: Policy) -> dict[str, Any]:
    return {"id": policy.id, "title": policy.title, **asdict(policy)}
