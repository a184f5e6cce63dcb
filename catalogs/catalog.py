"""The catalog of one corpus: what is known, what is missing, and what has just been done.

The driver of a job writes takes, and what is done with them. Rows are immutable and have a content id, so adding them
twice changes nothing; others may add rows that nobody else has a say in, such as hypotheses, beside a job.
"""

import json
import platform
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalogs import corpus, takes
from catalogs.audio import AudioStore, hash_file, padded
from catalogs.errors import CorpusMissing
from catalogs.ids import Id
from catalogs.lake import SQLITE, Lake, query
from catalogs.meanwhile import Meanwhile
from catalogs.migrating import is_outdated, migrate
from catalogs.records import Failure, MetricCard, Score, Shard, Take, Verdict
from catalogs.rows import IDENTITY, TABLES, scores_to_arrow, to_arrow

COMMITS_PER_COMPACTION = 50
ROWS_PER_FLATTENING = 200_000


@dataclass(slots=True)
class Done:
    """Finished work, to be committed in one transaction."""

    takes: list[Take] = field(default_factory=list)
    shards: list[Shard] = field(default_factory=list)
    scores: dict[MetricCard, list[Score]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.takes or self.shards or any(self.scores.values()) or self.verdicts or self.failures)


class Catalog:
    """An open corpus: `Catalog.create` to write, `Catalog.open` to read."""

    def __init__(self, folder: Path, lake: Lake, *, metadata_at: str) -> None:
        self.folder = folder
        self.lake = lake
        self.metadata_at = metadata_at
        self.audio = AudioStore(folder / "audio")
        self._commits = 0
        self._meanwhile = None if metadata_at == SQLITE or lake.read_only else Meanwhile(lake)

    @classmethod
    def open(cls, folder: Path) -> "Catalog":
        """Open a corpus for reading, while a job may be writing it; one of an earlier synthgen is brought up first.

        Raises:
            CorpusMissing: if there is none.
            CorpusTooNew: if a later synthgen wrote it.
        """
        if not (folder / corpus.SETTINGS).exists():
            raise CorpusMissing(f"no corpus at {folder}: expected {corpus.SETTINGS} in it; `synthgen run` makes one")
        metadata_at = corpus.metadata_of(folder)
        lake = Lake(folder, metadata=metadata_at, read_only=True)
        if is_outdated(lake, folder):
            lake.close()
            cls.create(folder, metadata_at=metadata_at).lake.close()
            lake = Lake(folder, metadata=metadata_at, read_only=True)
        return cls(folder, lake, metadata_at=metadata_at)

    @classmethod
    def create(cls, folder: Path, *, metadata_at: str | None = None) -> "Catalog":
        """Open a corpus for writing; it is made, or brought up to this version, if need be.

        ``metadata_at`` is where it has its metadata, None where it has them already, or SQLite. Hold the `job` lock
        around everything that writes, but for `add` and what is no more than a transaction.
        """
        metadata_at = corpus.metadata_of(folder) if metadata_at is None else metadata_at
        corpus.create(folder, metadata=metadata_at)
        lake = Lake(folder, metadata=metadata_at)
        migrate(lake, folder)
        return cls(folder, lake, metadata_at=metadata_at)

    def __enter__(self) -> "Catalog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.lake.close()

    def job(self, command: str) -> AbstractContextManager[None]:
        """The right to write: one job at a time on SQLite, many on Postgres."""
        return corpus.job_lock(self.folder, metadata=self.metadata_at, command=command)

    def add(self, rows: Sequence[Any]) -> int:
        """Add records of one class that are not there yet; gives how many were new."""
        if not rows:
            return 0
        table = TABLES[type(rows[0])]
        keys = IDENTITY[table]
        unique = {tuple(getattr(r, k) for k in keys): r for r in reversed(rows)}
        same = " AND ".join(f"known.{k}::VARCHAR IS NOT DISTINCT FROM batch.{k}::VARCHAR" for k in keys)
        with self.lake.transaction():
            return self.lake.insert(
                table,
                to_arrow(list(reversed(unique.values()))),
                where=f"ANTI JOIN (SELECT {', '.join(keys)} FROM {table}) AS known ON {same}",
            )

    def commit(self, done: Done) -> None:
        """Write finished work, all or nothing, and compact now and then.

        What another job has committed meanwhile (Postgres) is not written again.
        """
        if not done:
            return
        with self.lake.transaction():
            for rows in (done.takes, done.shards, done.verdicts, done.failures):
                if rows:
                    table = TABLES[type(rows[0])]
                    self._append(table, to_arrow(rows), IDENTITY[table])
            for card, scores in done.scores.items():
                if scores:
                    self._append(takes.score_table(card), scores_to_arrow(card, scores), ("take_id", "version"))
        if self._meanwhile:
            self._meanwhile.committed()
        self._commits += 1
        if self._commits >= COMMITS_PER_COMPACTION and not self.lake.in_transaction:
            self.tidy()

    def tidy(self) -> None:
        """Merge small files, and make ``takes`` fast again if much has come in since it last was."""
        held, newer = takes.tail(self.lake)
        if newer > max(ROWS_PER_FLATTENING, held):
            takes.flatten(self.lake)
        self.lake.compact()
        self._commits = 0

    def ask(self, name: str, **parameters: Any) -> pa.Table:
        """Run one of the named queries of ``catalogs/sql/queries`` and fetch the result."""
        return self.lake.table(query(name), **parameters)

    def stream(self, sql: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Run a query once and walk over its rows in order, in flat memory, while others are written."""
        spilled = self.lake.scratch / f"{uuid.uuid4().hex}.parquet"
        self.lake.spill(sql, spilled, **parameters)
        with pq.ParquetFile(spilled) as file:
            spilled.unlink()  # an open file outlives its name, and this one is not to outlive the process
            for batch in file.iter_batches(batch_size=4096):
                yield from batch.to_pylist()

    def count(self, table: str) -> int:
        """How many rows a table has."""
        number: int = self.lake.rows(f"SELECT count(*) FROM {table}")[0][0]
        return number

    def begin_run(self, job_id: Id | None, command: str) -> Id:
        """Note that a command starts on this corpus."""
        run_id = str(uuid.uuid4())
        self.lake.run(
            "INSERT INTO run BY NAME SELECT $id::UUID AS id, $job_id::UUID AS job_id, $command AS command, "
            "$host AS host, $versions AS versions, $started::TIMESTAMP AS started",
            id=run_id, job_id=job_id, command=command, host=socket.gethostname(), versions=_versions(),
            started=_now(),
        )  # fmt: skip
        return run_id

    def end_run(self, run_id: Id, outcome: str) -> None:
        """Note how the command ended."""
        self.lake.run(
            "UPDATE run SET ended = $ended, outcome = $outcome WHERE id = $id::UUID",
            ended=_now(), outcome=outcome, id=run_id,
        )  # fmt: skip

    def seal_abandoned(self) -> list[Shard]:
        """Bring in order the shards that a killed job left open: committed takes stay, the rest is cut off."""
        sealed = []
        for name in self.audio.parts():
            places = self.lake.rows('SELECT "offset", num_bytes FROM take WHERE shard = $name', name=name)
            end = max((offset + padded(size) for offset, size in places), default=0)
            shard = self.audio.seal_part(name, committed_bytes=end, num_takes=len(places))
            if shard:
                sealed.append(shard)
        for name, num_takes in self.lake.rows(query("unsealed_shards")):
            path = self.audio.folder / name
            if path.exists() and name not in {shard.name for shard in sealed}:
                sealed.append(Shard(name, hash_file(path), path.stat().st_size, num_takes))
        self.commit(Done(shards=sealed))
        return sealed

    def reopen(self, *, reason: str | None) -> int:
        """Forget failures (all, or those with one error code) so that the next run tries their items again.

        Prompts that were left out stay so: another text is another prompt.
        """
        return self.lake.run(
            "DELETE FROM failure WHERE stage NOT IN ('ingest', 'cast') AND ($reason IS NULL OR error = $reason)",
            reason=reason,
        )

    def _append(self, table: str, rows: pa.Table, keys: Sequence[str]) -> None:
        new = self._meanwhile.new(table, rows, keys) if self._meanwhile else rows
        self.lake.insert(table, new)


def _versions() -> str:
    names = ("synthgen-studio", "duckdb", "numpy", "onnxruntime", "ray", "torch")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return json.dumps(found)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
