"""Compare what was said with what should have been: one normaliser, and word and character errors.

A word error rate means something only beside the normaliser it was computed with: store `NORMALISER`
with every score.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import groupby

from rapidfuzz.distance import Editops, Levenshtein

from catalogs.apostrophes import plain_apostrophes
from catalogs.numerals import NUMERALS

NORMALISER = f"whisper-normalizer-{version('whisper-normalizer')}/4"
"""Package, version, and the number of our own rules about which form of it a language gets."""

_UNSPACED = frozenset({"bo", "dz", "ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages written without spaces between words: their "words" are graphemes."""

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
"""Soft hyphens, marks of direction, and the places where a line may break, which Lao and Khmer texts are full of."""

_TONE_BEFORE_VOWEL = re.compile("([\u0e48-\u0e4b])(\u0e4d)|([\u0ec8-\u0ecb])(\u0ecd)")
_DOTS = re.compile(r"\.{2,}|…")
"""Ellipses, of which the English rules leave a dot that would count as a word: "wait..." was "wait ."."""

_TWO_E = re.compile("\u0e40{2}|\u0ec0{2}")


@dataclass(frozen=True, slots=True)
class WordErrors:
    """How a hypothesis differs from its reference, in words or in characters; totals come from ``sum``.

    sum((word_errors(*pair) for pair in pairs), WordErrors()).wer     # of a whole corpus
    """

    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0
    hits: int = 0

    def __add__(self, other: "WordErrors") -> "WordErrors":
        """Pool the counts, so that long texts weigh more."""
        return WordErrors(
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
            self.hits + other.hits,
        )

    @property
    def errors(self) -> int:
        """Substitutions, insertions and deletions."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def length(self) -> int:
        """How many words the reference has."""
        return self.substitutions + self.deletions + self.hits

    @property
    def wer(self) -> float:
        """Errors per reference word, in [0, ∞); an empty reference counts as one word, as jiwer has it."""
        return self.errors / max(self.length, 1)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Word and character errors of a hypothesis, and which reference words it lost (indexes, ascending)."""

    words: WordErrors
    characters: WordErrors
    lost: tuple[int, ...]


def normalise(text: str, language: str) -> str:
    """Write a text the way errors are counted: no case, no punctuation, one space between words.

    English also gets one spelling of numbers, contractions and variants ("fifty" is "50", "colour" is
    "color"); German and Dutch one of numbers, ranks, dates, times and sums ("dritter Mai" is "3 mai"), and
    of ß ("straße" is "strasse"; umlauts stay). Every other language keeps its combining marks, which are
    vowels in many scripts, and has its digits as 0 to 9; one written without spaces is split into graphemes,
    so that its word errors are grapheme errors. ``language`` is a BCP 47 tag. Normalising a normalised text
    may change it again: keep the original.
    """
    return _normalise(text, primary(language))


def primary(language: str) -> str:
    """The primary subtag of a BCP 47 language tag: "en" of "en-GB"."""
    return language.replace("_", "-").partition("-")[0].lower()


def has_spaces(language: str) -> bool:
    """Whether a language is written with spaces between its words; if not, its words are counted as graphemes."""
    return primary(language) not in _UNSPACED


def compare(reference: str, hypothesis: str, *, language: str) -> Comparison:
    """Normalise both texts and count the errors of the hypothesis over `counted_words`.

    Spaces count as characters, except in a language written without them.
    """
    wanted, heard = counted_words(reference, language), counted_words(hypothesis, language)
    ends = " " if has_spaces(language) else ""
    edits = Levenshtein.editops(wanted, heard)
    return Comparison(
        words=_count(edits, length=len(wanted)),
        characters=char_errors(ends.join(wanted), ends.join(heard)),
        lost=tuple(edit.src_pos for edit in edits if edit.tag == "delete"),
    )


def counted_words(text: str, language: str) -> list[str]:
    """The words of a normalised text that errors are counted over.

    English digits that follow each other one by one are one word, "4 5 6" as "four five six", which Whisper's rules
    write "456"; they write a 1 among them as "one". What is equal when it is normalised stays equal.
    """
    words = normalise(text, language).split()
    if primary(language) != "en":
        return words
    counted: list[str] = []
    for are_digits, group in groupby(words, key=_is_digit):
        row = list(group)
        counted += ["".join(row).replace("one", "1")] if are_digits and len(row) > 1 else row
    return counted


def _is_digit(word: str) -> bool:
    return word == "one" or (len(word) == 1 and word.isdecimal())


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Count word errors over a shortest alignment; the texts are compared as they are, split at white space."""
    return _errors(reference.split(), hypothesis.split())


def char_errors(reference: str, hypothesis: str) -> WordErrors:
    """Count character errors over a shortest alignment; the texts are compared as they are, spaces too."""
    return _errors(reference, hypothesis)


def _errors(reference: Sequence[str], hypothesis: Sequence[str]) -> WordErrors:
    return _count(Levenshtein.editops(reference, hypothesis), length=len(reference))


def _count(edits: Editops, *, length: int) -> WordErrors:
    tags = [edit.tag for edit in edits]
    substitutions, deletions = tags.count("replace"), tags.count("delete")
    return WordErrors(
        substitutions=substitutions,
        insertions=tags.count("insert"),
        deletions=deletions,
        hits=length - substitutions - deletions,
    )


@lru_cache(maxsize=32_768)
def _normalise(text: str, language: str) -> str:
    return _normaliser(language)(text).strip()


@cache
def _normaliser(language: str) -> Callable[[str], str]:
    if language == "en":
        from whisper_normalizer.english import EnglishTextNormalizer  # slow to import

        english = EnglishTextNormalizer()
        return lambda text: str(english(_DOTS.sub(" ", plain_apostrophes(text))))
    from whisper_normalizer.basic import BasicTextNormalizer

    basic = BasicTextNormalizer(preserve_marks=True, split_letters=language in _UNSPACED)
    numerals = NUMERALS.get(language)

    def plain(text: str) -> str:
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
        text = "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in text)
        if numerals is None:
            return str(basic(_in_one_order(text)))
        return numerals.words_to_digits(str(basic(numerals.signs_to_words(text))).split())

    return plain


def _in_one_order(text: str) -> str:
    """Thai and Lao as they look: am, which may be typed as one sign or two on either side of a tone, and double e."""
    text = _TWO_E.sub(lambda match: "\u0e41" if match[0][0] == "\u0e40" else "\u0ec1", text)
    text = text.replace("\u0e33", "\u0e4d\u0e32").replace("\u0eb3", "\u0ecd\u0eb2")
    return _TONE_BEFORE_VOWEL.sub(lambda match: (match[2] or match[4]) + (match[1] or match[3]), text)
