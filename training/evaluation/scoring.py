"""A hypothesis held against its reference: errors, values that were lost, and what was said too much."""

from collections.abc import Sequence
from itertools import groupby
from typing import TypeAlias
from unicodedata import category, normalize

from catalogs.ids import Id
from catalogs.records import Hypothesis, Slot
from catalogs.text import counted_words, normalise
from training.answering import Answer, Said, nearest_reference
from training.evaluation.references import Reference
from training.overrun import overrun

Writing: TypeAlias = tuple[str, ...]
"""A value as it is written, in words and marks."""

Writings: TypeAlias = tuple[Writing, ...]
"""The ways in which a reference writes a value."""

_MARKS = " .,;:!?\"'()[]{}«»„“”…"
"""What a value may have around it, without being any of it."""


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
    left: dict[Writing, int] = {}
    lost = []
    for label in labels:
        value = tuple(counted_words(label.value, language))
        left.setdefault(value, _times_said(label.value, heard, language))
        if value and left[value] == 0:
            lost.append(f"{label.name}={label.value}")
        else:
            left[value] -= 1
    return tuple(lost)


def written_in(labels: Sequence[Slot], said: Said) -> list[Writings]:
    """How a reference writes the values of labels, case and marks included; without those that are not said in it.

    As its text writes a value, the first time that it does: "Latte" of "Latte, please" for "latte". A value that it
    writes otherwise, "12 ounce" for "twelve ounce", may be written so, or as the spoken form does, or else the label.
    """
    found: list[Writings] = []
    for label in labels:
        if in_text := _as_in(label.value, said.text):
            found.append((in_text,))
            continue
        in_spoken = _as_in(label.value, said.spoken)
        if otherwise := _same_words(label.value, said):
            found.append((otherwise, in_spoken or _tokens(label.value)))
        elif in_spoken:
            found.append((in_spoken,))
    return found


def num_misspelt(written: Sequence[Writings], heard: str) -> int:
    """How many values are not among what was heard in a way that the reference writes them, with nothing normalised.

    A value that is written twice must be heard twice.
    """
    tokens = _tokens(heard)
    return sum(
        max(0, written.count(ways) - sum(_occurrences(way, tokens) for way in dict.fromkeys(ways)))
        for ways in dict.fromkeys(written)
    )


def _as_in(value: str, text: str) -> Writing:
    """A value as a text writes it, case aside; nothing if it does not."""
    tokens, wanted = _tokens(text), [token.casefold() for token in _tokens(value)]
    plain = [token.casefold() for token in tokens]
    starts = (at for at in range(len(plain)) if wanted and plain[at : at + len(wanted)] == wanted)
    start = next(starts, None)
    return () if start is None else tokens[start : start + len(wanted)]


def _same_words(value: str, said: Said) -> Writing:
    """What stands in a text for the words of a value, if they are the same when both are normalised."""
    tokens = said.text.split()

    def holds(first: int, last: int) -> bool:
        return _times_said(value, " ".join(tokens[first:last]), said.language) > 0

    if not holds(0, len(tokens)):
        return ()
    last = next((last for last in range(1, len(tokens)) if holds(0, last)), len(tokens))
    first = next((first for first in range(last - 1, 0, -1) if holds(first, last)), 0)
    found = " ".join(tokens[first:last]).strip(_MARKS)
    return _tokens(found) if counted_words(found, said.language) == counted_words(value, said.language) else ()


def _tokens(text: str) -> Writing:
    """Words, figures and marks as they stand there; "5.50" is one figure, and no "5".

    Combining marks belong to their letters, however the two are encoded: they are vowels in many scripts.
    """
    plain = normalize("NFC", text)
    runs = groupby(range(len(plain)), key=lambda at: _is_in_word(plain, at))
    pieces = [(is_word, "".join(plain[at] for at in run)) for is_word, run in runs]
    return tuple(token for is_word, piece in pieces for token in ([piece] if is_word else "".join(piece.split())))


def _is_in_word(text: str, at: int) -> bool:
    char = text[at]
    is_in_figure = char in ".," and text[max(at - 1, 0) : at].isdigit() and text[at + 1 : at + 2].isdigit()
    return char.isalnum() or char == "_" or category(char).startswith("M") or is_in_figure


def _times_said(value: str, text: str, language: str) -> int:
    """How often a text says a value: digits one by one may be the "456" of "four five six", or any of "4 5 6"."""
    joined = _occurrences(counted_words(value, language), counted_words(text, language))
    return max(joined, _occurrences(normalise(value, language).split(), normalise(text, language).split()))


def _occurrences(phrase: Sequence[str], words: Sequence[str]) -> int:
    """How often a phrase is said, not counting those that overlap the one before."""
    count = at = 0
    while phrase and at + len(phrase) <= len(words):
        is_here = tuple(words[at : at + len(phrase)]) == tuple(phrase)
        count += is_here
        at += len(phrase) if is_here else 1
    return count
