"""How differently two takes of one text are read: edits between their token sequences, after DS-WED (arXiv 2509.19928).

With codes of Whisper's encoder this sees timing, pauses, and how sounds are articulated, and little of melody: WORLD's
copy of a take is 10 edits a second away from it, the copy with a flat pitch 11, another seed of Piper 11, another text
49. So figures of F0 belong beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True, slots=True)
class ReadingDistance:
    """Edits from one reading to the other, with the tokens they had and the tokens a second.

    ``edits`` grows with the length of the text; the two properties do not.
    """

    edits: int
    tokens: tuple[int, int]
    rate_hz: float

    @property
    def per_token(self) -> float:
        """Edits over the tokens of the longer reading: in [0, 1] with weights of 1; 0 for two empty readings."""
        return self.edits / max(*self.tokens, 1)

    @property
    def per_second(self) -> float:
        """Edits over the mean length of the two in seconds; 0 for two empty readings."""
        return self.edits * self.rate_hz / max(sum(self.tokens) / 2, 1)


def reading_distance(
    one: Sequence[int] | NDArray[np.integer],
    other: Sequence[int] | NDArray[np.integer],
    *,
    rate_hz: float,
    weights: tuple[int, int, int] = (1, 1, 1),
) -> ReadingDistance:
    """Weighted Levenshtein of two sequences that begin and end with speech; ``weights``: insert, delete, substitute."""
    edits = Levenshtein.distance(_text(one), _text(other), weights=weights)
    return ReadingDistance(edits, (len(one), len(other)), rate_hz)


def mean_distance(readings: Sequence[NDArray[np.integer]], *, rate_hz: float, most: int = 8) -> float:
    """Mean edits per second over all pairs of readings of one text, of the first ``most`` of them; NaN for one."""
    texts = [_text(reading) for reading in readings[:most] if len(reading)]
    pairs = np.triu_indices(len(texts), k=1)
    return rate_hz * float(edits_per_token(texts)[pairs].mean()) if len(pairs[0]) else float("nan")


def edits_per_token(readings: Sequence[str]) -> NDArray[np.float64]:
    """Edits from each reading to each over the mean length of both, (N, N), codes as characters; 0 for an empty one."""
    lengths = np.array([len(reading) for reading in readings], np.float64)
    edits = process.cdist(readings, readings, scorer=Levenshtein.distance).astype(np.float64)
    edits[lengths == 0] = edits[:, lengths == 0] = 0.0
    return 2 * edits / np.maximum(lengths[:, None] + lengths, 1.0)


def _text(tokens: Sequence[int] | NDArray[np.integer]) -> str:
    """The tokens as characters, which rapidfuzz compares fastest."""
    return "".join(map(chr, np.asarray(tokens).tolist()))
