"""Releases: frozen, named selections that own their member rows and carry every licence in them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa

from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.config import nearest
from catalogs.console import ask
from catalogs.errors import ReleaseError
from catalogs.export import ReleasedTake
from catalogs.families import families
from catalogs.ids import Id, content_id
from catalogs.lake import query
from catalogs.records import Prompt, Release, ReleaseItem, Slot, Take, VoiceCard
from catalogs.rows import to_arrow

DEFAULT_SPLIT = "train"
NUMBERS = ("DOUBLE", "INTEGER", "BOOLEAN")


def select(
    folder: Path, *, where: str, job_id: Id | None = None, order: str | None = None, limit: int | None = None
) -> list[Id]:
    """Takes by an SQL condition over ``takes``, asked through the console; ties of ``order`` are broken by id.

    Raises:
        UsageError: for a mistake in the condition.
        QueryRefused: for a condition that does more than read this corpus.
    """
    job = f" AND line_id IN (SELECT line_id FROM job_line WHERE job_id = '{UUID(job_id)}')" if job_id else ""
    by = f"{order}, take_id" if order else "take_id"
    sql = f"SELECT take_id FROM takes WHERE ({where}\n){job} ORDER BY {by}" + (f" LIMIT {limit}" if limit else "")
    chosen: list[Id] = ask(folder, sql)["take_id"].to_pylist()
    return chosen


def freeze(catalog: Catalog, name: str, *, take_ids: Sequence[Id], made_by: str, job_id: Id | None = None) -> Release:
    """Freeze takes under a name; the same name with the same members is the release that is there already.

    The id is the hash of the members' ids, texts, samples and splits, whatever their order.

    Raises:
        ReleaseError: if there are no takes, some are unknown, or the name is taken by other members.
    """
    with catalog.lake.transaction():
        members = _members(catalog, name, take_ids)
        release = _described(members, name=name, made_by=made_by, job_id=job_id)
        known = next((r for r in releases(catalog) if r.name == name), None)
        if known is None:
            catalog.lake.insert("release", to_arrow([release]))
            items = [ReleaseItem(release.id, str(member[0]), member[3]) for member in members]
            catalog.add(items)
            return release
    if known.id != release.id:
        raise ReleaseError(
            f"release {name!r} is there already, with {known.num_takes:,} takes that are not these "
            f"{release.num_takes:,}; a release never changes: give this one another name (release.name in a recipe)"
        )
    return known


def altered(catalog: Catalog) -> list[tuple[Release, int]]:
    """Releases that are no longer what was frozen, with how many takes they still have."""
    found = []
    for release in releases(catalog):
        rows = catalog.lake.rows(query("release_contents"), release_id=release.id)
        if _id_of(rows) != release.id:
            found.append((release, len(rows)))
    return found


def releases(catalog: Catalog) -> list[Release]:
    """All releases of a corpus, oldest first."""
    rows = catalog.lake.rows(query("releases"))
    return [replace(Release(*row), licences=tuple(row[-1])) for row in rows]


def release_named(catalog: Catalog, name: str, *, split: str | None = None) -> Release:
    """The release of this name, which has takes of a ``split``, if that is given.

    Raises:
        ReleaseError: if there is none, with those there are; the same of splits.
    """
    known = releases(catalog)
    for release in known:
        if release.name == name:
            if split is not None:
                _check_split(catalog, release, split)
            return release
    names = ", ".join(r.name for r in known) or "none yet"
    raise ReleaseError(f"no release {name!r} in {catalog.folder}; known: {names}")


def _check_split(catalog: Catalog, release: Release, split: str) -> None:
    known = [row[0] for row in catalog.lake.rows(query("release_splits"), release_id=release.id)]
    if split not in known:
        raise ReleaseError(
            f"release {release.name!r} in {catalog.folder} has no takes of split {split!r}{nearest(split, known)}"
        )


def members(catalog: Catalog, release: Release) -> Iterator[ReleasedTake]:
    """The members with their audio and their scores, split by split, in the order of their ids.

    That order is shuffled, and the same whoever recorded them when, so that the same release exports to the same bytes.
    """
    scores = [f.named(c) for f in families(catalog.lake) for c in f.card.columns if c.type in NUMBERS]
    fields = ", ".join(f'"{name}": takes."{name}"::DOUBLE' for name in scores) or "none: NULL::DOUBLE"
    for row in catalog.stream(query("release_takes").format(scores=fields), release_id=release.id):
        take = Take(**row["take"])
        prompt = row["prompt"]
        slots = tuple(Slot(name, value) for name, value in prompt.pop("slots") or ())
        entities = tuple(Slot(e["name"], e["value"]) for e in prompt.pop("entities") or ())
        yield ReleasedTake(
            take=take,
            prompt=Prompt(**prompt, slots=slots, entities=entities),
            voice=VoiceCard(**row["voice"]),
            split=row["split"],
            flac=catalog.audio.read(Place(take.shard, take.offset, take.num_bytes)),
            scores={name: row["scores"][name] for name in scores},
        )


def _members(catalog: Catalog, name: str, take_ids: Sequence[Id]) -> list[tuple[Any, ...]]:
    if not take_ids:
        raise ReleaseError(f"release {name!r} would be empty: nothing was selected")
    chosen = pa.table({"take_id": pa.array(take_ids, pa.string())})
    with catalog.lake.lent("chosen", chosen):
        members = catalog.lake.rows(query("release_members"), default_split=DEFAULT_SPLIT)
    if len(members) != len(set(take_ids)):
        raise ReleaseError(
            f"release {name!r}: {len(set(take_ids)):,} takes were chosen, and {len(members):,} of them are in "
            f"{catalog.folder}; look for the others with `synthgen verify`"
        )
    return members


def _described(members: Sequence[tuple[Any, ...]], *, name: str, made_by: str, job_id: Id | None) -> Release:
    return Release(
        id=_id_of(members),
        name=name,
        job_id=job_id,
        made_by=made_by,
        created=datetime.now(UTC).replace(tzinfo=None),
        num_takes=len(members),
        audio_s=sum(audio_s for *_, audio_s, _ in members),
        licences=tuple(sorted({licence for *_, licence in members})),
    )


def _id_of(members: Sequence[tuple[Any, ...]]) -> Id:
    return content_id("release", [[str(cell) for cell in member[:4]] for member in members])
