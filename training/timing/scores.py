"""Word times as rows of the metric family ``timing``, beside those of voices and of the search that measures it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.config import parse_named
from catalogs.families import families
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.pronunciations import spoken_tokens
from catalogs.records import MetricCard, Release, Score
from training.interleaving.timings import FAMILY
from training.members import Member
from training.timing.timer import METHOD, Timed

VOICE = "voice"


@dataclass(frozen=True, slots=True)
class State:
    """What a corpus knows of when the words of a take are said.

    ``is_timed`` is None where nobody has looked, or nobody could, as the language is not known. ``num_own`` is how many
    words the take's own voice has timed.
    """

    take_id: Id
    is_measured: bool
    is_timed: bool | None
    timed_by: str | None
    timer_id: Id | None
    num_own: int | None

    def awaits_measuring(self, member: Member) -> bool:
        """Whether its voice has timed its words, and that is not written down yet."""
        return not self.is_measured and self.num_own == len([*spoken_tokens(member.spoken)])

    def is_open(self, timer_id: Id, *, again: bool) -> bool:
        """Whether a recogniser is to time it: not what a voice has timed, or others unless ``again``, or itself."""
        if self.timer_id == timer_id or (self.is_timed and self.timed_by == VOICE):
            return False
        return again or not self.is_timed


def declared_card(catalog: Catalog) -> MetricCard:
    """The family as it is written in this corpus: in the version that its takes were measured in, if they were.

    A corpus of an earlier synthgen gets the columns that it lacks, and keeps what it has.

    Raises:
        RecipeError: if the family is not installed.
    """
    current: MetricCard = parse_named("synthgen.metrics", {"family": FAMILY}, field="family", source="time").card()
    known = [family.card for family in families(catalog.lake) if family.card.family == FAMILY]
    card = replace(current, version=known[0].version) if known else current
    takes.declare(catalog.lake, [card])
    return card


def states_of(catalog: Catalog, release: Release, card: MetricCard, *, split: str | None) -> dict[Id, State]:
    """The state of each member of a release, or of one split of it, by take."""
    sql = query("word_times_of_release").format(table=takes.score_table(card))
    rows = catalog.lake.table(sql, release_id=release.id, split=split, version=card.version).to_pylist()
    return {row["take_id"]: State(**row) for row in rows}


def score_of(card: MetricCard, take_id: Id, timed: Timed, *, timer_id: Id) -> Score:
    """The row of a take; moments and confidences as single precision keeps them."""
    words = timed.words
    values: dict[str, Any] = {"is_timed": bool(words), "timed_by": METHOD, "timer_id": timer_id}
    if words:
        values |= _figures(timed)
    return Score(take_id, tuple(values.get(column.name) for column in card.columns))


def _figures(timed: Timed) -> Mapping[str, Any]:
    words = timed.words
    confidences = _single([word.confidence for word in words])
    return {
        "timed_words": tuple(word.text for word in words),
        "word_starts_s": _single([word.start_s for word in words]),
        "word_ends_s": _single([word.end_s for word in words]),
        "word_confidences": confidences,
        "least_word_confidence": min(confidences),
    }


def _single(values: list[float]) -> tuple[float, ...]:
    return tuple(np.array(values, np.float32).tolist())
