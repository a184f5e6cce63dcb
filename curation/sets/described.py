"""Describing a release in the catalog, once: which takes are in it never changes.

What is measured or ingested later changes what there is to say of them: `synthgen set` says it anew.
"""

from catalogs.catalog import Catalog
from catalogs.lake import query
from catalogs.progress import Progress
from catalogs.records import Release
from curation.sets.summary import REVISION, set_figures, set_scores
from curation.sets.watched import real_takes, takes_of_release


def describe(catalog: Catalog, release: Release, *, progress: Progress) -> None:
    """Store the figures of a release, alone and beside the corpus's real takes, unless these are there."""
    if catalog.lake.rows(query("count_set_scores"), set_id=release.id, revision=REVISION)[0][0]:
        return
    progress.note("describing the release")
    takes = takes_of_release(catalog, release.id, vectors=True)
    catalog.add(set_scores(takes, set_figures(takes, real_takes(catalog, vectors=True)), release.id))
