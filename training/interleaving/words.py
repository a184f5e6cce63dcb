"""Timed words of a text: as its spoken form has them, or as it is written ("$5" for "five dollars").

Timings are scores of the metric family ``timing``; what is here reads them, and measures nothing.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, groupby

from catalogs.errors import TrainingError
from training.texts import CHARACTERS_PER_S


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it stands in a text, marks included, and when it is said; ``confidence`` in nats, at most 0."""

    text: str
    start_s: float
    end_s: float
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Timings:
    """A take's row of the metric family ``timing``: lists of one length."""

    timed_words: Sequence[str]
    word_starts_s: Sequence[float]
    word_ends_s: Sequence[float]
    word_confidences: Sequence[float]

    def words(self, *, of: str) -> list[Word]:
        """The words, in order; ``of`` says whose they are, where they are no good.

        Raises:
            TrainingError: if there are none, the lists differ in length, or a word begins before the last has ended.
        """
        lists = (self.timed_words, self.word_starts_s, self.word_ends_s, self.word_confidences)
        if len({len(values) for values in lists}) != 1 or not self.timed_words:
            counts = " and ".join(str(len(values)) for values in lists)
            raise TrainingError(
                f"{of} has timings of {counts} words, starts, ends and confidences; "
                f"expected lists of one length, of at least one word: measure the family timing again"
            )
        words = [Word(*values) for values in zip(*lists, strict=True)]
        moments = [moment for word in words for moment in (word.start_s, word.end_s)]
        if moments != sorted(moments) or moments[0] < 0:
            raise TrainingError(
                f"{of} has timed words that overlap, or begin before it does: measure the family timing again"
            )
        return words


def unheard(text: str) -> list[Word]:
    """The words of a text that nobody has said, each for as long as its letters take to be read, with no pause.

    A token without letters or digits belongs to the word before it (at the start, behind it).
    """
    runs: list[str] = []
    begins = True
    for token in text.split():
        is_word = any(char.isalnum() for char in token)
        if runs and (begins or not is_word):
            runs[-1] += f" {token}"
        else:
            runs.append(token)
        begins = begins and not is_word
    ends = list(accumulate(len(run) / CHARACTERS_PER_S for run in runs))
    return [Word(run, start, end) for run, start, end in zip(runs, [0.0, *ends], ends, strict=False)]


def written(text: str, spoken: Sequence[Word]) -> list[Word]:
    """The words of a text as it is written, timed by the words of its spoken form.

    Words that both forms share keep their times. Where the forms differ, what stands between two shared words is one
    word of the text for as long as the words that are said there; what is written and not said, or said and not
    written, belongs to the word before it (at the start, behind it). Joined by a space the words are the text again,
    white space aside.
    """
    tokens = text.split()
    if not tokens or not spoken:
        return []
    matcher = SequenceMatcher(None, [bare(token) for token in tokens], [bare(w.text) for w in spoken], autojunk=False)
    groups: list[tuple[list[str], list[Word]]] = []
    for tag, i, j, k, n in matcher.get_opcodes():
        if tag == "equal":
            groups += [([token], [word]) for token, word in zip(tokens[i:j], spoken[k:n], strict=True)]
        else:
            groups.append((tokens[i:j], list(spoken[k:n])))
    return [_merged(texts, words) for texts, words in _whole(groups)]


def _whole(groups: Sequence[tuple[list[str], list[Word]]]) -> list[tuple[list[str], list[Word]]]:
    """The same groups, where each that lacks a side has joined a neighbour."""
    whole: list[tuple[list[str], list[Word]]] = []
    for texts, words in groups:
        if whole and not (texts and words and all(whole[-1])):
            before, words_before = whole.pop()
            whole.append((before + texts, words_before + words))
        else:
            whole.append((texts, words))
    return whole


def _merged(texts: Sequence[str], words: Sequence[Word]) -> Word:
    confidence = min(word.confidence for word in words)
    return Word(" ".join(texts), words[0].start_s, words[-1].end_s, confidence)


def bare(token: str) -> str:
    """A word without case and punctuation; a token of nothing but punctuation stays as it is."""
    return "".join(pieces(token)) or token


def pieces(text: str) -> list[str]:
    """What stands between white space and punctuation, in small letters: "anna" and "s" of "Anna's".

    Combining marks belong to their letters: they are vowels in many scripts.
    """
    letters = unicodedata.normalize("NFC", text.lower())
    runs = groupby(letters, key=lambda char: char.isalnum() or unicodedata.category(char).startswith("M"))
    return ["".join(run) for is_word, run in runs if is_word]
