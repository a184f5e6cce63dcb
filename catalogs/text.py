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

from rapidfuzz.distance import Editops, Levenshtein

from catalogs.numerals import NUMERALS

NORMALISER = f"whisper-normalizer-{version('whisper-normalizer')}/3"
"""Package, version, and the number of our own rules about which form of it a language gets."""

_UNSPACED = frozenset({"bo", "dz", "ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages written without spaces between words: their "words" are graphemes."""

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
"""Soft hyphens, marks of direction, and the places where a line may break, which Lao and Khmer texts are full of."""

_ROW_OF_DIGITS = re.compile(r"(?<![\w.,$£€])\d+(?:(?:,?\s+|\s*[:/\u2013-]\s*)\d+)+(?:st|nd|rd|th)?(?!\w|[.,]\d)")
_LEADING_ZERO = re.compile(r"(?<![\w.,])0\d+(?!\w|[.,]\d)")
_ROW_OF_NUMBERS = re.compile(r"(?<!\S)\d+(?:\.\d+)?(?: \d+)+(?:st|nd|rd|th)?(?!\S)")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_TONE_BEFORE_VOWEL = re.compile("([\u0e48-\u0e4b])(\u0e4d)|([\u0ec8-\u0ecb])(\u0ecd)")
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
    "color"); its numbers in a row are one word, however they are written ("four five", "4 5" and "45", "ten
    thirty" and "10:30"), with the zeros that they begin with. German and Dutch get one spelling of numbers, ranks,
    dates, times and sums ("dritter Mai" is "3 mai"), and of ß ("straße" is "strasse"; umlauts stay). Every other
    language keeps its combining marks, which are vowels in many scripts, and has its digits as 0 to 9; one
    written without spaces is split into graphemes, so that its word errors are grapheme errors. ``language``
    is a BCP 47 tag. Normalising a normalised text may change it again: keep the original.
    """
    return _normalise(text, primary(language))


def primary(language: str) -> str:
    """The primary subtag of a BCP 47 language tag: "en" of "en-GB"."""
    return language.replace("_", "-").partition("-")[0].lower()


def has_spaces(language: str) -> bool:
    """Whether a language is written with spaces between its words; if not, its words are counted as graphemes."""
    return primary(language) not in _UNSPACED


def compare(reference: str, hypothesis: str, *, language: str) -> Comparison:
    """Normalise both texts and count the errors of the hypothesis.

    Spaces count as characters, except in a language written without them.
    """
    wanted, heard = normalise(reference, language), normalise(hypothesis, language)
    ends = " " if has_spaces(language) else ""
    words = wanted.split()
    edits = Levenshtein.editops(words, heard.split())
    return Comparison(
        words=_count(edits, length=len(words)),
        characters=char_errors(wanted.replace(" ", ends), heard.replace(" ", ends)),
        lost=tuple(edit.src_pos for edit in edits if edit.tag == "delete"),
    )


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

        return _joining_numbers(EnglishTextNormalizer())
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


def _joining_numbers(english: Callable[[str], str]) -> Callable[[str], str]:
    """Write numbers in a row as one, in digits too: Whisper's rules join them only where they are spelled.

    They also write a 1 that stands alone as a word, and drop the zeros of "007": hence what is done before.
    """

    def joined(text: str) -> str:
        text = _ROW_OF_DIGITS.sub(lambda row: re.sub(r"\W", "", row[0]), text)
        normal = english(_LEADING_ZERO.sub(_spelled, text))
        return _ROW_OF_NUMBERS.sub(lambda row: row[0].replace(" ", ""), normal)

    return joined


def _spelled(digits: re.Match[str]) -> str:
    return " ".join(_DIGITS[int(digit)] for digit in digits[0])


def _in_one_order(text: str) -> str:
    """Thai and Lao as they look: am, which may be typed as one sign or two on either side of a tone, and double e."""
    text = _TWO_E.sub(lambda match: "\u0e41" if match[0][0] == "\u0e40" else "\u0ec1", text)
    text = text.replace("\u0e33", "\u0e4d\u0e32").replace("\u0eb3", "\u0ecd\u0eb2")
    return _TONE_BEFORE_VOWEL.sub(lambda match: (match[2] or match[4]) + (match[1] or match[3]), text)
