"""A family's figures are the fields of a dataclass: name, type, unit and meaning stand in one place.

    @dataclass(frozen=True, slots=True)
    class Levels:
        peak_dbfs: Annotated[float | None, Figure("dBFS", "neither", "the highest sample")] = None

The columns that the catalog stores, and the data dictionary, are made from it.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args, get_type_hints

from catalogs.records import ScoreColumn, Value

ColumnType: TypeAlias = Literal["DOUBLE", "INTEGER", "BOOLEAN", "VARCHAR", "FLOAT[]", "INTEGER[]", "VARCHAR[]"]

_TYPES: dict[object, ColumnType] = {
    float: "DOUBLE",
    int: "INTEGER",
    bool: "BOOLEAN",
    str: "VARCHAR",
    tuple[float, ...]: "FLOAT[]",
    tuple[int, ...]: "INTEGER[]",
    tuple[str, ...]: "VARCHAR[]",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """The unit of a figure ("" if it has none), which way is better, and what it says."""

    unit: str
    better: Literal["higher", "lower", "neither"]
    meaning: str


def columns_of(family: type) -> tuple[ScoreColumn, ...]:
    """The columns of a family: one per field, which must be ``Annotated[T | None, Figure(...)]``."""
    hints = get_type_hints(family, include_extras=True)
    return tuple(_column(field.name, hints[field.name]) for field in fields(family))


def values_of(figures: Any) -> tuple[Value, ...]:  # a dataclass of any family
    """The values of a family's figures, in the order of its columns."""
    return tuple(getattr(figures, field.name) for field in fields(figures))


def _column(name: str, hint: object) -> ScoreColumn:
    optional, figure = get_args(hint)
    kind, _ = get_args(optional)
    return ScoreColumn(name, _TYPES[kind], figure.unit, figure.better, figure.meaning)
