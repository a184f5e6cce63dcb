"""Is the corpus whole? Every shard is hashed, every row is followed to its bytes, and damage can be mended.

Repair keeps what is sound and forgets what is lost, so that the same `run` records it again; no file is deleted, only
moved to ``audio/.orphans``. A release that lost a member is reported and never changed.
"""

import time
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import pyarrow as pa

from catalogs import takes
from catalogs.audio import PART, is_held
from catalogs.catalog import Catalog
from catalogs.checking import Found, Loose, check_shard, claims, dangling, loose_rows
from catalogs.ids import Id
from catalogs.lake import SQLITE, query
from catalogs.records import Failure, Shard
from catalogs.release import altered
from catalogs.rows import to_arrow
from catalogs.sequences import forget_sets

STAGE = "verify"
# Between sealing a shard and committing its row, a living job's file looks like an orphan.
YOUNG_S = 900.0

_LOOSE = {
    "duplicate": "repeat another",
    "stray": "speak of takes that are not there",
    "unfinished": "are of sets that are not whole; the same `synthgen interleave` completes one",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, which takes are lost by it, and what was done about it, if anything."""

    fault: str
    subject: str
    message: str
    lost: tuple[Id, ...] = ()
    done: str | None = None

    def text(self) -> str:
        """The problem in one sentence."""
        lost = f"; {len(self.lost):,} takes lost" if self.lost else ""
        return f"{self.fault}: {self.subject}: {self.message}{lost}" + (f" → {self.done}" if self.done else "")


@dataclass(slots=True)
class Report:
    """What was looked at, and what was wrong.

    ``unowned_bytes`` lie in shards and belong to no take; they cost room and nothing else.
    """

    shards: int = 0
    takes: int = 0
    num_bytes: int = 0
    unowned_bytes: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: all is well, or is again; 5: mended, but takes were lost; 3: something is wrong and was left so."""
        if any(problem.done is None for problem in self.problems):
            return 3
        return 5 if any(problem.lost for problem in self.problems) else 0

    def text(self) -> str:
        """A line a problem, and a last one with the figures."""
        looked_at = f"{self.shards:,} shards, {self.takes:,} takes, {self.num_bytes / 1e9:.2f} GB"
        left = sum(problem.done is None for problem in self.problems)
        state = f"{len(self.problems):,} problems, {left:,} of them left" if self.problems else "all is well"
        unowned = f"; {self.unowned_bytes / 1e6:.1f} MB belong to no take" if self.unowned_bytes else ""
        return "\n".join([*(problem.text() for problem in self.problems), f"{looked_at}: {state}{unowned}"])


def verify(
    catalog: Catalog, *, repair: bool = False, deep: bool = False, watch: Callable[[Report], None] | None = None
) -> Report:
    """Check the corpus; ``deep`` decodes every take, not only those of a shard whose hash has changed.

    ``watch`` sees the report grow, shard by shard. Repair writes: hold the `Catalog.job` lock. What a running job has
    open is left alone.
    """
    report = Report()
    claimed = claims(catalog.lake)
    rows = catalog.lake.rows("SELECT name, sha256, num_bytes, num_takes FROM shard ORDER BY name")
    shards = {row[0]: Shard(*row) for row in rows}
    for name in sorted(claimed.keys() | shards.keys()):
        found = check_shard(catalog.audio, name, shards.get(name), claimed.get(name, []), deep=deep)
        report.shards += 1
        report.takes += len(claimed.get(name, []))
        report.num_bytes += found.num_bytes
        report.unowned_bytes += found.unowned_bytes
        if found.fault:
            problem = _faulty(catalog, name, deep=deep, repair=repair)
            report.problems += [problem] if problem else []
        if watch:
            watch(report)
    report.problems += _orphans(catalog, repair=repair)
    report.problems += [_loose(catalog, loose, repair=repair) for loose in loose_rows(catalog.lake)]
    report.problems += [
        Problem("dangling", f"{table}.{column}", f"{count:,} rows point at nothing; restore the table from a backup")
        for table, column, count in dangling(catalog.lake)
    ]
    report.problems += _altered(catalog)
    return report


def _faulty(catalog: Catalog, name: str, *, deep: bool, repair: bool) -> Problem | None:
    """Look again at a shard that seemed faulty, by the rows of now, and mend it in the same transaction.

    A living job (Postgres) may have committed takes and sealed their shard since rows were read first. None if all is
    well, or if a job has only just written it.
    """
    with catalog.lake.transaction() if repair else nullcontext():
        found = _looked_at(catalog, name, deep=deep)
        is_living = found.fault == "shard unrecorded" and _may_be_in_use(catalog, name, repair=repair)
        if found.fault is None or is_living:
            return None
        problem = Problem(found.fault, name, found.message, tuple(claim.take_id for claim in found.lost))
        done = _mend(catalog, found) if repair else None
    path = catalog.audio.path(name) if done else None
    aside = f", the file moved to {catalog.audio.set_aside(path)}" if path else ""
    return replace(problem, done=done and done + aside)


def _looked_at(catalog: Catalog, name: str, *, deep: bool) -> Found:
    claimed = claims(catalog.lake, shard=name).get(name, [])  # first: a shard's row comes after those of its takes
    rows = catalog.lake.rows("SELECT name, sha256, num_bytes, num_takes FROM shard WHERE name = $name", name=name)
    return check_shard(catalog.audio, name, Shard(*rows[0]) if rows else None, claimed, deep=deep)


def _mend(catalog: Catalog, found: Found) -> str:
    """Write the sound takes of a faulty shard into a new one, and forget the lost; within a transaction."""
    lake = catalog.lake
    writer = catalog.audio.writer(f"rescued-{uuid.uuid4().hex[:16]}")
    sound = ((claim.take_id, catalog.audio.read(claim.place)) for claim in found.sound)
    places = writer.append(sound) if found.sound else []
    rescued = writer.seal()
    moved = {
        "id": pa.array([claim.take_id for claim in found.sound], pa.string()),
        "shard": pa.array([place.shard for place in places], pa.string()),
        "offset": pa.array([place.offset for place in places], pa.int64()),
    }
    with lake.lent("moved", pa.table(moved)):
        lake.run(
            'UPDATE take SET shard = moved.shard, "offset" = moved."offset" FROM moved '
            "WHERE take.id = moved.id::UUID AND take.shard = $name",
            name=found.name,
        )
        lake.run("DELETE FROM shard WHERE name = $name", name=found.name)
        if rescued:
            lake.insert("shard", to_arrow(rescued))
            takes.reset(lake)
        _forget(catalog, found)
    kept = f"{len(found.sound):,} takes saved in {rescued[0].name}" if rescued else "nothing could be saved"
    return kept + (", the lost forgotten: run the job again to record them" if found.lost else "")


def _forget(catalog: Catalog, found: Found) -> None:
    lost = [claim.take_id for claim in found.lost]
    if not lost:
        return
    catalog.lake.run("DELETE FROM take WHERE shard = $name", name=found.name)
    with catalog.lake.lent("gone", pa.table({"id": pa.array(lost, pa.string())})):
        copies = catalog.lake.rows("SELECT id FROM take WHERE id IN (SELECT id::UUID FROM gone) ORDER BY id")
    if copies:
        takes.reset(catalog.lake)
    lost = sorted(set(lost) - {str(row[0]) for row in copies})
    takes.forget(catalog.lake, lost)
    forget_sets(catalog, lost)
    message = f"{found.fault}: {found.name}: {found.message}"
    catalog.add([Failure(STAGE, take_id, 1, "AudioLost", message) for take_id in lost])


def _orphans(catalog: Catalog, *, repair: bool) -> list[Problem]:
    """Files that no row knows, unless a living job has just written them."""
    problems = []
    files = sorted(catalog.audio.folder.glob("*.tar*"))
    known = {row[0] for row in catalog.lake.rows(query("known_shards"))}
    for path in files:
        name = path.name.removesuffix(PART)
        if name not in known and not _may_be_in_use(catalog, name, repair=repair):
            done = f"moved to {catalog.audio.set_aside(path)}" if repair else None
            problems.append(Problem("orphan", path.name, "no row knows this file", done=done))
    return problems


def _may_be_in_use(catalog: Catalog, name: str, *, repair: bool) -> bool:
    path = catalog.audio.path(name)
    if path is None or is_held(path):
        return True
    alone = repair and catalog.metadata_at == SQLITE
    return not alone and time.time() - path.stat().st_mtime < YOUNG_S


def _loose(catalog: Catalog, loose: Loose, *, repair: bool) -> Problem:
    problem = Problem(loose.fault, loose.table, f"{loose.count:,} rows {_LOOSE[loose.fault]}")
    if not repair:
        return problem
    with catalog.lake.transaction():
        catalog.lake.run(f"DELETE FROM {loose.table} WHERE rowid IN ({loose.doubtful})")
        takes.reset(catalog.lake)
    return replace(problem, done="removed")


def _altered(catalog: Catalog) -> list[Problem]:
    return [
        Problem(
            "release altered",
            release.name,
            f"{release.num_takes:,} takes were frozen, {left:,} are there, and its hash is no longer the same; "
            "record what is lost again, or freeze anew",
        )
        for release, left in altered(catalog)
    ]
