"""The signs of erosion: figures of takes that get worse as a corpus gets flatter, and how they are measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.intervals import FEWEST
from curation.bootstrap import Estimate, ratio_of
from curation.sets.diversity import reading_distances
from curation.sets.entropy import token_entropy
from curation.sets.watched import Watched
from curation.tokenisers.frames import FRAMES_HZ

LEAST_TEXTS = 20
"""A figure that rests on takes of fewer texts says nothing: texts, and not takes, come independently."""

Measure: TypeAlias = Callable[[Watched], "Estimate | None"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is watched: its name, unit, which way it gets worse, and how it is measured (None: not enough items)."""

    name: str
    unit: str
    worse: Literal["higher", "lower"]
    measure: Measure


def _mean(column: str) -> Measure:
    def measure(takes: Watched) -> Estimate | None:
        values = takes.figures.get(column)
        return None if values is None else _ratio(takes, values, np.ones(len(takes)))

    return measure


def _ratio(takes: Watched, over: NDArray[np.float64], under: NDArray[np.float64]) -> Estimate | None:
    """Sums over takes by their weights, one divided by the other, of takes for which they are there."""
    there = np.isfinite(over) & (under > 0)
    if not _are_enough(takes, there):
        return None
    weights = np.ones(there.sum()) if takes.weights is None else takes.weights[there]
    return ratio_of(weights * over[there], weights * under[there], takes.clusters[there])


def _are_enough(takes: Watched, there: NDArray[np.bool_]) -> bool:
    return len(np.unique(takes.text[there])) >= LEAST_TEXTS and len(np.unique(takes.clusters[there])) >= FEWEST


def _wer(takes: Watched) -> Estimate | None:
    columns = [takes.figures.get(name) for name in ("substitutions", "insertions", "deletions", "ref_words")]
    there = [column for column in columns if column is not None]
    if len(there) < len(columns):
        return None
    return _ratio(takes, there[0] + there[1] + there[2], there[3])


def _entropy(takes: Watched) -> Estimate | None:
    if takes.tokens is None or not _are_enough(takes, takes.tokens.spoken().lengths > 0):
        return None
    return token_entropy(takes.tokens, takes.clusters, weights=takes.weights)


def _reading_distance(takes: Watched) -> Estimate | None:
    if takes.tokens is None or len(takes) == 0:
        return None
    return _ratio(takes, reading_distances(takes.tokens, takes.reading, rate_hz=FRAMES_HZ), np.ones(len(takes)))


FIGURES: tuple[Figure, ...] = (
    Figure("wer", "ratio", "higher", _wer),
    Figure("token_entropy", "bits", "lower", _entropy),
    Figure("token_repetition", "share", "higher", _mean("token_repetition")),
    Figure("speaker_similarity", "cosine", "lower", _mean("speaker_similarity")),
    Figure("f0_sd_st", "semitones", "lower", _mean("f0_sd_st")),
    Figure("energy_sd_db", "dB", "lower", _mean("energy_sd_db")),
    Figure("reading_distance", "edits/s", "lower", _reading_distance),
)
"""What is watched; a figure whose columns were not measured is left out."""
