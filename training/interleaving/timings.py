"""The word times of a release's takes, and the values that are said in them, as their corpus holds them."""

from catalogs.catalog import Catalog
from catalogs.errors import TrainingError
from catalogs.families import families
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Release
from training.data import Source
from training.interleaving.words import Timings

FAMILY = "timing"


def timings_of(catalog: Catalog, release: Release | Source) -> dict[Id, Timings]:
    """The timings of those members of a release whose words were found; the others are not among them.

    Raises:
        TrainingError: if nothing of the corpus, or no member of the release, was timed.
    """
    is_declared = any(family.card.family == FAMILY for family in families(catalog.lake))
    rows = catalog.lake.table(query("training_timings"), release_id=release.id).to_pylist() if is_declared else []
    if not rows:
        raise TrainingError(
            f"no take of release {release.name!r} in {catalog.folder} has word times; "
            f"run `synthgen measure -c {catalog.folder} --metric {FAMILY}`"
        )
    columns = ("timed_words", "word_starts_s", "word_ends_s", "word_confidences")
    return {row["take_id"]: Timings(*(tuple(row[column]) for column in columns)) for row in rows}


def values_of(catalog: Catalog, release: Release | Source) -> dict[Id, tuple[str, ...]]:
    """The values of slots and entities that are said in each member of a release; those without any are not there."""
    rows = catalog.lake.table(query("evaluation_references").format(slices="'none': NULL"), release_id=release.id)
    found = {
        row["take_id"]: (*(value for _, value in row["slots"] or ()), *(e["value"] for e in row["entities"] or ()))
        for row in rows.to_pylist()
    }
    return {take_id: tuple(dict.fromkeys(values)) for take_id, values in found.items() if values}
