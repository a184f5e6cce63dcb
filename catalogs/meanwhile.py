"""What other jobs have committed to the same corpus meanwhile, so that it is not written twice.

Several jobs write a corpus on Postgres at once. Each asks once what is missing; what a neighbour has added
since then is noticed here, at every commit, from the snapshot that DuckLake keeps for each row.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from catalogs.lake import Lake


@dataclass(slots=True)
class _Watched:
    """One table: up to which snapshot it has been looked at, whose rows are whose since."""

    looked_at: int
    ours: set[str] = field(default_factory=set)
    theirs: set[str] = field(default_factory=set)


class Meanwhile:
    """The neighbours' rows, table by table; asked inside the transaction that writes."""

    def __init__(self, lake: Lake) -> None:
        """Start to watch: what the corpus holds by now, this job can know."""
        self._lake = lake
        start = lake.snapshot()
        self._tables: dict[str, _Watched] = defaultdict(lambda: _Watched(start))
        self._writing: dict[str, _Watched] = {}

    def new(self, table: str, rows: pa.Table, keys: Sequence[str]) -> pa.Table:
        """The rows that no neighbour has written; ``keys`` are the columns that tell rows apart."""
        watched = self._tables[table]
        name = "concat_ws(' ', " + ", ".join(f"{key}::VARCHAR" for key in keys) + ")"
        since = self._lake.rows(f"SELECT {name} FROM {table} WHERE snapshot_id > {watched.looked_at}")
        watched.theirs |= {row[0] for row in since} - watched.ours
        names = pc.binary_join_element_wise(*(rows[key].cast(pa.string()) for key in keys), " ")
        self._writing[table] = _Watched(self._lake.snapshot(), set(names.to_pylist()), watched.theirs)
        return rows.filter(pc.invert(pc.is_in(names, pa.array(sorted(watched.theirs), pa.string()))))

    def committed(self) -> None:
        """The transaction is through: its rows are our own, and the next look starts where it started."""
        self._tables |= self._writing
        self._writing = {}
