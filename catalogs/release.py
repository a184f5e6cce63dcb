"""Releases: frozen, named selections that own their member rows and carry every licence in them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa

from catalogs.audio import Place
from catalogs.catalog import Catalog
from catalogs.errors import ReleaseError
from catalogs.export import ReleasedTake
from catalogs.ids import Id, content_id
from catalogs.lake import query
from catalogs.records import Prompt, Release, Slot, Take, VoiceCard
from catalogs.rows import to_arrow

DEFAULT_SPLIT = "train"


def freeze(catalog: Catalog, name: str, *, take_ids: Sequence[Id], made_by: str, job_id: Id | None = None) -> Release:
    """Freeze takes under a name; the same name with the same members is the release that is there already.

    The id is the hash of the members' ids, texts, samples and splits, whatever their order.

    Raises:
        ReleaseError: if there are no takes, or the name is taken by other members.
    """
    if not take_ids:
        raise ReleaseError(f"release {name!r} would be empty: nothing was selected")
    with catalog.lake.lent("chosen", pa.table({"take_id": pa.array(take_ids, pa.string())})):
        members = catalog.lake.rows(query("release_members"), default_split=DEFAULT_SPLIT)
    release_id = content_id("release", [[str(cell) for cell in member[:4]] for member in members])
    known = [r for r in releases(catalog) if r.name == name]
    if known:
        if known[0].id == release_id:
            return known[0]
        raise ReleaseError(
            f"release {name!r} is there already, with {known[0].num_takes} other takes ({known[0].id}); "
            "a release never changes: give this one another name (release.name in a recipe)"
        )
    release = Release(
        id=release_id,
        name=name,
        job_id=job_id,
        made_by=made_by,
        created=datetime.now(UTC).replace(tzinfo=None),
        num_takes=len(members),
        audio_s=sum(audio_s for *_, audio_s, _ in members),
        licences=tuple(sorted({licence for *_, licence in members})),
    )
    items = pa.table(
        {
            "release_id": pa.array([release_id] * len(members), pa.string()),
            "take_id": pa.array([str(member[0]) for member in members], pa.string()),
            "split": pa.array([member[3] for member in members], pa.string()),
        }
    )
    with catalog.lake.transaction():
        catalog.lake.insert("release", to_arrow([release]))
        catalog.lake.insert("release_item", items)
    return release


def releases(catalog: Catalog) -> list[Release]:
    """All releases of a corpus, oldest first."""
    rows = catalog.lake.rows(query("releases"))
    return [replace(Release(*row), licences=tuple(row[-1])) for row in rows]


def release_named(catalog: Catalog, name: str) -> Release:
    """The release of this name.

    Raises:
        ReleaseError: if there is none, with those there are.
    """
    known = releases(catalog)
    for release in known:
        if release.name == name:
            return release
    names = ", ".join(r.name for r in known) or "none yet"
    raise ReleaseError(f"no release {name!r} in {catalog.folder}; known: {names}")


def members(catalog: Catalog, release: Release) -> Iterator[ReleasedTake]:
    """The members with their audio, split by split, in the order of their ids: shuffled, and always the same."""
    for row in catalog.stream(query("release_takes"), release_id=release.id):
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
        )
