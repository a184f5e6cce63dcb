"""Answers that go on too long: loops, and words run on behind the end; measured, so that no WER hides them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from catalogs.text import counted_words, normalise

_LONGEST_PHRASE = 8
"""How many words a loop may be made of."""


@dataclass(frozen=True, slots=True)
class Overrun:
    """What a hypothesis says too much, in words, normalised for their language (graphemes where none are spaced).

    ``repeated`` are words that say again the words right before them, beyond what the reference repeats itself.
    ``loop`` is how many times in a row a phrase of up to eight words is said at most, 1 where nothing is said twice.
    ``tail`` are words inserted behind the last one that was heard right. ``length_ratio`` is words over words of the
    reference, an empty one counted as one word.
    """

    repeated: int
    loop: int
    tail: int
    length_ratio: float


def overrun(reference: str, hypothesis: str, *, language: str) -> Overrun:
    """Measure what one hypothesis says too much. ``language`` is a BCP 47 tag."""
    wanted, said = counted_words(reference, language), counted_words(hypothesis, language)
    apart = normalise(hypothesis, language).split()  # digits one by one are one word above, which would hide a loop
    again = _repeated(apart) - _repeated(normalise(reference, language).split())
    return Overrun(
        repeated=max(0, again) if said != wanted else 0,
        loop=_loop(apart),
        tail=_tail(wanted, said),
        length_ratio=len(said) / max(len(wanted), 1),
    )


def _repeated(words: Sequence[str]) -> int:
    """How many words belong to a phrase that repeats the one right before it."""
    again: set[int] = set()
    for size in range(1, _LONGEST_PHRASE + 1):
        for start in range(size, len(words) - size + 1):
            if words[start : start + size] == words[start - size : start]:
                again.update(range(start, start + size))
    return len(again)


def _loop(words: Sequence[str]) -> int:
    """The most times in a row that one phrase is said; 0 if nothing is said."""
    most = min(len(words), 1)
    for size in range(1, _LONGEST_PHRASE + 1):
        matches = 0  # words in a row that are those of a phrase before
        for index in range(size, len(words)):
            matches = matches + 1 if words[index] == words[index - size] else 0
            most = max(most, 1 + matches // size)
    return most


def _tail(wanted: Sequence[str], said: Sequence[str]) -> int:
    """Words inserted behind the last word that was heard right."""
    tail = 0
    for edit in Levenshtein.opcodes(wanted, said):
        if edit.tag == "equal":
            tail = 0
        elif edit.tag == "insert":
            tail += edit.dest_end - edit.dest_start
    return tail
