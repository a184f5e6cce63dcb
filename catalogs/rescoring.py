"""Scores that take the place of others: those of another way to come to the figures of a family."""

from collections.abc import Sequence

import pyarrow as pa

from catalogs import takes
from catalogs.lake import Lake
from catalogs.records import MetricCard, Score
from catalogs.rows import scores_to_arrow


def rescore(lake: Lake, card: MetricCard, scores: Sequence[Score]) -> None:
    """Write scores of a declared family, in the place of those that their takes have of the same version."""
    if not scores:
        return
    table = takes.score_table(card)
    ids = pa.table({"take_id": pa.array([score.take_id for score in scores], pa.string())})
    with lake.transaction():
        with lake.lent("rescored", ids):
            gone = lake.run(
                f"DELETE FROM {table} WHERE version = $version AND take_id IN (SELECT take_id::UUID FROM rescored)",
                version=card.version,
            )
        lake.insert(table, scores_to_arrow(card, scores))
        if gone:
            takes.reset(lake)
