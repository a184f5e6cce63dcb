"""Errors of evaluations, utterance by utterance, as experiments compare them: of words, values, labels, or repeats."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.records import Slot
from training.evaluation.resampling import Interval
from training.evaluation.scoring import num_misspelt, written_in

Values: TypeAlias = Literal["slots", "entities"]
Of: TypeAlias = Literal["words", "labels", "repeats"] | Values

_COUNTS: Mapping[Of, tuple[str, str, str]] = {
    "words": ("hypothesis", "substitutions + insertions + deletions", "num_words"),
    "slots": ("hypothesis", "len(missed_slots)", "num_slots"),
    "entities": ("hypothesis", "len(missed_entities)", "num_entities"),
    "repeats": ("hypothesis", "(repeated > 0)::BIGINT", "1"),
    "labels": ("understanding", "num_wanted + num_found - 2 * num_right", "num_wanted + num_found"),
}
"""Where it is said what is wrong of an utterance, and of how many."""

_ERRORS = """
    SELECT take_id::VARCHAR AS take_id, speaker, sum({over})::DOUBLE AS errors,
        avg({under})::DOUBLE AS num_words, count(*) AS heard
    FROM {table} JOIN takes USING (take_id)
    WHERE list_contains($evaluations::UUID[], evaluation_id)
    GROUP BY ALL ORDER BY take_id
"""

_HEARD = """
    SELECT take_id::VARCHAR AS take_id, speaker, takes.text AS text, coalesce(spoken, takes.text) AS spoken, language,
        slots, entities, list(hypothesis.text ORDER BY evaluation_id) AS heard
    FROM hypothesis JOIN takes USING (take_id)
    WHERE list_contains($evaluations::UUID[], evaluation_id)
    GROUP BY ALL ORDER BY take_id
"""


@dataclass(frozen=True, slots=True)
class _Said:
    """See `Said`."""

    text: str
    spoken: str
    language: str


@dataclass(frozen=True)
class Errors:
    """Mean errors (N,) of a row in each utterance, its mean words (or values) (N,), takes and speakers."""

    takes: Sequence[Id]
    errors: NDArray[np.float64]
    words: NDArray[np.float64]
    speakers: Sequence[str]


def errors_of(corpus: Path, evaluations: Sequence[Id], *, of: Of = "words") -> Errors:
    """The errors of the evaluations of a row, one for each seed; takes that not all of them have heard are left out.

    Of slots and entities an error is one whose value was not heard, word for word; texts are normalised. Of labels
    wanted and found an error is one that is not in both, so that one less their rate is F1; there are none of a
    recogniser that writes no labels. Of repeats it is an utterance that says again what it has just said.
    """
    table, over, under = _COUNTS[of]
    with Catalog.open(corpus) as catalog:
        sql = _ERRORS.format(table=table, over=over, under=under)
        rows = catalog.lake.table(sql, evaluations=list(evaluations)).to_pylist()
    rows = [row for row in rows if row["heard"] == len(evaluations)]
    return Errors(
        [row["take_id"] for row in rows],
        np.array([row["errors"] for row in rows]) / len(evaluations),
        np.array([row["num_words"] for row in rows]),
        [row["speaker"] for row in rows],
    )


def misspelt_of(corpus: Path, evaluations: Sequence[Id], *, of: Values) -> Errors:
    """The same of values as the reference writes them, before anything is normalised; see `written_in`."""
    with Catalog.open(corpus) as catalog:
        rows = catalog.lake.table(_HEARD, evaluations=list(evaluations)).to_pylist()
    rows = [row for row in rows if len(row["heard"]) == len(evaluations)]
    written = [written_in(_labels(row, of), _Said(row["text"], row["spoken"], row["language"])) for row in rows]
    return Errors(
        [row["take_id"] for row in rows],
        np.array(
            [mean(num_misspelt(ways, text) for text in row["heard"]) for ways, row in zip(written, rows, strict=True)]
        ),
        np.array([float(len(ways)) for ways in written]),
        [row["speaker"] for row in rows],
    )


def _labels(row: Mapping[str, Any], of: Values) -> list[Slot]:
    if of == "slots":
        return [Slot(name, value) for name, value in row["slots"] or ()]
    return [Slot(each["name"], each["value"]) for each in row["entities"] or ()]


def on_common_takes(rows: Mapping[str, Errors]) -> dict[str, Errors]:
    """The rows on those takes that all of them have heard."""
    common = set.intersection(*(set(row.takes) for row in rows.values())) if rows else set()
    return {name: _among(row, common) for name, row in rows.items()}


def _among(row: Errors, takes: Container[Id]) -> Errors:
    places = [place for place, take in enumerate(row.takes) if take in takes]
    return Errors(
        [row.takes[place] for place in places],
        row.errors[places],
        row.words[places],
        [row.speakers[place] for place in places],
    )


def told(found: Interval | None, form: str) -> str:
    """A figure with its interval, for a table."""
    if found is None:
        return "–"
    around = "" if found.low is None else f" ({found.low:{form}} to {found.high:{form}})"
    return f"{found.value:{form}}{around}"
