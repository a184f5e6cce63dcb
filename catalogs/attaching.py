"""How DuckDB is to attach a corpus: the words of ``ATTACH``, the lock of its writers, the upkeep of its files."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from importlib.util import find_spec
from pathlib import Path

from catalogs.errors import CorpusMissing
from catalogs.queries import quoted

SQLITE = "sqlite"
HISTORY_DAYS = 30
# A file of this size is not merged again, so that a long job does not copy its first rows over and over.
LARGE_FILE_BYTES = 16 << 20
# DuckLake compares these times by day where the metadata is in SQLite: this keeps a merged file for 1 to 25 hours.
MERGED_STAY_HOURS = 25

UPKEEP = (
    f"CALL ducklake_expire_snapshots('corpus', older_than => now() - INTERVAL {HISTORY_DAYS} DAY)",
    f"CALL ducklake_merge_adjacent_files('corpus', max_file_size => {LARGE_FILE_BYTES})",
    f"CALL ducklake_cleanup_old_files('corpus', older_than => now() - INTERVAL {MERGED_STAY_HOURS} HOUR)",
)
"""Merge small files, drop those merged a while ago, and forget snapshots that are older than history reaches."""

MANY_FILES = 64
"""Parquet files of all tables together that are worth merging."""

NUM_FILES = "SELECT count(*) FROM __ducklake_metadata_corpus.ducklake_data_file WHERE end_snapshot IS NULL"


def attach_sql(folder: Path, *, metadata: str, read_only: bool, scratch: Path) -> str:
    """The statement that attaches the corpus in ``folder``; ``scratch`` takes a copy of the metadata if need be.

    Raises:
        CorpusMissing: if read-only and there is none.
    """
    tables, sqlite = folder / "tables", folder / "catalog.sqlite"
    options = f"DATA_PATH {quoted(f'{tables}/')}, OVERRIDE_DATA_PATH true" + (", READ_ONLY" if read_only else "")
    if not read_only:
        tables.mkdir(parents=True, exist_ok=True)
    if metadata != SQLITE:
        where = f"postgres:{metadata}"
    else:
        if read_only and not sqlite.exists():
            raise CorpusMissing(
                f"no corpus at {folder}: expected the file catalog.sqlite in it; `synthgen run` makes one"
            )
        where = f"sqlite:{_readable(sqlite, scratch) if read_only else sqlite}"
        # Without a write-ahead log, one long query would hold up every commit of the job.
        options += ", META_BUSY_TIMEOUT 30000" + ("" if read_only else ", META_JOURNAL_MODE 'WAL'")
    return f"ATTACH {quoted('ducklake:' + where)} AS corpus ({options})"


def extension_file(name: str, version: str) -> Path | None:
    """The file of a DuckDB extension that came as a Python package; None if it did not."""
    package = find_spec(f"duckdb_extension_{name}")
    if package is None or package.origin is None:
        return None
    return Path(package.origin).parent / "extensions" / f"v{version}" / f"{name}.duckdb_extension"


def num_threads() -> int:
    """As many as libraries are told to use, in ``OMP_NUM_THREADS``; otherwise one for each core."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdigit() and int(told) > 0 else os.cpu_count() or 1


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Wait for the other writers of this machine, and keep them waiting meanwhile."""
    with (folder / "commit.lock").open("w") as file:
        flock(file, LOCK_EX)
        yield


def _readable(sqlite: Path, scratch: Path) -> Path:
    """SQLite cannot read a write-ahead log where it cannot write: there, a copy of the (small) metadata is read."""
    if os.access(sqlite.parent, os.W_OK):
        return sqlite
    for path in sqlite.parent.glob("catalog.sqlite*"):
        shutil.copy(path, scratch / path.name)
    return scratch / sqlite.name
