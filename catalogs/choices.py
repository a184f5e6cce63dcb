"""Which take was preferred to which: the pairs that a method has found, noted as they are now."""

from collections.abc import Sequence

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Preference
from catalogs.rows import to_arrow


def note_pairs(
    catalog: Catalog, found: Sequence[Preference], *, method: str, job_id: Id | None, iteration: int | None = None
) -> None:
    """Make what stands of a method, for a job or for the corpus (None), be what was found.

    Pairs that do not follow any more, as their takes were measured or judged anew, are withdrawn; what stands already
    is not written again. ``iteration`` limits it to one round.
    """
    asked = {"method": method, "job_id": job_id}
    with catalog.lake.transaction():
        rows = catalog.lake.rows(query("preferences_of_job"), iteration=iteration, **asked)
        known = {Preference(*row) for row in rows}
        if gone := known.difference(found):
            with catalog.lake.lent("gone", to_arrow(sorted(gone, key=lambda pair: (pair.winner, pair.loser)))):
                catalog.lake.run(query("withdraw_preferences"), **asked)
        catalog.add([pair for pair in found if pair not in known])
