"""Metric families as the catalog holds them: a table each, append-only, and a row per column that describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby

import pyarrow as pa

from catalogs.errors import CatalogError
from catalogs.lake import Lake, query
from catalogs.records import MetricCard, ScoreColumn


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family as the catalog holds it: its table, its current version, its columns."""

    table: str
    card: MetricCard
    is_default: bool

    def named(self, column: ScoreColumn) -> str:
        """The column's name in ``takes``."""
        return column.name if self.is_default else f"{column.name}__{self.card.variant}"


def score_table(card: MetricCard) -> str:
    """The table that holds a family's scores."""
    return f"score_{card.family}" + (f"__{card.variant}" if card.variant else "")


def families(lake: Lake) -> list[Family]:
    """The families declared in this corpus, in the order they came; the first variant of each is its default."""
    declared = groupby(lake.rows(query("metrics")), key=lambda row: row[:4])
    current: dict[tuple[str, str | None], tuple[str, list[ScoreColumn]]] = {}  # a later version takes the earlier place
    for (_, family, variant, version), rows in declared:
        current[family, variant] = version, [ScoreColumn(*row[4:]) for row in rows]
    found: list[Family] = []
    for (family, variant), (version, columns) in current.items():
        card = MetricCard(family, version, tuple(columns), variant)
        is_default = all(other.card.family != family for other in found)
        found.append(Family(score_table(card), card, is_default))
    return found


def make_table(lake: Lake, card: MetricCard, known: MetricCard | None) -> None:
    """Make a family's table, or give the table of its former version ``known`` the columns it lacks.

    Raises:
        CatalogError: if a column's type has changed.
    """
    table = score_table(card)
    if known is None:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in card.columns)
        lake.run(f"CREATE TABLE {table} (take_id UUID, version VARCHAR, {columns})")
        return
    types = {c.name: c.type for c in known.columns}
    for column in card.columns:
        if types.get(column.name, column.type) != column.type:
            raise CatalogError(
                f"metric {card.family}: {column.name} was {types[column.name]} and would become {column.type}; "
                "give the column a new name"
            )
        if column.name not in types:
            lake.run(f'ALTER TABLE {table} ADD COLUMN IF NOT EXISTS "{column.name}" {column.type}')


def refuse_clashes(card: MetricCard, others: Sequence[MetricCard], *, taken: Mapping[str, str]) -> None:
    """Two families may not share a column of ``takes``; ``taken`` says whose the other columns are.

    Raises:
        CatalogError: if a column's name is taken.
    """
    owners = dict(taken) | {c.name: f"metric {o.family}" for o in others if o.family != card.family for c in o.columns}
    for column in card.columns:
        if column.name in owners:
            raise CatalogError(
                f"metric {card.family}: the column {column.name} already belongs to {owners[column.name]}; rename it"
            )


def dictionary_rows(card: MetricCard, declared: int) -> pa.Table:
    """The rows of the table ``metric`` that describe a family; ``declared`` numbers its declarations."""
    family = {"declared": declared, "family": card.family, "variant": card.variant, "version": card.version}
    rows = [{**family, "position": position, **asdict(column)} for position, column in enumerate(card.columns)]
    return pa.Table.from_pylist(rows)
