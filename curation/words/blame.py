"""Blame: whose fault it is that a text was not heard, the voice's or the recogniser's.

Two judges of different families hear every take: one words, one phones. Where both miss the text, the voice is at
fault; where only one does, that judge probably is. The probability is logistic in their stored figures, so it follows
at the barrier, in SQL, and no model is loaded. The weights were fitted on faults of which the truth is known
(`curation.words.faults`) in real and synthetic clips: ``python -m benchmarks.blame --speech FOLDER`` fits them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

from catalogs.catalog import Catalog
from catalogs.ids import Id, content_id
from catalogs.lake import query
from catalogs.records import MetricCard, ScoreColumn
from catalogs.takes import score_table

REVISION = 1


@dataclass(frozen=True, slots=True)
class Feature:
    """A figure of a judge, held within a range; ``missing`` stands for a figure that does not exist."""

    column: str
    low: float
    high: float
    missing: float

    def of(self, figures: Mapping[str, float | None]) -> float:
        """The feature of a take with these figures."""
        value = figures.get(self.column)
        return min(max(self.missing if value is None else float(value), self.low), self.high)

    @property
    def sql(self) -> str:
        """The same over columns of the two families."""
        return f'least(greatest(coalesce("{self.column}"::DOUBLE, {self.missing!r}), {self.low!r}), {self.high!r})'


@dataclass(frozen=True, slots=True)
class Blame:
    """A logistic model: the features of two judges, one weight each, and the bias."""

    features: tuple[Feature, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, figures: Mapping[str, float | None]) -> float:
        """How probable it is that the voice is at fault, in [0, 1]."""
        logit = self.bias + sum(
            weight * feature.of(figures) for weight, feature in zip(self.weights, self.features, strict=True)
        )
        return 1 / (1 + exp(-logit))

    @property
    def sql(self) -> str:
        """The same as an expression over columns of the two families."""
        terms = [f"{weight!r} * {feature.sql}" for weight, feature in zip(self.weights, self.features, strict=True)]
        return f"1 / (1 + exp(-({self.bias!r} + {' + '.join(terms)})))"


FEATURES = (
    Feature("wer", 0.0, 1.0, 1.0),
    Feature("insertions", 0.0, 3.0, 0.0),
    Feature("phones_logprob", -5.0, 0.0, -5.0),
    Feature("least_word_phones", -60.0, 0.0, -60.0),
    Feature("phones_added", 0.0, 10.0, 10.0),
)
"""How much each judge misses or hears too much, and how badly the worst place fits."""

BLAME = Blame(FEATURES, weights=(3.2538, 2.0240, -0.6527, -0.1822, 1.8826), bias=-7.1819)
"""The weights in use, of a fit on 124 clips from five sets of real speech and two voices, 65 of them faulty.

Each source held out in turn, the area under the curve is 0.98 (WER alone 0.83, PER alone 0.82), the calibration error
0.04. Half the clips had a fault: where fewer do, the probabilities are too high, and their order is what counts.
"""


def blame_card(words: MetricCard, phones: MetricCard) -> MetricCard:
    """The family that follows from a words and a phones family."""
    column = ScoreColumn(
        "voice_at_fault",
        "DOUBLE",
        "probability",
        "lower",
        "that the voice, not a recogniser, is why the text was not heard; none if a judge does not know the language",
    )
    made_of = content_id("blame", BLAME.sql, words.version, phones.version)
    return MetricCard("blame", f"{REVISION}/{made_of}", (column,))


def blame(catalog: Catalog, job_id: Id | None, *, words: MetricCard, phones: MetricCard) -> None:
    """Score the takes of a job, or all, that both judges have heard and that have no probability yet."""
    card = blame_card(words, phones)
    sql = query("blame_voices").format(
        scores=score_table(card), words=score_table(words), phones=score_table(phones), probability=BLAME.sql
    )
    versions = {"words_version": words.version, "phones_version": phones.version}
    catalog.lake.run(sql, job_id=job_id, version=card.version, **versions)
