"""The word times of a release's takes, and the values that are said in them, as their corpus holds them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.families import families
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Release
from training.data import Source
from training.interleaving.words import Timings, Word, written
from training.members import Member, members_streamed

FAMILY = "timing"
_COLUMNS = ("timed_words", "word_starts_s", "word_ends_s", "word_confidences")


def timings_of(catalog: Catalog, release: Release | Source) -> dict[Id, Timings]:
    """The timings of those members of a release whose words were found; the others are not among them.

    Raises:
        TrainingError: if nothing of the corpus, or no member of the release, was timed.
    """
    found = {row["take_id"]: _timings(row) for row in _rows(catalog, release)}
    if not found:
        raise untimed(catalog, release)
    return found


def untimed(catalog: Catalog, release: Release | Source) -> TrainingError:
    """The error of a release of which nothing was timed; it tells what to do, and not what was done in vain."""
    told = f"no take of release {release.name!r} in {catalog.folder} has word times"
    by_ctc = "`synthgen time`, by a recogniser that was trained with CTC"
    in_vain = _num_in_vain(catalog, release)
    if in_vain:
        return TrainingError(
            f"{told}, and in {in_vain:,} of them none were found: check that they say their texts, or time them by "
            f"{by_ctc} on speech like this"
        )
    return TrainingError(
        f"{told}; run `synthgen measure -c {catalog.folder} --metric {FAMILY}`, or, for real takes in other languages "
        f"than English, {by_ctc}"
    )


def timed_members(
    catalog: Catalog, release: Release, *, split: str | None
) -> Iterator[tuple[Member, Sequence[Word] | None]]:
    """The members of a release, or those of one split, in the order of their ids and in flat memory.

    Each comes with its words as they are written; None if they were not found in it.

    Raises:
        TrainingError: for word times that are no good.
    """
    rows = _rows(catalog, release)
    row = next(rows, None)
    for member in members_streamed(catalog, release, split=split):
        while row is not None and row["take_id"] < member.take_id:
            row = next(rows, None)
        found = row if row is not None and row["take_id"] == member.take_id else None
        yield member, words_of(member, _timings(found)) if found is not None else None


def words_of(member: Member, timings: Timings) -> list[Word]:
    """The words of a take as its text is written.

    Raises:
        TrainingError: for word times that are no good.
    """
    return written(member.text, timings.words(of=f"take {member.take_id} of {member.corpus}"))


def _rows(catalog: Catalog, release: Release | Source) -> Iterator[Mapping[str, Any]]:
    """The rows of those members of a release whose words were found, in the order of their ids."""
    if any(family.card.family == FAMILY for family in families(catalog.lake)):
        yield from catalog.stream(query("training_timings"), release_id=release.id)


def _num_in_vain(catalog: Catalog, release: Release | Source) -> int:
    if not any(family.card.family == FAMILY for family in families(catalog.lake)):
        return 0
    (row,) = catalog.lake.table(query("training_timed_in_vain"), release_id=release.id).to_pylist()
    return int(row["num_takes"])


def _timings(row: Mapping[str, Any]) -> Timings:
    return Timings(*(tuple(row[column]) for column in _COLUMNS))


def values_of(catalog: Catalog, release: Release | Source) -> dict[Id, tuple[str, ...]]:
    """The values of slots and entities that are said in each member of a release; those without any are not there."""
    rows = catalog.lake.table(query("evaluation_references").format(slices="'none': NULL"), release_id=release.id)
    found = {
        row["take_id"]: (*(value for _, value in row["slots"] or ()), *(e["value"] for e in row["entities"] or ()))
        for row in rows.to_pylist()
    }
    return {take_id: tuple(dict.fromkeys(values)) for take_id, values in found.items() if values}
