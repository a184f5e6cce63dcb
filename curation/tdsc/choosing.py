"""Choosing among the candidates of a text: a winner, a loser, and what a release gets.

With voices that seldom go wrong most candidates have the same word errors. Which of them a release gets is then free to
decide by what words do not say: expressive readings rather than flat ones, and those that differ most.
"""

from collections.abc import Collection, Sequence
from itertools import product

from catalogs.ids import Id
from catalogs.records import Preference
from curation.tdsc.candidates import Candidate, Text
from curation.tdsc.config import TdscConfig
from curation.tokenisers.distance import edits_per_token

OBJECTIVE, METHOD = "words", "tdsc"
_LEAST_GAIN = 1e-9


def preference_of(text: Text, config: TdscConfig) -> Preference | None:
    """The accepted candidate with the fewest word errors over the one with the most that fails on words alone.

    None if no candidate is accepted, or none loses. It belongs to the round in which the later of the two was made.
    """
    accepted = text.accepted(config)
    losers = [candidate for candidate in text.candidates if candidate.is_loser(config)]
    if not accepted or not losers:
        return None
    winner = min(accepted, key=_by_words)
    loser = max(losers, key=lambda c: (c.words, c.take_id))
    iteration = max(winner.iteration, loser.iteration)
    return Preference(text.line.prompt_id, _take(winner), _take(loser), OBJECTIVE, METHOD, iteration)


def chosen_of(text: Text, config: TdscConfig, *, lively: Collection[Id] = ()) -> list[Id]:
    """Up to ``keep`` accepted candidates with the fewest word errors; ``lively`` are the takes of expressive readings.

    The word error rate of the n-th best that is chosen is at most ``same_wer`` above that of the n-th best there is.
    Within that bound as many as can be are lively, and of such sets this one is far apart: no exchange of one reading
    for another makes the mean distance of two readings larger. Method: local search for the largest dispersion, from
    the candidates with the fewest errors on, which comes to half of the largest at least (Borodin et al. 2012).
    """
    accepted = sorted(text.accepted(config), key=_by_words)
    pool = _Pool(accepted, config, lively)
    chosen: list[int] = []
    better = list(range(min(config.keep, len(accepted))))
    while better:
        chosen, better = better, pool.exchanged(better)
    return [_take(accepted[n]) for n in chosen]


class _Pool:
    """What may be chosen, by place in the order of word errors."""

    def __init__(self, accepted: Sequence[Candidate], config: TdscConfig, lively: Collection[Id]) -> None:
        self._words = [c.words or 0.0 for c in accepted]
        self._most = [words + config.same_wer + _LEAST_GAIN for words in self._words[: config.keep]]
        self._lively = [_take(c) in lively for c in accepted]
        self._apart = edits_per_token([c.tokens for c in accepted]).tolist()

    def exchanged(self, chosen: Sequence[int]) -> list[int]:
        """What is chosen after the one exchange that gains most; nothing if none gains."""
        rest = [n for n in range(len(self._words)) if n not in chosen]
        best, after = (0, _LEAST_GAIN), list[int]()
        for out, into in product(chosen, rest):
            kept = [n for n in chosen if n != out]
            gain = self._gain(kept, out, into)
            if gain > best and self._is_within([*kept, into]):
                best, after = gain, sorted([*kept, into])
        return after

    def _gain(self, kept: Sequence[int], out: int, into: int) -> tuple[int, float]:
        """How many more are lively, and how much farther all of them are apart."""
        farther = sum(self._apart[into][n] - self._apart[out][n] for n in kept)
        return self._lively[into] - self._lively[out], farther

    def _is_within(self, chosen: Sequence[int]) -> bool:
        """Whether word errors are as few as they have to be; places are in their order."""
        return all(self._words[n] <= most for n, most in zip(sorted(chosen), self._most, strict=True))


def _by_words(candidate: Candidate) -> tuple[float, Id]:
    return (candidate.words or 0.0, _take(candidate))


def _take(candidate: Candidate) -> Id:
    return candidate.take_id or ""
