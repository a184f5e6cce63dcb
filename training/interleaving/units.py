"""Units: what an interleaved sequence is made of. A word, or a segment of words that nothing parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from unicodedata import category

from training.interleaving.words import Word

_MARKS = frozenset(".,;:!?…—–。，、；：？！．｡､؟،؛۔।॥։።፣፤།។၊။")
"""Those that end a sentence or a clause in some script."""

_ROUNDING_S = 1e-4
"""How much of a pause or a length single precision may have cost, and more."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A run of words: ``first`` to ``last`` of its text, both included."""

    text: str
    start_s: float
    end_s: float
    confidence: float
    first: int
    last: int

    @property
    def duration_s(self) -> float:
        """From its first word's start to its last word's end."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Segments:
    """How words become segments.

    ``at`` "silence" parts them where nothing is said for ``silence_s`` or longer; "silence+punctuation" at a mark of
    the text, too. A segment is no longer than ``max_s``, unless it is a word by itself: a longer one is parted again
    where its words are farthest from each other.
    """

    at: Literal["silence", "silence+punctuation"] = "silence+punctuation"
    silence_s: float = 0.2
    max_s: float = 6.0

    def __post_init__(self) -> None:
        if not self.silence_s >= 0:
            raise ValueError("segments.silence_s must be at least 0")
        if not self.max_s > 0:
            raise ValueError("segments.max_s must be positive")


def words_as_units(words: Sequence[Word]) -> list[Unit]:
    """Every word by itself."""
    return [_unit(words, index, index) for index in range(len(words))]


def segments(words: Sequence[Word], config: Segments) -> list[Unit]:
    """Segments of words, in order: every word is in one of them."""
    if not words:
        return []
    cuts = [index + 1 for index, pair in enumerate(pairwise(words)) if _parts(*pair, config)]
    edges = [0, *cuts, len(words)]
    fit = [run for start, stop in pairwise(edges) for run in _fitting(words, start, stop, max_s=config.max_s)]
    return [_unit(words, start, stop - 1) for start, stop in fit]


def _parts(word: Word, after: Word, config: Segments) -> bool:
    """Whether a segment ends between two words."""
    is_silent = after.start_s - word.end_s >= config.silence_s - _ROUNDING_S
    return is_silent or (config.at == "silence+punctuation" and _last_mark(word.text) in _MARKS)


def _last_mark(text: str) -> str:
    """The last character that is neither a quote nor a bracket: scripts differ in which of these close."""
    ends = (char for char in reversed(text) if char not in "\"'" and category(char) not in ("Pi", "Pf", "Ps", "Pe"))
    return next(ends, "")


def _fitting(words: Sequence[Word], start: int, stop: int, *, max_s: float) -> list[tuple[int, int]]:
    """A run of words, parted until each piece is short enough: at the widest gap, of equals the one in the middle."""
    fit: list[tuple[int, int]] = []
    left = [(start, stop)]
    while left:
        start, stop = left.pop()
        if stop - start == 1 or words[stop - 1].end_s - words[start].start_s <= max_s + _ROUNDING_S:
            fit.append((start, stop))
            continue
        middle = (start + stop) / 2
        cut = max(
            range(start + 1, stop), key=lambda at: (words[at].start_s - words[at - 1].end_s, -abs(at - middle), -at)
        )
        left += [(cut, stop), (start, cut)]
    return fit


def _unit(words: Sequence[Word], first: int, last: int) -> Unit:
    run = words[first : last + 1]
    text = " ".join(word.text for word in run)
    return Unit(text, run[0].start_s, run[-1].end_s, min(word.confidence for word in run), first, last)
