"""A hypothesis held against its reference: errors, values that were lost, and what was said too much."""

import re
from collections.abc import Sequence

from catalogs.ids import Id
from catalogs.records import Hypothesis, Slot
from catalogs.text import normalise
from training.answering import Answer, nearest_reference
from training.evaluation.references import Reference
from training.overrun import overrun


def score(evaluation_id: Id, reference: Reference, answer: Answer) -> Hypothesis:
    """The row of one answer."""
    member = reference.member
    wanted, found = nearest_reference(member, answer.text)
    over = overrun(wanted, answer.text, language=member.language)
    return Hypothesis(
        evaluation_id=evaluation_id,
        take_id=member.take_id,
        text=answer.text,
        wer=found.words.wer,
        cer=found.characters.wer,
        substitutions=found.words.substitutions,
        insertions=found.words.insertions,
        deletions=found.words.deletions,
        num_words=found.words.length,
        character_errors=found.characters.errors,
        num_characters=found.characters.length,
        length_ratio=over.length_ratio,
        repeated=over.repeated,
        loop=over.loop,
        tail=over.tail,
        hit_limit=answer.hit_limit,
        num_slots=num_sayable(reference.slots, member.language),
        missed_slots=missed(reference.slots, answer.text, language=member.language),
        num_entities=num_sayable(reference.entities, member.language),
        missed_entities=missed(reference.entities, answer.text, language=member.language),
    )


def num_sayable(labels: Sequence[Slot], language: str) -> int:
    """How many labels have a value with words in it."""
    return sum(bool(normalise(label.value, language)) for label in labels)


def missed(labels: Sequence[Slot], heard: str, *, language: str) -> tuple[str, ...]:
    """The labels whose value is not among what was heard, word for word, as "name=value".

    Texts are normalised. A value that two labels have must be heard twice, apart from itself.
    """
    words = normalise(heard, language).split()
    left: dict[tuple[str, ...], int] = {}
    lost = []
    for label in labels:
        value = tuple(normalise(label.value, language).split())
        left.setdefault(value, _occurrences(value, words))
        if value and left[value] == 0:
            lost.append(f"{label.name}={label.value}")
        else:
            left[value] -= 1
    return tuple(lost)


def written_in(labels: Sequence[Slot], text: str) -> list[tuple[str, ...]]:
    """The values of labels as a text writes them, case and marks included, in tokens; without those it does not write.

    Of a value that the text writes in several ways it is the first; "Latte" is how "Latte, please" writes "latte".
    """
    tokens = _tokens(text)
    plain = [token.casefold() for token in tokens]
    found = []
    for label in labels:
        value = [token.casefold() for token in _tokens(label.value)]
        starts = (at for at in range(len(plain)) if value and plain[at : at + len(value)] == value)
        if (start := next(starts, None)) is not None:
            found.append(tuple(tokens[start : start + len(value)]))
    return found


def num_misspelt(written: Sequence[tuple[str, ...]], heard: str) -> int:
    """How many values as they are written are not among what was heard, token for token, with nothing normalised.

    A value that is written twice must be heard twice.
    """
    tokens = _tokens(heard)
    return sum(max(0, written.count(value) - _occurrences(value, tokens)) for value in dict.fromkeys(written))


def _tokens(text: str) -> list[str]:
    """Words and marks as they stand there."""
    return re.findall(r"\w+|[^\w\s]", text)


def _occurrences(phrase: Sequence[str], words: Sequence[str]) -> int:
    """How often a phrase is said, not counting those that overlap the one before."""
    count = at = 0
    while phrase and at + len(phrase) <= len(words):
        is_here = tuple(words[at : at + len(phrase)]) == tuple(phrase)
        count += is_here
        at += len(phrase) if is_here else 1
    return count
