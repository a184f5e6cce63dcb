"""Results on a screen or in a pipe: a table, CSV, JSON, a JSON object a line, or a Parquet file."""

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from catalogs.errors import UsageError

Format: TypeAlias = Literal["table", "csv", "json", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
ROWS_SHOWN = 40
CHARACTERS_SHOWN = 60


def show(table: pa.Table, form: Format, *, rows: int = ROWS_SHOWN) -> Iterator[str]:
    """Lines of text; the form "table" stops after ``rows`` rows and says how many more there are.

    CSV writes a list or struct as JSON and null as nothing; JSON writes NaN and infinity as null.

    Raises:
        UsageError: for "parquet", which is no text.
    """
    match form:
        case "table":
            yield from _table(table, rows)
        case "csv":
            yield _csv_line(table.column_names)
            yield from (_csv_line([_cell(value) for value in row.values()]) for row in _rows(table))
        case "json":
            yield json.dumps(list(_rows(table)), ensure_ascii=False, indent=2)
        case "jsonl":
            yield from (json.dumps(row, ensure_ascii=False) for row in _rows(table))
        case "parquet":
            raise UsageError("a Parquet file is no text: name it with --output FILE.parquet")


def format_of(name: str | None, output: Path | None) -> Format:
    """The format that was asked for, or the one that a file's name tells; a table if neither.

    Raises:
        UsageError: if it does not exist.
    """
    asked = name or (output.suffix.removeprefix(".") if output else "table")
    for known in FORMATS:
        if asked == known:
            return known
    raise UsageError(f"there is no format {asked!r}; choose one of {', '.join(FORMATS)}")


def save(table: pa.Table, to: Path, form: Format) -> None:
    """Write the whole result to a file, which appears when it is complete.

    Raises:
        UsageError: for a column that Parquet cannot hold, such as an interval.
    """
    part = to.with_name(f".{to.name}.part")
    to.parent.mkdir(parents=True, exist_ok=True)
    if form == "parquet":
        try:
            pq.write_table(table.rename_columns(_unique(table.column_names)), part)
        except pa.ArrowNotImplementedError as error:
            part.unlink(missing_ok=True)
            raise UsageError(f"Parquet cannot hold this result ({error}); cast that column to VARCHAR") from error
    else:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in show(table, form, rows=table.num_rows))
    part.replace(to)


def _table(table: pa.Table, rows: int) -> Iterator[str]:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in table.schema:
        is_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        drawn.add_column(Text(column.name), justify="right" if is_number else "left", overflow="fold")
    for row in _rows(table.slice(0, rows)):
        drawn.add_row(*(Text(_short(value)) for value in row.values()))
    written = io.StringIO()
    Console(file=written, width=_width(), highlight=False).print(drawn)
    yield from (line.rstrip() for line in written.getvalue().splitlines())
    left = table.num_rows - rows
    more = f", {left:,} of them not shown: add LIMIT, or take all with --format csv" if left > 0 else ""
    yield f"({table.num_rows:,} row{'' if table.num_rows == 1 else 's'}{more})"


def _width() -> int:
    from shutil import get_terminal_size

    return max(80, get_terminal_size((160, 24)).columns)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    names = _unique(table.column_names)
    for batch in table.rename_columns(names).to_batches(max_chunksize=4096):
        for row in batch.to_pylist(maps_as_pydicts="lossy"):
            yield {name: _plain(value) for name, value in row.items()}


def _unique(names: list[str]) -> list[str]:
    """Two columns may have one name in SQL; in an object they are told apart by a number."""
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case timedelta() | UUID():
            return str(value)
    return str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    if isinstance(value, float):
        text = f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    else:
        text = "".join(c if c.isprintable() else "·" for c in _cell(value))
    return text if len(text) <= CHARACTERS_SHOWN else text[: CHARACTERS_SHOWN - 1] + "…"


def _csv_line(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
