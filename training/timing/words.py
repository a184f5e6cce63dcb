"""From letters to words: which letters of a text are aligned, and where a word begins and ends around its own.

A CTC head says a letter in a peak of a frame or two, somewhere within its sound, and the blank in all other frames.
So a word reaches beyond its outermost letters, by `REACH_S` at most on either side. Between two words that are nearer
to each other than twice that, the boundary is in the middle of what is no letter's; else what is left there is silence.

What a text writes and does not spell, "25" or "&", is said all the same: it has the frames of whatever is said between
its neighbours, as the star token of torchaudio and MMS has (Pratap et al. 2024).
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalogs.pronunciations import spoken_tokens
from training.alphabet import Alphabet
from training.interleaving.words import Word
from training.timing.aligning import Span

REACH_S = 0.06
"""How far a word goes on at most where nothing else is said: of what was tried, what comes nearest to the times that
voices know themselves (`benchmarks.word_times`). Without it words are cut short; with twice as much pauses are lost.
"""

ANY: Final = -1
"""Among the numbers of a spelling: whatever is said there, any characters and the blanks between them."""

_COST_OF_ANY = 0.01
"""Nats a frame, so that silence around it stays silence, and neighbours keep what they say."""

_SIGNS = "&%@#§°"


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words of a text, and the characters of an alphabet that they are aligned by.

    ``numbers`` are those of the whole text, or `ANY`; ``stretches`` which of them are whose: (first, behind the last).
    """

    tokens: tuple[str, ...]
    numbers: tuple[int, ...]
    stretches: tuple[tuple[int, int], ...]


def spell(text: str, alphabet: Alphabet) -> Spelling:
    """The spelling of a text; single letters that the alphabet lacks are left out.

    `ANY` stands for figures and signs, and for a word of which no letter is left; of such words those that follow each
    other are one. No tokens if there is no letter at all.
    """
    tokens: list[tuple[str, list[int]]] = []
    for token in spoken_tokens(text):
        numbers = _numbers(token, alphabet)
        if tokens and tokens[-1][1][-1:] == numbers[:1] == [ANY]:
            before, numbers_before = tokens.pop()
            token, numbers = f"{before} {token}", numbers_before + numbers[1:]
        tokens.append((token, numbers))
    if all(number == ANY for _, numbers in tokens for number in numbers):
        return Spelling((), (), ())
    whole: list[int] = []
    stretches = []
    for _, numbers in tokens:
        whole += alphabet.between if whole else []
        stretches.append((len(whole), len(whole) + len(numbers)))
        whole += numbers
    return Spelling(tuple(token for token, _ in tokens), tuple(whole), tuple(stretches))


def with_any(log_probs: NDArray[np.floating]) -> NDArray[np.floating]:
    """Log probabilities (T, V) with a last column for `ANY`, which is nearly as likely as the likeliest: (T, V + 1)."""
    return np.hstack([log_probs, log_probs.max(axis=1, keepdims=True) - _COST_OF_ANY])


def _numbers(token: str, alphabet: Alphabet) -> list[int]:
    numbers: list[int] = []
    for is_figure, run in groupby(token, key=lambda char: _is_figure(char, alphabet)):
        found = alphabet.known("".join(run))
        if is_figure:
            numbers += [ANY] if numbers[-1:] != [ANY] else []
        elif any(char.isalnum() for char in alphabet.text(found)):
            numbers += found
    return numbers or ([ANY] if any(char.isalnum() for char in token) else [])


def _is_figure(char: str, alphabet: Alphabet) -> bool:
    """Whether a character is said by a word or more: a digit, a sign of money or sums, and some others."""
    is_said = unicodedata.category(char) in ("Nd", "Nl", "No", "Sc", "Sm") or char in _SIGNS
    return is_said and char not in alphabet.characters


def words_of(spelling: Spelling, spans: Sequence[Span], *, frame_rate_hz: float, length_s: float) -> list[Word]:
    """The words of a text in a clip of this length, by the spans of its characters; none overlaps the next.

    Frame n is from n to n + 1 over the rate. A word's confidence is the mean log probability of its letters' frames.
    """
    letters = [spans[first:behind] for first, behind in spelling.stretches]
    reach = REACH_S * frame_rate_hz
    gaps = [later[0].start - earlier[-1].end for earlier, later in pairwise(letters)]
    shares = [reach, *(min(gap / 2, reach) for gap in gaps), reach]
    bounds = [(own[0].start - shares[n], own[-1].end + shares[n + 1]) for n, own in enumerate(letters)]
    return [
        Word(token, _within(start / frame_rate_hz, length_s), _within(end / frame_rate_hz, length_s), _confidence(own))
        for token, (start, end), own in zip(spelling.tokens, bounds, letters, strict=True)
    ]


def _within(moment_s: float, length_s: float) -> float:
    return min(max(moment_s, 0.0), length_s)


def _confidence(spans: Sequence[Span]) -> float:
    num_frames = sum(span.end - span.start for span in spans)
    return min(0.0, sum(span.log_prob for span in spans) / num_frames)
