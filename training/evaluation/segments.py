"""The matched-pairs sentence-segment word-error test, MAPSSWE (Gillick and Cox 1989), as NIST's sctk has it.

Utterances are cut where both recognisers have heard two words in a row right. A segment holds the errors between two
such places, so that what goes wrong in one hardly depends on another; the difference of errors per segment is tested
against 0 by a normal approximation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np
from rapidfuzz.distance import Levenshtein

GOOD_WORDS = 2
"""How many words in a row both must have right for a cut."""

ENOUGH = 30
"""Segments from which on a mean is near enough to a normal one."""


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """``difference`` is the mean of the first one's errors less the second's, per segment.

    ``z`` and the two-sided ``p`` are None where all segments differ alike, which tells nothing of their spread.
    """

    num_segments: int
    difference: float
    z: float | None
    p: float | None


def mapsswe(segments: Iterable[tuple[int, int]]) -> MatchedPairs:
    """Test the errors of two recognisers, segment by segment; no segment at all is no difference."""
    differences = np.array([first - second for first, second in segments], dtype=np.float64)
    number = len(differences)
    if not differences.any():
        return MatchedPairs(number, 0.0, 0.0, 1.0)
    mean = float(differences.mean())
    spread = float(differences.std(ddof=1)) if number > 1 else 0.0
    if spread == 0:
        return MatchedPairs(number, mean, None, None)
    z = mean / (spread / sqrt(number))
    return MatchedPairs(number, mean, z, erfc(abs(z) / sqrt(2)))


def segments(reference: Sequence[str], first: Sequence[str], second: Sequence[str]) -> list[tuple[int, int]]:
    """The errors of both recognisers in each segment of an utterance; texts are words, normalised."""
    errors = (_errors(reference, first), _errors(reference, second))
    found: list[tuple[int, int]] = []
    good = GOOD_WORDS  # the utterance begins as if after a cut
    for place, (of_first, of_second) in enumerate(zip(*errors, strict=True)):
        if of_first or of_second:
            before = (0, 0) if good >= GOOD_WORDS else found.pop()
            found.append((before[0] + of_first, before[1] + of_second))
            good = 0
        else:
            good += place % 2  # gaps, which have even places, are no words
    return found


def _errors(reference: Sequence[str], heard: Sequence[str]) -> list[int]:
    """Errors at each place: the gap before the first word, that word, the gap behind it, and so on."""
    places = [0] * (2 * len(reference) + 1)
    for edit in Levenshtein.editops(list(reference), list(heard)):
        places[2 * edit.src_pos + (edit.tag != "insert")] += 1
    return places
