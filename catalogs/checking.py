"""What may be wrong with a shard, and with the rows of a corpus; looking changes nothing."""

import tarfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalogs import flac, takes
from catalogs.audio import PART, AudioStore, Place, hash_file, is_held
from catalogs.errors import AudioError
from catalogs.ids import Id
from catalogs.lake import Lake, query
from catalogs.records import Shard
from catalogs.rows import IDENTITY


@dataclass(frozen=True, slots=True)
class Claim:
    """What a row says: this take lies there, and its samples have this hash."""

    take_id: Id
    place: Place
    pcm_sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """A shard as it was found: its fault, if any, and which of its takes are sound and which are lost.

    ``unowned_bytes`` are those of members that no row claims.
    """

    name: str
    fault: str | None = None
    message: str = ""
    sound: tuple[Claim, ...] = ()
    lost: tuple[Claim, ...] = ()
    num_bytes: int = 0
    unowned_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Loose:
    """Rows of one table that repeat another, speak of a take that is not there, or are of a set that is not whole.

    ``doubtful`` is their SQL.
    """

    fault: str
    table: str
    count: int
    doubtful: str


def claims(lake: Lake, *, shard: str | None = None) -> Mapping[str, list[Claim]]:
    """What the rows of `take` say, by shard; of one shard if it is named."""
    by_shard: dict[str, list[Claim]] = defaultdict(list)
    for take_id, name, offset, num_bytes, pcm_sha256 in lake.rows(query("claims"), shard=shard):
        by_shard[name].append(Claim(str(take_id), Place(name, offset, num_bytes), pcm_sha256))
    return by_shard


def check_shard(
    store: AudioStore, name: str, shard: Shard | None, claimed: Sequence[Claim], *, deep: bool = False
) -> Found:
    """Hold a shard against its row and its takes' rows; takes are decoded if the hash is another, or if ``deep``."""
    path = store.path(name)
    if path is None:
        return Found(name, "shard missing", f"{store.folder / name} is gone", lost=tuple(claimed))
    num_bytes = path.stat().st_size
    if path.name.endswith(PART):
        if is_held(path):
            return Found(name, sound=tuple(claimed), num_bytes=num_bytes)
        sound, lost = _decoded(store, claimed)
        return Found(name, "shard unsealed", "a killed job left it open", sound, lost, num_bytes)
    is_same = shard is not None and num_bytes == shard.num_bytes and hash_file(path) == shard.sha256
    members = _members(store, name)
    unowned = sum(size for place, size in members.items() if place not in {c.place.offset for c in claimed})
    if is_same and not deep:
        lost = tuple(c for c in claimed if members.get(c.place.offset) != c.place.num_bytes)
        sound = tuple(c for c in claimed if c not in set(lost))
    else:
        sound, lost = _decoded(store, claimed)
    fault, message = _fault(shard, is_same=is_same, num_bytes=num_bytes, has_lost=bool(lost))
    return Found(name, fault, message, sound, lost, num_bytes, unowned)


OF_TAKES = ("hypothesis", "understanding", "verdict")
"""Tables of what is said of takes, beside those of scores."""

_STRAY_SETS = "SELECT interleaving_id FROM unit ANTI JOIN take ON take.id = unit.take_id WHERE unit.take_id IS NOT NULL"


def loose_rows(lake: Lake) -> list[Loose]:
    """Rows that repeat another row's identity, or that score, judge, hear or cut a take that is not there.

    A set of sequences with a unit of such a take is lost as a whole; the units of one that has no row are unfinished.
    """
    scores = [family.table for family in takes.families(lake)]
    keys = {**IDENTITY, **dict.fromkeys(scores, ("take_id", "version"))}
    suspects = [
        (
            "duplicate",
            table,
            f"FROM {table} QUALIFY row_number() OVER (PARTITION BY {', '.join(same)} ORDER BY rowid) > 1",
        )
        for table, same in sorted(keys.items())
    ]
    suspects += [
        ("stray", table, f"FROM {table} ANTI JOIN take ON take.id = {table}.take_id")
        for table in sorted([*OF_TAKES, *scores])
    ]
    suspects += [
        ("stray", "interleaving", f"FROM interleaving WHERE id IN ({_STRAY_SETS})"),
        ("stray", "unit", f"FROM unit WHERE interleaving_id IN ({_STRAY_SETS})"),
        ("unfinished", "unit", "FROM unit ANTI JOIN interleaving ON interleaving.id = unit.interleaving_id"),
    ]
    counts = lake.rows(
        " UNION ALL ".join(
            f"SELECT {number}, count(*) FROM (SELECT {table}.rowid {rest})"
            for number, (_, table, rest) in enumerate(suspects)
        )
        + " ORDER BY 1"
    )
    return [
        Loose(fault, table, count, f"SELECT {table}.rowid {rest}")
        for (fault, table, rest), (_, count) in zip(suspects, counts, strict=True)
        if count
    ]


def dangling(lake: Lake) -> list[tuple[str, str, int]]:
    """References that lead nowhere: (table, column, how many rows)."""
    return [(table, column, count) for table, column, count in lake.rows(query("dangling")) if count]


def _fault(shard: Shard | None, *, is_same: bool, num_bytes: int, has_lost: bool) -> tuple[str | None, str]:
    if shard is None:
        return "shard unrecorded", "takes lie in it and it has no row"
    if num_bytes < shard.num_bytes:
        return "shard truncated", f"{num_bytes:,} bytes where {shard.num_bytes:,} are expected"
    if not is_same:
        return "shard altered", f"its SHA-256 is not {shard.sha256[:12]}…"
    if has_lost:
        return "take misplaced", "its bytes are not where its row says, or are not its samples"
    return None, ""


def _decoded(store: AudioStore, claimed: Sequence[Claim]) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
    sound: list[Claim] = []
    lost: list[Claim] = []
    for claim in claimed:
        (sound if is_sound(store, claim) else lost).append(claim)
    return tuple(sound), tuple(lost)


def is_sound(store: AudioStore, claim: Claim) -> bool:
    """Whether a take's bytes decode to the samples that its row promises."""
    try:
        samples, _ = flac.decode(store.read(claim.place))
    except AudioError:
        return False
    return flac.pcm_sha256(samples) == claim.pcm_sha256


def _members(store: AudioStore, name: str) -> dict[int, int]:
    """Offset and size of the files in a tar, as far as it can be read."""
    members: dict[int, int] = {}
    try:
        with tarfile.open(store.folder / name, "r:") as tar:
            for member in tar:
                members[member.offset_data] = member.size
    except (tarfile.TarError, OSError):
        return members
    return members
