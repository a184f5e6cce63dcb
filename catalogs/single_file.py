"""A corpus without its audio as one DuckDB file, for those who want just that."""

from collections.abc import Mapping
from pathlib import Path

from catalogs.about_voice import VIEW, about_voice_dictionary
from catalogs.catalog import Catalog
from catalogs.errors import UsageError
from catalogs.hypotheses import hypotheses_dictionary
from catalogs.lake import Lake, query, quoted
from catalogs.takes import dictionary

# The flat table is what `takes` becomes; the other two keep the books of the corpus itself.
_LEFT_OUT = frozenset({"flattened", "migration", "takes", "takes_flat"})


def write_single_file(catalog: Catalog, to: Path) -> int:
    """Write every table, and ``takes`` as a table whose columns carry their meaning; gives how many takes it has.

    All of it is of one moment, also while a job writes the corpus. The file appears when it is complete, and any
    DuckDB since 1.2 reads it.

    Raises:
        UsageError: if ``to`` exists.
    """
    if to.exists():
        raise UsageError(f"{to} is there already; remove it, or name another file")
    to.parent.mkdir(parents=True, exist_ok=True)
    part = to.with_name(f".{to.name}.part")
    part.unlink(missing_ok=True)
    lake = catalog.lake
    try:
        lake.run(f"ATTACH {quoted(part)} AS single (STORAGE_VERSION 'v1.2.0')")
        try:
            with lake.transaction():
                num_takes = _copy(lake)
        finally:
            lake.run("DETACH single")
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return num_takes


def _copy(lake: Lake) -> int:
    for (table,) in lake.rows(query("tables")):
        if table not in _LEFT_OUT:
            lake.run(f'CREATE TABLE single."{table}" AS FROM corpus."{table}"')
    num_takes = lake.run("CREATE TABLE single.takes AS FROM corpus.takes ORDER BY voice, take_id")
    columns = dictionary(lake).to_pylist()
    for row in columns:
        _explain(lake, "takes", row)
    for row in about_voice_dictionary({row["column"] for row in columns}).to_pylist():
        _explain(lake, VIEW, row)
    for row in hypotheses_dictionary(lake).to_pylist():
        _explain(lake, row["family"], row)
    return num_takes


def _explain(lake: Lake, table: str, row: Mapping[str, str]) -> None:
    """Put a row of the dictionary on the column that it is about."""
    better = "" if row["better"] == "neither" else f"; {row['better']} is better"
    unit = f" [{row['unit']}]" if row["unit"] else ""
    lake.run(f'COMMENT ON COLUMN single."{table}"."{row["column"]}" IS {quoted(row["meaning"] + unit + better)}')
