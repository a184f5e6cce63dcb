"""Choosing among the candidates of a text: a winner, a loser, and what a release gets."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id
from catalogs.records import Preference
from curation.tdsc.candidates import Candidate, Text
from curation.tdsc.config import TdscConfig

OBJECTIVE, METHOD = "words", "tdsc"


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


def chosen_of(text: Text, config: TdscConfig, *, scale: NDArray[np.float64]) -> list[Id]:
    """Up to ``keep`` accepted candidates: the fewest word errors first, and of equals those that differ most.

    ``scale`` is one standard deviation of each feature over the job; see `scale_of`.
    """
    accepted = sorted(text.accepted(config), key=_by_words)
    if not accepted:
        return []
    places = np.array([[np.nan if x is None else x for x in c.features] for c in accepted]) / scale
    chosen = [0]
    while len(chosen) < min(config.keep, len(accepted)):
        rest = [n for n in range(len(accepted)) if n not in chosen]
        fewest = min(accepted[n].words or 0.0 for n in rest)
        equals = [n for n in rest if (accepted[n].words or 0.0) == fewest]
        chosen.append(max(equals, key=lambda n: (_nearest(places, n, chosen), -n)))
    return [_take(accepted[n]) for n in chosen]


def scale_of(texts: Sequence[Text]) -> NDArray[np.float64]:
    """The standard deviation of each feature over all candidates, (F,); 1 where it cannot be told."""
    rows = [c.features for text in texts for c in text.candidates if c.features]
    if not rows:
        return np.ones(0)
    found = np.array([[np.nan if x is None else x for x in row] for row in rows], np.float64)
    told = np.isfinite(found).any(axis=0)
    scale = np.ones(found.shape[1])
    scale[told] = np.nanstd(found[:, told], axis=0)
    return np.where(scale > 0, scale, 1.0)


def _nearest(places: NDArray[np.float64], n: int, chosen: Sequence[int]) -> float:
    """The distance to the nearest chosen one; a feature that either lacks does not count."""
    return float(np.sqrt(np.nansum((places[list(chosen)] - places[n]) ** 2, axis=1)).min())


def _by_words(candidate: Candidate) -> tuple[float, Id]:
    return (candidate.words or 0.0, _take(candidate))


def _take(candidate: Candidate) -> Id:
    return candidate.take_id or ""
