"""Whether two recognisers differ on the same utterances, and by how much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.records import Hypothesis, Understanding
from catalogs.text import compare, counted_words
from training.answering import nearest_reference
from training.evaluation.figures import MEASURES
from training.evaluation.references import Reference
from training.evaluation.resampling import Figure, Groups, Interval, Sums, exchanges, interval, ratio, replicates
from training.evaluation.segments import MatchedPairs, mapsswe, segments
from training.evaluation.understanding import LABEL_MEASURES, by_take, counts

OF_VALUES = tuple(m for m in MEASURES if m.name in ("slot_recall", "entity_recall", "slot_error", "entity_error"))
NAMES = ("wer", *(measure.name for measure in OF_VALUES), *(measure.name for measure in LABEL_MEASURES))
"""What two recognisers are compared in, where a release has labels and they have understood them."""

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Contrast:
    """A figure of two recognisers.

    ``difference`` is the first one's less the second's, with its 95 % interval by a paired bootstrap. ``p`` is how
    often it is as great, to either side, when both exchange what they have heard of a group: with G groups never less
    than 2^(1 - G). None where one group alone has what is counted.
    """

    name: str
    first: float
    second: float
    difference: Interval
    p: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two recognisers on the same utterances: WER, and each figure of slots, entities and intents that is there.

    WER holds both against the one reference that is nearest to both.
    """

    num_utterances: int
    num_groups: int
    unit: str
    contrasts: tuple[Contrast, ...]
    matched_pairs: MatchedPairs


@dataclass(frozen=True, slots=True)
class _Pair:
    """The ``errors`` of both recognisers in one utterance, over its words, and segment by segment."""

    errors: tuple[int, int]
    num_words: int
    segments: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a recogniser has answered: its hypotheses, and its understandings if it has any."""

    hypotheses: Sequence[Hypothesis]
    understandings: Sequence[Understanding] = ()


def compare_systems(
    references: Sequence[Reference], first: Answers, second: Answers, *, number: int
) -> Comparison | None:
    """Compare on the utterances that both have heard; None if their references have no word."""
    rows = [{row.take_id: row for row in answers.hypotheses} for answers in (first, second)]
    labels = [by_take(answers.understandings) for answers in (first, second)]
    both = [r for r in references if all(r.member.take_id in heard for heard in rows)]
    pairs = [_pair(r, *(heard[r.member.take_id].text for heard in rows)) for r in both]
    if not sum(pair.num_words for pair in pairs):
        return None
    groups = Groups.of([reference.member.speaker for reference in both])
    sums = []
    for place, (heard, known) in enumerate(zip(rows, labels, strict=True)):
        values = [
            [p.errors[place], p.num_words, *_of_labels(r, heard[r.member.take_id], known.get(r.member.take_id))]
            for r, p in zip(both, pairs, strict=True)
        ]
        sums.append(groups.sums(np.array(values, dtype=np.float64)))
    return Comparison(
        num_utterances=len(both),
        num_groups=groups.number,
        unit=groups.unit,
        contrasts=tuple(_contrasts(*sums, number=number)),
        matched_pairs=mapsswe(segment for pair in pairs for segment in pair.segments),
    )


def _pair(reference: Reference, first: str, second: str) -> _Pair:
    language = reference.member.language
    wanted, of_first = nearest_reference(reference.member, first, second)
    of_second = compare(wanted, second, language=language)
    words = [counted_words(text, language) for text in (wanted, first, second)]
    return _Pair((of_first.words.errors, of_second.words.errors), of_first.words.length, segments(*words))


def _of_labels(reference: Reference, heard: Hypothesis, understood: Understanding | None) -> list[float]:
    """Of each figure after WER, by the order of `NAMES`, what is summed over what."""
    of_values = [count(heard, reference) for m in OF_VALUES for count in (m.over, m.under)]
    return [*of_values, *counts(understood)]


def _contrasts(ours: Sums, theirs: Sums, *, number: int) -> Iterator[Contrast]:
    """A contrast of every figure that has a value, of sums of the groups (G, figures × 2) by either recogniser."""
    both = np.hstack([ours, theirs])
    drawn = replicates(both, number=number)
    exchanged = exchanges(ours, theirs, number=number)
    exchanged = np.hstack([exchanged, (ours + theirs).sum(axis=0) - exchanged])
    for place, name in enumerate(NAMES):
        figures = [ratio(start, start + 1) for start in (2 * place, 2 * (len(NAMES) + place))]
        difference = _less(*figures)
        if found := interval(difference, both, drawn):
            first, second = (float(figure(both.sum(axis=0))) for figure in figures)
            is_alone = np.count_nonzero(np.isfinite(difference(both))) < 2
            p = None if is_alone else _p(found.value, difference(exchanged))
            yield Contrast(name, first, second, found, p=p)


def _less(first: Figure, second: Figure) -> Figure:
    """The difference of two figures."""
    return lambda sums: first(sums) - second(sums)


def _p(difference: float, exchanged: NDArray[np.float64]) -> float:
    """The share of exchanges that have as great a difference; one that has no value is taken for as great."""
    return float(np.mean(~(np.abs(exchanged) < abs(difference) - _ROUNDING)))
