"""Corpus figures of hypotheses: ratios of sums, so that long utterances weigh more, with intervals over speakers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalogs.ids import seed_of
from catalogs.records import Hypothesis, Understanding
from training.evaluation.references import Reference
from training.evaluation.resampling import Groups, Sums, interval, ratio, replicates
from training.evaluation.scoring import num_misspelt, written_in
from training.evaluation.understanding import LABEL_MEASURES, by_take, counts

Count = Callable[[Hypothesis, Reference], float]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a corpus: what is summed over what, and what that is."""

    name: str
    over: Count
    under: Count
    meaning: str


def num_errors(row: Hypothesis, _: Reference) -> int:
    """Word errors."""
    return row.substitutions + row.insertions + row.deletions


def num_words(row: Hypothesis, _: Reference) -> int:
    """Words of the reference."""
    return row.num_words


def num_heard(row: Hypothesis, _: Reference) -> int:
    """Words of the hypothesis."""
    return row.num_words - row.deletions + row.insertions


def num_misspelt_entities(row: Hypothesis, reference: Reference) -> int:
    """Entities that were not written as the reference writes them, before anything is normalised."""
    return num_misspelt(written_in(reference.entities, reference.member), row.text)


def num_misspelt_slots(row: Hypothesis, reference: Reference) -> int:
    """Slots whose value was not written as the reference writes it, before anything is normalised."""
    return num_misspelt(written_in(reference.slots, reference.member), row.text)


def _one(_: Hypothesis, __: Reference) -> int:
    """An utterance."""
    return 1


MEASURES = (
    Measure("wer", num_errors, num_words, "word errors over words"),
    Measure("substitutions", lambda row, _: row.substitutions, num_words, "words heard as others, over words"),
    Measure("insertions", lambda row, _: row.insertions, num_words, "words that were not said, over words"),
    Measure("deletions", lambda row, _: row.deletions, num_words, "words that were not heard, over words"),
    Measure(
        "cer",
        lambda row, _: row.character_errors,
        lambda row, _: row.num_characters,
        "character errors, over characters",
    ),
    Measure(
        "slot_recall",
        lambda row, _: row.num_slots - len(row.missed_slots),
        lambda row, _: row.num_slots,
        "slots whose value was heard, word for word",
    ),
    Measure(
        "entity_recall",
        lambda row, _: row.num_entities - len(row.missed_entities),
        lambda row, _: row.num_entities,
        "entities whose value was heard, word for word",
    ),
    Measure(
        "slot_error",
        num_misspelt_slots,
        lambda _, reference: len(written_in(reference.slots, reference.member)),
        "slots whose value was not written as the reference writes it",
    ),
    Measure(
        "entity_error",
        num_misspelt_entities,
        lambda _, reference: len(written_in(reference.entities, reference.member)),
        "entities that were not written as the reference writes them",
    ),
    Measure("length_ratio", num_heard, num_words, "words heard over words"),
    Measure("tail", lambda row, _: row.tail, num_words, "words behind the last one heard right, over words"),
    Measure("repeated", lambda row, _: row.repeated, num_words, "words that say again what is before them, over words"),
    Measure("looping", lambda row, _: row.repeated > 0, _one, "share of utterances that repeat themselves"),
    Measure("hit_limit", lambda row, _: row.hit_limit, _one, "share of utterances that were cut at their limit"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one subset ("" is all, "domain=bank" a slice), and its 95 % interval, as in `Interval`.

    Groups that are all alike have none either, as where nobody makes an error: they tell nothing of their spread.
    """

    subset: str
    name: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Subset:
    """All figures of some utterances, how many they are, and of how many ``unit`` ("speakers") intervals are made."""

    name: str
    num_utterances: int
    num_words: int
    num_groups: int
    unit: str
    figures: tuple[Figure, ...]


def subsets(
    references: Sequence[Reference],
    hypotheses: Sequence[Hypothesis],
    *,
    number: int,
    by: Sequence[str] = (),
    understood: Sequence[Understanding] = (),
) -> list[Subset]:
    """The figures of all utterances, then those of each slice; intervals have so many replicates.

    Those of labels are among them where some of the utterances were ``understood``.
    """
    pairs = list(zip(hypotheses, references, strict=True))
    of_words = [[float(count(*pair)) for m in MEASURES for count in (m.over, m.under)] for pair in pairs]
    labels = by_take(understood)
    of_labels = [counts(labels.get(hypothesis.take_id)) for hypothesis in hypotheses]
    sums = np.hstack([np.array(of_words), np.array(of_labels)])
    speakers = np.array([reference.member.speaker for reference in references])
    found = [_subset("", sums, speakers, number=number)]
    for column in by:
        values = np.array([(reference.slices or {})[column] for reference in references])
        for value in np.unique(values):
            of_it = values == value
            found.append(_subset(f"{column}={value}", sums[of_it], speakers[of_it], number=number))
    return found


def _subset(name: str, values: Sums, speakers: "np.ndarray[tuple[int], np.dtype[np.str_]]", *, number: int) -> Subset:
    groups = Groups.of(list(speakers))
    sums = groups.sums(values)
    drawn = replicates(sums, seed=seed_of("bootstrap", name) % 2**32, number=number)
    figures = []
    names = [*(measure.name for measure in MEASURES), *(measure.name for measure in LABEL_MEASURES)]
    for place, figure in enumerate(names):
        found = interval(ratio(2 * place, 2 * place + 1), sums, drawn)
        if found:
            limits = (None, None) if found.low == found.high else (found.low, found.high)
            figures.append(Figure(name, figure, found.value, *limits))
    return Subset(name, len(values), int(values[:, 1].sum()), groups.number, groups.unit, tuple(figures))
