"""The SQL console: anybody's questions to a corpus, answered read-only, while a job writes it."""

import re
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from catalogs.catalog import Catalog
from catalogs.errors import UsageError
from catalogs.lake import HAS_WINDOW, Lake
from catalogs.permitted import Permit

TIMEOUT_S = 300.0

_KIND = re.compile(r"^(\w+ )*?\w+ Error: ")
_CANDIDATE = re.compile(r'Candidate bindings: "([^"]+)"')


class Console:
    """A locked session over one corpus: it reads the corpus, and can do nothing else."""

    def __init__(self, folder: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        """Open the corpus in ``folder``.

        Raises:
            CorpusMissing: if there is none.
            CorpusTooNew: if a later synthgen wrote it.
        """
        self._folder = folder
        self._timeout_s = timeout_s
        self._sessions: dict[bool, Lake] = {}
        self._permit = Permit(self._session(one_thread=False))

    def __enter__(self) -> "Console":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lake in self._sessions.values():
            lake.close()

    def ask(self, sql: str) -> pa.Table:
        """Answer one SELECT, or a FROM, WITH, DESCRIBE, SUMMARIZE or SHOW TABLES.

        Raises:
            UsageError: for a mistake in the SQL, with the line and a caret under the place.
            QueryRefused: for SQL that would do more than read this corpus, or that takes too long.
        """
        try:
            statement = self._permit.check(sql)
            lake = self._session(one_thread=bool(HAS_WINDOW.search(statement)))
            return lake.answer(statement, timeout_s=self._timeout_s)
        except UsageError as error:
            raise UsageError(_told(str(error))) from error

    def _session(self, *, one_thread: bool) -> Lake:
        # A locked session cannot change its number of threads, and windows need one (see Lake).
        if one_thread not in self._sessions:
            lake = Catalog.open(self._folder).lake
            lake.lock_down(threads=1 if one_thread else None)
            self._sessions[one_thread] = lake
        return self._sessions[one_thread]


def ask(folder: Path, sql: str, *, timeout_s: float = TIMEOUT_S) -> pa.Table:
    """Answer one question to the corpus in ``folder``; see `Console.ask`."""
    with Console(folder, timeout_s=timeout_s) as console:
        return console.ask(sql)


def _told(message: str) -> str:
    """DuckDB's account of a mistake as one sentence, its nearest name, and the place with a caret."""
    head, found, place = message.partition("\n\nLINE ")
    sentence = _KIND.sub("", head.splitlines()[0]).rstrip("!.")
    near = _CANDIDATE.search(head)
    if near:
        sentence += f'; did you mean "{near[1]}"?'
    return sentence + (f"\nLINE {place}" if found else "")
