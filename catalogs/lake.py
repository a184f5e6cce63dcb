"""The one seam to DuckDB: a session with one corpus attached as a DuckLake.

Rows live in Parquet under ``tables/``, metadata in SQLite (one machine) or Postgres (a team), so that
readers go on while a job writes. Foreign errors are translated here, and nowhere else.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from catalogs import attaching
from catalogs.attaching import NUM_FILES, SQLITE, UPKEEP, attach_sql, extension_file, num_threads, one_writer
from catalogs.errors import CatalogError, DiskFull, EngineError, QueryRefused, UsageError
from catalogs.queries import query, quoted, schema
from catalogs.scratch import Scratch
from catalogs.stopping import Stopped

__all__ = ["SQLITE", "Lake", "query", "quoted", "schema"]

T = TypeVar("T")
BUSY_S = 60.0
MEMORY_LIMIT = "2GB"

HAS_WINDOW = re.compile(r"\bOVER\b", re.IGNORECASE)
_BUSY = ("database is locked", "concurrent", "conflict")


class Lake:
    """A DuckDB connection to one corpus; not for use by two threads at once."""

    def __init__(self, folder: Path, *, metadata: str = SQLITE, read_only: bool = False) -> None:
        """Attach the corpus in ``folder``; ``metadata`` is "sqlite" or a Postgres DSN.

        Raises:
            CorpusMissing: if read-only and there is none.
            EngineError: if a DuckDB extension cannot be loaded.
        """
        self.folder = folder
        self.read_only = read_only
        self._scratch = Scratch(None if read_only else folder / ".tmp")
        self.scratch = self._scratch.folder
        self.in_transaction = self._is_locked = False
        names = ("ducklake", "sqlite_scanner" if metadata == SQLITE else "postgres_scanner")
        files = {name: extension_file(name, duckdb.__version__) for name in names}
        self._connection = duckdb.connect(
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": num_threads(),
                "temp_directory": str(self.scratch / "spill"),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                # A file that pip installed beside us needs no signature of 70 MB checked at every start (0.4 s).
                "allow_unsigned_extensions": all(files.values()),
            }
        )
        # A table name must never mean a variable of the Python program; what is slow must not write into results.
        self._connection.execute(
            "SET python_enable_replacements = false; SET TimeZone = 'UTC'; SET enable_progress_bar = false"
        )
        for name, file in files.items():
            self._load(name, file if all(files.values()) else None)
        attach = attach_sql(folder, metadata=metadata, read_only=read_only, scratch=self.scratch)
        with self._one_writer():
            self._patiently(lambda: self._connection.execute(attach))
        self._connection.execute("USE corpus")

    def close(self) -> None:
        """Close the connection; what was not committed is gone."""
        self._connection.close()
        self._scratch.close()

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement and fetch all its rows."""
        return self._ask(sql, parameters, lambda found: found.fetchall())

    def table(self, sql: str, **parameters: Any) -> pa.Table:
        """Run one statement and fetch the result as Arrow."""
        return self._ask(sql, parameters, lambda found: found.to_arrow_table())

    def run(self, sql: str, **parameters: Any) -> int:
        """Run one statement for its effect; gives how many rows it inserted, changed or deleted."""
        with self._one_writer():
            result = self.rows(sql, **parameters)
        return int(result[0][0]) if result and isinstance(result[0][0], int) else 0

    def spill(self, sql: str, to: Path, **parameters: Any) -> None:
        """Write a result to a Parquet file, so that it can be read in pieces while rows are written."""
        self.rows(f"COPY ({sql}) TO {quoted(to)} (FORMAT parquet, ROW_GROUP_SIZE 16384)", **parameters)

    def insert(self, table: str, rows: pa.Table, *, where: str = "") -> int:
        """Append Arrow rows by column name, and say how many; ``where`` may hold an anti-join on ``batch``."""
        with self.lent("batch", rows):
            return self.run(f"INSERT INTO {table} BY NAME SELECT batch.* FROM batch {where}")

    @contextmanager
    def lent(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let SQL see an Arrow table under this name for a while."""
        self._connection.register(name, rows)
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one writer of this machine at a time; a transaction inside another is part of it."""
        if self.in_transaction:
            yield
            return
        with self._one_writer():
            self.rows("BEGIN")
            self.in_transaction = True
            try:
                yield
                self.rows("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self.in_transaction = False

    def snapshot(self) -> int:
        """The number of the last committed snapshot."""
        return int(self.rows("FROM ducklake_current_snapshot('corpus')")[0][0])

    def compact(self) -> None:
        """Merge small Parquet files, if there are many; history and time travel stay, for a month."""
        if self.rows(NUM_FILES)[0][0] < attaching.MANY_FILES:
            return
        with self._one_writer():
            for call in UPKEEP:
                self.rows(call)

    def lock_down(self, *, threads: int | None = None) -> None:
        """Leave nothing but reading this corpus: no other files, no settings, no extensions."""
        if threads:
            self._connection.execute(f"SET threads = {threads}")
        self._connection.execute(f"SET allowed_directories = [{quoted(f'{self.folder}/')}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self._is_locked = True

    def statements(self, sql: str) -> list[tuple[str, str]]:
        """Split SQL into (statement type, text) without running it.

        Raises:
            UsageError: if it does not parse.
        """
        try:
            return [(s.type.name, s.query) for s in self._connection.extract_statements(sql)]
        except duckdb.Error as error:
            raise UsageError(str(error)) from error

    def answer(self, sql: str, *, timeout_s: float) -> pa.Table:
        """Run a user's own query, for so long at most.

        Raises:
            UsageError: if the SQL has a mistake; the message is DuckDB's, with the line and a caret.
            QueryRefused: if it takes too long, or would do what it may not.
        """
        timer = Timer(timeout_s, self._connection.interrupt)
        timer.start()
        try:
            return self.table(sql)
        except CatalogError as error:
            match error.__cause__:
                case duckdb.InterruptException():
                    raise QueryRefused(f"the query was stopped after {timeout_s:g} s") from error
                case duckdb.PermissionException():
                    raise
                case duckdb.ProgrammingError() | duckdb.DataError() | duckdb.NotSupportedError() as mistake:
                    raise UsageError(str(mistake)) from mistake
            raise
        finally:
            timer.cancel()

    def _load(self, name: str, file: Path | None) -> None:
        try:
            if file is None:
                self._connection.execute(f"INSTALL {name}")
            self._connection.execute(f"LOAD {quoted(file) if file else name}")
        except duckdb.Error as error:
            package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
            raise EngineError(f"DuckDB's {name} extension cannot be loaded; `pip install {package}`") from error

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        with nullcontext() if self.read_only or self.in_transaction else one_writer(self.folder):
            yield

    def _ask(self, sql: str, parameters: dict[str, Any], fetch: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        with self._no_race(sql):
            return self._patiently(lambda: fetch(self._connection.execute(sql, parameters or None)))

    @contextmanager
    def _no_race(self, sql: str) -> Iterator[None]:
        """Window functions run in one thread: in several, DuckDB 1.5.5 may lose the session (duckdb#25713)."""
        if self._is_locked or not HAS_WINDOW.search(sql):
            yield
            return
        self._connection.execute("SET threads = 1")
        try:
            yield
        finally:
            self._connection.execute(f"SET threads = {num_threads()}")

    def _roll_back(self) -> None:
        with suppress(duckdb.TransactionException):  # a commit that failed has rolled back already
            self._connection.execute("ROLLBACK")

    def _patiently(self, action: Callable[[], T]) -> T:
        """Try again for a while when somebody else is in the way, unless a transaction has been lost by it."""
        deadline, pause_s = time.monotonic() + BUSY_S, 0.02
        while True:
            try:
                return action()
            except RuntimeError as error:  # DuckDB's word for a signal handler that raised while it was at work
                if isinstance(error.__cause__, Stopped | KeyboardInterrupt):
                    raise error.__cause__ from None
                raise
            except duckdb.Error as error:
                is_busy = any(word in str(error) for word in _BUSY) and not self.in_transaction
                if not is_busy or time.monotonic() > deadline:
                    raise _translated(error, self.folder) from error
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, 1.0)


def _translated(error: duckdb.Error, folder: Path) -> Exception:
    message = str(error)
    first = message.splitlines()[0]
    if isinstance(error, duckdb.PermissionException):
        return QueryRefused(f"refused: {first}")
    if isinstance(error, duckdb.InternalException | duckdb.FatalException):
        return CatalogError(f"DuckDB itself failed on this query, which is a bug in it; put it in other words: {first}")
    if isinstance(error, duckdb.OutOfMemoryException):
        return CatalogError(f"the query needs more than {MEMORY_LIMIT} of memory: narrow it with WHERE, or add a LIMIT")
    if "No space left" in message or "disk is full" in message:
        return DiskFull(f"no room left in {folder}: free some space and run the same command again; nothing is lost")
    if isinstance(error, duckdb.IOException):
        return CatalogError(f"{folder}: {first}")
    return CatalogError(f"{folder}: {message}")
