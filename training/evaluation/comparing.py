"""Whether two recognisers differ on the same utterances, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.records import Hypothesis
from catalogs.text import compare, normalise
from training.evaluation.references import Reference
from training.evaluation.resampling import Groups, Interval, Sums, interval, ratio, replicates
from training.evaluation.scoring import nearest_reference
from training.evaluation.segments import MatchedPairs, mapsswe, segments


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recognisers on the same utterances, each held against the one reference that is nearest to both.

    ``difference`` is the first one's WER less the second's, with its 95 % interval by a paired bootstrap; ``p`` is
    two-sided, the share of replicates that do not agree with it; None for one utterance, which tells no spread.
    """

    num_utterances: int
    num_groups: int
    unit: str
    first: float
    second: float
    difference: Interval
    p: float | None
    matched_pairs: MatchedPairs


@dataclass(frozen=True, slots=True)
class _Pair:
    """The errors of both recognisers in one utterance, over its words, and segment by segment."""

    first: int
    second: int
    num_words: int
    segments: list[tuple[int, int]]


def compare_systems(
    references: Sequence[Reference], first: Sequence[Hypothesis], second: Sequence[Hypothesis], *, number: int
) -> Comparison | None:
    """Compare on the utterances that both have heard; None if their references have no word."""
    hypotheses = ({row.take_id: row.text for row in first}, {row.take_id: row.text for row in second})
    both = [r for r in references if all(r.member.take_id in heard for heard in hypotheses)]
    pairs = [_pair(r, *(heard[r.member.take_id] for heard in hypotheses)) for r in both]
    if not sum(pair.num_words for pair in pairs):
        return None
    groups = Groups.of([reference.member.speaker for reference in both])
    sums = groups.sums(np.array([[pair.first, pair.second, pair.num_words] for pair in pairs], dtype=np.float64))
    drawn = replicates(sums, number=number)
    found = interval(_difference, sums, drawn)
    if found is None:
        return None
    first_wer, second_wer = (float(ratio(place, 2)(sums.sum(axis=0))) for place in (0, 1))
    return Comparison(
        num_utterances=len(both),
        num_groups=groups.number,
        unit=groups.unit,
        first=first_wer,
        second=second_wer,
        difference=found,
        p=_p(_difference(drawn)) if groups.number > 1 else None,
        matched_pairs=mapsswe(segment for pair in pairs for segment in pair.segments),
    )


def _pair(reference: Reference, first: str, second: str) -> _Pair:
    language = reference.member.language
    wanted, of_first = nearest_reference(reference.member, first, second)
    of_second = compare(wanted, second, language=language)
    words = [normalise(text, language).split() for text in (wanted, first, second)]
    return _Pair(of_first.words.errors, of_second.words.errors, of_first.words.length, segments(*words))


def _difference(sums: Sums) -> NDArray[np.float64]:
    return ratio(0, 2)(sums) - ratio(1, 2)(sums)


def _p(drawn: NDArray[np.float64]) -> float:
    """Two-sided; never 0, as replicates are not without number (Davison and Hinkley 1997)."""
    there = drawn[np.isfinite(drawn)]
    tails = (np.count_nonzero(there <= 0), np.count_nonzero(there >= 0))
    return min(1.0, 2 * (min(tails) + 1) / (len(there) + 1))
