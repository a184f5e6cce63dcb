"""From letters to words: which letters of a text are aligned, and where a word begins and ends around its own.

A CTC head says a letter in a peak of a frame or two, somewhere within its sound, and the blank in all other frames.
So a word reaches beyond its outermost letters, by `REACH_S` at most on either side. Between two words that are nearer
to each other than twice that, the boundary is in the middle of what is no letter's; else what is left there is silence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalogs.pronunciations import spoken_tokens
from training.alphabet import Alphabet
from training.interleaving.words import Word
from training.timing.aligning import Span

REACH_S = 0.06
"""How far a word goes on at most where nothing else is said: of what was tried, what comes nearest to the times that
voices know themselves (`benchmarks.word_times`). Without it words are cut short; with twice as much pauses are lost.
"""


@dataclass(frozen=True, slots=True)
class Spelling:
    """The words of a text, and the characters of an alphabet that they are aligned by.

    ``numbers`` are those of the whole text, ``stretches`` which of them are whose: (first, behind the last).
    """

    tokens: tuple[str, ...]
    numbers: tuple[int, ...]
    stretches: tuple[tuple[int, int], ...]


def spell(text: str, alphabet: Alphabet) -> Spelling:
    """The spelling of a text; letters that the alphabet lacks are left out.

    A word without a letter left joins the word before it; at the start, the one behind it. No tokens if there are none.
    """
    tokens: list[tuple[str, list[int]]] = []
    for token in spoken_tokens(text):
        found = alphabet.known(token)
        numbers = found if any(char.isalnum() for char in alphabet.text(found)) else []
        if tokens and not (numbers and tokens[-1][1]):
            before, numbers_before = tokens.pop()
            token, numbers = f"{before} {token}", numbers_before + numbers
        tokens.append((token, numbers))
    if not tokens or not tokens[0][1]:
        return Spelling((), (), ())
    whole: list[int] = []
    stretches = []
    for _, numbers in tokens:
        whole += alphabet.between if whole else []
        stretches.append((len(whole), len(whole) + len(numbers)))
        whole += numbers
    return Spelling(tuple(token for token, _ in tokens), tuple(whole), tuple(stretches))


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
