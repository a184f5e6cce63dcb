"""Whether two recognisers differ on the same utterances, and by how much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.records import Hypothesis
from catalogs.text import compare, normalise
from training.evaluation.figures import MEASURES
from training.evaluation.references import Reference
from training.evaluation.resampling import Figure, Groups, Interval, Sums, interval, ratio, replicates
from training.evaluation.scoring import nearest_reference
from training.evaluation.segments import MatchedPairs, mapsswe, segments

CONTRASTED = tuple(m for m in MEASURES if m.name in ("slot_recall", "entity_recall", "slot_error", "entity_error"))
"""What two recognisers are compared in beside WER, where a release is labelled."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A figure of two recognisers.

    ``difference`` is the first one's less the second's, with its 95 % interval by a paired bootstrap; ``p`` is
    two-sided, the share of replicates that do not agree with it; None for one utterance, which tells no spread.
    """

    name: str
    first: float
    second: float
    difference: Interval
    p: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recognisers on the same utterances: WER, and each figure of labels that are there.

    WER holds both against the one reference that is nearest to both.
    """

    num_utterances: int
    num_groups: int
    unit: str
    contrasts: tuple[Contrast, ...]
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
    rows = ({row.take_id: row for row in first}, {row.take_id: row for row in second})
    both = [r for r in references if all(r.member.take_id in heard for heard in rows)]
    heard = [(rows[0][r.member.take_id], rows[1][r.member.take_id]) for r in both]
    pairs = [_pair(r, of_first.text, of_second.text) for r, (of_first, of_second) in zip(both, heard, strict=True)]
    if not sum(pair.num_words for pair in pairs):
        return None
    groups = Groups.of([reference.member.speaker for reference in both])
    values = [
        [pair.first, pair.num_words, pair.second, pair.num_words, *_of_labels(reference, *of_both)]
        for pair, reference, of_both in zip(pairs, both, heard, strict=True)
    ]
    return Comparison(
        num_utterances=len(both),
        num_groups=groups.number,
        unit=groups.unit,
        contrasts=tuple(_contrasts(groups.sums(np.array(values, dtype=np.float64)), number=number)),
        matched_pairs=mapsswe(segment for pair in pairs for segment in pair.segments),
    )


def _pair(reference: Reference, first: str, second: str) -> _Pair:
    language = reference.member.language
    wanted, of_first = nearest_reference(reference.member, first, second)
    of_second = compare(wanted, second, language=language)
    words = [normalise(text, language).split() for text in (wanted, first, second)]
    return _Pair(of_first.words.errors, of_second.words.errors, of_first.words.length, segments(*words))


def _of_labels(reference: Reference, *of_both: Hypothesis) -> list[float]:
    """Of each figure, what is summed over what: the first recogniser's, then the second's."""
    counts = [(measure.over, measure.under) for measure in CONTRASTED]
    return [count(row, reference) for both in counts for row in of_both for count in both]


def _contrasts(sums: Sums, *, number: int) -> Iterator[Contrast]:
    """A contrast for every four sums of the groups (G, 4 × figures), of those that have a value."""
    drawn = replicates(sums, number=number)
    for place, name in enumerate(("wer", *(measure.name for measure in CONTRASTED))):
        of_first, of_second = ratio(4 * place, 4 * place + 1), ratio(4 * place + 2, 4 * place + 3)
        difference = _less(of_first, of_second)
        if found := interval(difference, sums, drawn):
            first, second = (float(figure(sums.sum(axis=0))) for figure in (of_first, of_second))
            yield Contrast(name, first, second, found, p=_p(difference(drawn)) if len(sums) > 1 else None)


def _less(first: Figure, second: Figure) -> Figure:
    """The difference of two figures."""
    return lambda sums: first(sums) - second(sums)


def _p(drawn: NDArray[np.float64]) -> float:
    """Two-sided; never 0, as replicates are not without number (Davison and Hinkley 1997)."""
    there = drawn[np.isfinite(drawn)]
    tails = (np.count_nonzero(there <= 0), np.count_nonzero(there >= 0))
    return min(1.0, 2 * (min(tails) + 1) / (len(there) + 1))
