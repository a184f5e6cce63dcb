"""Sets of interleaved sequences as rows: written batch by batch, and whole when the row of the set is there.

Nobody else has a say in these rows, so they may be added beside a job. A set that was killed on the way is gone on
with: what is there of a take or a text is all of it, and is not written again.
"""

from collections.abc import Sequence

import pyarrow as pa

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import quoted
from catalogs.records import Interleaving, SequenceUnit
from catalogs.rows import to_arrow


def interleaving_of(catalog: Catalog, interleaving_id: Id) -> Interleaving | None:
    """The set of this id; None if it is not there, or not all of it."""
    rows = catalog.ask("interleaving", id=interleaving_id).to_pylist()
    return Interleaving(**rows[0]) if rows else None


def add_units(catalog: Catalog, units: Sequence[SequenceUnit]) -> int:
    """Add all units of some takes, or of some texts alone, of one set; gives how many rows were new.

    Takes or texts that are there already are left alone. Only rows of their range of ids are looked at, so that a set
    in the order of its ids is written in a time that grows with its length.
    """
    if not units:
        return 0
    column = "prompt_id" if units[0].take_id is None else "take_id"
    ids = sorted({getattr(unit, column) for unit in units})
    known = (
        f"SELECT {column} AS id FROM unit WHERE interleaving_id = {quoted(units[0].interleaving_id)}::UUID "
        f"AND {column} BETWEEN {quoted(ids[0])}::UUID AND {quoted(ids[-1])}::UUID"
    )
    with catalog.lake.transaction():
        return catalog.lake.insert(
            "unit", to_arrow(units), where=f"ANTI JOIN ({known}) AS known ON known.id = batch.{column}::UUID"
        )


def count_units(catalog: Catalog, interleaving_id: Id) -> int:
    """How many units of a set there are."""
    rows = catalog.lake.rows("SELECT count(*) FROM unit WHERE interleaving_id = $id::UUID", id=interleaving_id)
    return int(rows[0][0])


def remove_units(catalog: Catalog, interleaving_id: Id) -> None:
    """Remove all units of a set that is not whole."""
    catalog.lake.run("DELETE FROM unit WHERE interleaving_id = $id::UUID", id=interleaving_id)


def forget_sets(catalog: Catalog, take_ids: Sequence[Id]) -> None:
    """Remove every set that one of these takes is in, as a whole, so that it can be made again."""
    sets = "SELECT interleaving_id FROM unit WHERE take_id IN (SELECT id::UUID FROM gone)"
    gone = pa.table({"id": pa.array(take_ids, pa.string())})
    with catalog.lake.transaction(), catalog.lake.lent("gone", gone):
        catalog.lake.run(f"DELETE FROM interleaving WHERE id IN ({sets})")
        catalog.lake.run(f"DELETE FROM unit WHERE interleaving_id IN ({sets})")
