"""Labels held against those of the prompt: whether the intent is right, and which values are, by name.

A value is right if its name and what it says are, both normalised: names by case, values as for errors of words. Slots
and entities count alike; one that the prompt has twice must be found twice. Nothing here knows whether a take was
heard, or a text alone.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from catalogs.ids import Id
from catalogs.records import Slot, Understanding
from catalogs.text import counted_words
from training.answering import Answer
from training.labels import Labels
from training.members import Member


@dataclass(frozen=True, slots=True)
class LabelMeasure:
    """A figure of what was understood: what is summed over what, and what that is."""

    name: str
    over: Callable[[Understanding], float]
    under: Callable[[Understanding], float]
    meaning: str


LABEL_MEASURES = (
    LabelMeasure(
        "intent_accuracy",
        lambda row: bool(row.is_intent_right),
        lambda row: row.is_intent_right is not None,
        "intents that are right, over those of the prompts",
    ),
    LabelMeasure(
        "slot_f1",
        lambda row: 2 * row.num_right,
        lambda row: row.num_wanted + row.num_found,
        "slots and entities, name and value: harmonic mean of precision and recall",
    ),
    LabelMeasure(
        "slot_precision", lambda row: row.num_right, lambda row: row.num_found, "found values that the prompt has"
    ),
    LabelMeasure(
        "slot_found", lambda row: row.num_right, lambda row: row.num_wanted, "values of the prompt that were found"
    ),
)


def understanding(evaluation_id: Id, member: Member, answer: Answer) -> Understanding | None:
    """The row of one answer; None if it has no labels."""
    return None if answer.labels is None else compared(evaluation_id, member, answer.labels)


def compared(evaluation_id: Id, member: Member, found: Labels) -> Understanding:
    """Labels held against those of a member, take or text."""
    wanted, language = member.labels, member.language
    ours, theirs = _pairs(found.values, language), _pairs(wanted.values, language)
    return Understanding(
        evaluation_id=evaluation_id,
        take_id=member.take_id,
        intent=found.intent,
        is_intent_right=None if wanted.intent is None else _name(wanted.intent) == _name(found.intent or ""),
        found=found.values,
        num_wanted=theirs.total(),
        num_found=ours.total(),
        num_right=(ours & theirs).total(),
    )


def counts(row: Understanding | None) -> Sequence[float]:
    """What each figure sums over what, one after the other; of a take that nobody has understood, nothing."""
    if row is None:
        return [0.0] * (2 * len(LABEL_MEASURES))
    return [float(count(row)) for measure in LABEL_MEASURES for count in (measure.over, measure.under)]


def by_take(rows: Sequence[Understanding]) -> Mapping[Id, Understanding]:
    """The rows of an evaluation by their takes."""
    return {row.take_id: row for row in rows}


def _pairs(values: Sequence[Slot], language: str) -> Counter[tuple[str, str]]:
    return Counter((_name(slot.name), _value(slot.value, language)) for slot in values)


def _name(text: str) -> str:
    return text.strip().casefold()


def _value(text: str, language: str) -> str:
    """A value of which the normaliser leaves nothing ("+") stays what it is."""
    return " ".join(counted_words(text, language)) or _name(text)
