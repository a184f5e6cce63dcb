"""Bringing a corpus up to the schema of this version: numbered SQL files, each applied once, in one transaction."""

from datetime import UTC, datetime
from pathlib import Path

from catalogs import takes
from catalogs.errors import CorpusTooNew
from catalogs.lake import Lake, schema


def migrate(lake: Lake, folder: Path) -> None:
    """Make the tables of a new corpus, or those that an older one lacks.

    Raises:
        CorpusTooNew: if a later synthgen wrote it.
    """
    if _refuse_later_schema(lake, folder) == schema()[-1][0]:
        return
    with lake.transaction():
        applied = _refuse_later_schema(lake, folder)  # another job may have been faster
        for version, name, sql in schema():
            if version > applied:
                lake.run(sql)
                lake.run(
                    "INSERT INTO migration VALUES ($version, $name, $now)",
                    version=version, name=name, now=datetime.now(UTC).replace(tzinfo=None),
                )  # fmt: skip
        takes.reset(lake)  # the view may read a column that has just come


def is_outdated(lake: Lake, folder: Path) -> bool:
    """Whether an earlier synthgen wrote it.

    Raises:
        CorpusTooNew: if a later one did.
    """
    return _refuse_later_schema(lake, folder) < schema()[-1][0]


def _refuse_later_schema(lake: Lake, folder: Path) -> int:
    if not lake.rows("SELECT 1 FROM duckdb_columns() WHERE database_name = 'corpus' AND table_name = 'migration'"):
        return 0
    applied: int = lake.rows("SELECT coalesce(max(version), 0) FROM migration")[0][0]
    ours = schema()[-1][0]
    if applied > ours:
        raise CorpusTooNew(
            f"{folder} has schema {applied}, this synthgen knows {ours}: upgrade with `pip install -U synthgen-studio`"
        )
    return applied
