"""What the takes of a release are to be heard as, whose they are, and by what they are sliced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalogs.catalog import Catalog
from catalogs.config import nearest
from catalogs.errors import UsageError
from catalogs.lake import query
from catalogs.records import Release, Slot
from training.members import Member, members_in

SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Reference:
    """A take, the values that are said in it, and its slices: column of ``takes`` to value, written out."""

    member: Member
    slots: tuple[Slot, ...] = ()
    entities: tuple[Slot, ...] = ()
    slices: Mapping[str, str] | None = None


def references_of(catalog: Catalog, release: Release, *, split: str | None, by: Sequence[str] = ()) -> list[Reference]:
    """The references of a release, or of one split of it, in the order of their takes' ids.

    ``split`` as a column of ``by`` is the release's, every other one is a column of ``takes``.

    Raises:
        UsageError: for an unknown column.
    """
    known = [name for name, *_ in catalog.lake.rows("SELECT column_name FROM (DESCRIBE takes)")]
    for column in by:
        if column not in known:
            raise UsageError(
                f"takes has no column {column!r}{nearest(column, known)}; `synthgen dictionary` lists them"
            )
    fields = ", ".join(f"'{column}': takes.\"{column}\"::VARCHAR" for column in by) or "'none': NULL"
    sql = query("evaluation_references").format(slices=fields)
    rows = {row["take_id"]: row for row in catalog.lake.table(sql, release_id=release.id).to_pylist()}
    return [
        Reference(
            member=member,
            slots=tuple(Slot(name, value) for name, value in rows[member.take_id]["slots"] or ()),
            entities=tuple(Slot(e["name"], e["value"]) for e in rows[member.take_id]["entities"] or ()),
            slices={
                column: member.split if column == SPLIT else str(rows[member.take_id]["slices"][column])
                for column in by
            },
        )
        for member in members_in(catalog, release, split=split)
    ]
