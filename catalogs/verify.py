"""Is the corpus whole? Every sealed shard is hashed, every row is followed to its bytes, and damage can be mended.

Repair keeps what is sound and forgets what is lost, so that the same `run` records it again; nothing is deleted from
disk, only moved to ``audio/.orphans``. A release that lost a member is reported and never changed.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from catalogs import takes
from catalogs.audio import PART
from catalogs.catalog import Catalog
from catalogs.checking import Found, Row, check_shard, loose_rows, take_rows
from catalogs.ids import Id
from catalogs.lake import SQLITE
from catalogs.mending import forget, mend, mend_rows, set_aside
from catalogs.records import Shard
from catalogs.release import altered

YOUNG_S = 900.0


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, how many takes it concerns, and what was done, if anything."""

    kind: str
    subject: str
    message: str
    num_takes: int = 0
    lost: tuple[Id, ...] = ()
    repaired: str | None = None


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
        """0 all is well, or is again; 5 repaired, but takes were lost; 3 something is wrong and was left so."""
        if any(not problem.repaired for problem in self.problems):
            return 3
        return 5 if any(problem.lost for problem in self.problems) else 0

    def text(self) -> str:
        """The report in sentences, a problem a line."""
        lines = [
            f"{p.kind}: {p.subject}: {p.message}" + (f"; {p.repaired}" if p.repaired else "") for p in self.problems
        ]
        looked_at = f"{self.shards:,} shards, {self.takes:,} takes, {self.num_bytes / 1e9:.2f} GB"
        state = "all is well" if not self.problems else f"{len(self.problems):,} problems"
        unowned = f"; {self.unowned_bytes / 1e6:.1f} MB belong to no take" if self.unowned_bytes else ""
        return "\n".join([*lines, f"{looked_at}: {state}{unowned}"])


Watch = Callable[[int, int], None]


def verify(catalog: Catalog, *, repair: bool = False, deep: bool = False, watch: Watch | None = None) -> Report:
    """Check the corpus; ``deep`` decodes every take, not only those of a shard whose hash has changed.

    ``watch`` is told, after every shard, how many bytes have been read and how many there are. Repair needs the
    `Catalog.job` lock. What a running job has open is left alone.
    """
    report = Report()
    rows = take_rows(catalog.lake)
    shards = {row[0]: Shard(*row) for row in catalog.lake.rows("SELECT * FROM shard ORDER BY name")}
    names = sorted(rows.keys() | shards.keys())
    total = sum(shard.num_bytes for shard in shards.values())
    for name in names:
        found = check_shard(catalog.audio, name, shards.get(name), rows.get(name, []), deep=deep)
        report.shards += 1
        report.takes += len(rows.get(name, []))
        report.num_bytes += found.num_bytes
        report.unowned_bytes += found.unowned_bytes
        report.problems += [_told(catalog, found, rows.get(name, []), repair)] if found.fault else []
        if watch:
            watch(report.num_bytes, max(total, report.num_bytes))
    report.problems += _strangers(catalog, known=set(names), repair=repair)
    report.problems += _loose(catalog, repair=repair)
    for release, left in altered(catalog):
        missing = release.num_takes - left
        report.problems.append(
            Problem(
                "release altered",
                release.name,
                f"{missing:,} of its {release.num_takes:,} takes are gone; record them again, or freeze anew",
                num_takes=missing,
            )
        )
    return report


def _told(catalog: Catalog, found: Found, rows: list[Row], repair: bool) -> Problem:
    problem = Problem(found.fault, found.name, found.message, len(rows), lost=tuple(r.take_id for r in found.lost))
    if not repair or found.is_open:
        return problem
    done = mend(catalog, found, rows)
    return Problem(problem.kind, problem.subject, problem.message, problem.num_takes, problem.lost, repaired=done)


def _strangers(catalog: Catalog, *, known: set[str], repair: bool) -> list[Problem]:
    """Files that no row knows: what a killed job left behind, unless a living one is just writing it."""
    problems = []
    for path in sorted(catalog.audio.folder.glob("*.tar*")) if catalog.audio.folder.exists() else []:
        name = path.name.removesuffix(PART)
        if name in known or _is_in_use(catalog, path, repair=repair) or catalog.lake.rows(
            "SELECT 1 FROM take WHERE shard = $name UNION SELECT 1 FROM shard WHERE name = $name", name=name
        ):  # fmt: skip
            continue
        done = set_aside(catalog.audio, path) if repair else None
        problems.append(Problem("orphan", path.name, "no row knows this file", repaired=done))
    return problems


def _is_in_use(catalog: Catalog, path: Path, *, repair: bool) -> bool:
    if catalog.audio.is_held(path):
        return True
    # Between sealing a shard and committing its row, another job's file looks like an orphan.
    alone = repair and catalog.metadata_at == SQLITE
    return not alone and catalog.audio.age_s(path) < YOUNG_S


def _loose(catalog: Catalog, *, repair: bool) -> list[Problem]:
    problems = []
    counts: dict[str, list[str]] = defaultdict(list)
    for loose in loose_rows(catalog.lake):
        done = mend_rows(catalog.lake, loose) if repair else None
        counts[loose.kind].append(loose.table)
        problems.append(Problem(loose.kind, loose.table, f"{loose.count:,} rows {loose.meaning}", repaired=done))
    return problems


__all__ = ["Problem", "Report", "forget", "takes", "verify"]
