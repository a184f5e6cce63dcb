"""Word errors of evaluations, utterance by utterance, as experiments compare them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.ids import Id
from training.evaluation.resampling import Interval

_ERRORS = """
    SELECT take_id::VARCHAR AS take_id, speaker, sum(substitutions + insertions + deletions)::DOUBLE AS errors,
        any_value(num_words)::DOUBLE AS num_words, count(*) AS heard
    FROM hypothesis JOIN takes USING (take_id)
    WHERE list_contains($evaluations::UUID[], evaluation_id)
    GROUP BY ALL ORDER BY take_id
"""


@dataclass(frozen=True)
class Errors:
    """Mean errors (N,) of a row in each utterance, its words (N,), takes and speakers."""

    takes: Sequence[Id]
    errors: NDArray[np.float64]
    words: NDArray[np.float64]
    speakers: Sequence[str]


def errors_of(corpus: Path, evaluations: Sequence[Id]) -> Errors:
    """The errors of the evaluations of a row, one for each seed; takes that not all of them have heard are left out."""
    with Catalog.open(corpus) as catalog:
        rows = catalog.lake.table(_ERRORS, evaluations=list(evaluations)).to_pylist()
    rows = [row for row in rows if row["heard"] == len(evaluations)]
    return Errors(
        [row["take_id"] for row in rows],
        np.array([row["errors"] for row in rows]) / len(evaluations),
        np.array([row["num_words"] for row in rows]),
        [row["speaker"] for row in rows],
    )


def told(found: Interval | None, form: str) -> str:
    """A figure with its interval, for a table."""
    if found is None:
        return "–"
    around = "" if found.low is None else f" ({found.low:{form}} to {found.high:{form}})"
    return f"{found.value:{form}}{around}"
