"""Vectors: a take's prosody and its timbre, each with as little of the other in it as can be had.

The one says how something is read and not by whom, the other by whom and not how. Distances between takes, coverage of
a corpus and the search for similar readings are made of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.metrics.speaker import Speaker, SpeakerConfig, SpeakerMetric
from curation.vectors import timbre
from curation.vectors.contours import RATE_HZ, prosody_vector

_EMBEDDING = [column.name for column in columns_of(Speaker)].index("speaker_embedding")


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of one clip; prosody needs 0.3 s of voiced speech, timbre 0.3 s of sound."""

    prosody_vector: Annotated[
        tuple[float, ...] | None,
        Figure(
            "",
            "neither",
            "12 numbers: spread of pitch and 5 terms of its contour in semitones, 6 terms of the level's in 3 dB",
        ),
    ] = None
    timbre_vector: Annotated[
        tuple[float, ...] | None,
        Figure("", "neither", "256 numbers of unit length: the d-vector without the directions that prosody moves"),
    ] = None


@dataclass(frozen=True, slots=True)
class VectorsConfig:
    """How many threads the speaker encoder may use."""

    threads: int = 1

    @property
    def num_cpus(self) -> float:
        """The cores to set aside for it."""
        return float(self.threads)

    def card(self) -> MetricCard:
        """Family, version and columns."""
        heard_by = SpeakerConfig(self.threads).card().version
        return MetricCard("vectors", f"2/{timbre.version()}/{heard_by}", columns_of(Vectors))

    def build(self) -> "VectorsMetric":
        """Load the speaker encoder."""
        return VectorsMetric(SpeakerConfig(self.threads).build())


class VectorsMetric:
    """Measures clips at 16 kHz; a clip's vectors agree to 1e-5 alone and in a batch."""

    def __init__(self, speaker: SpeakerMetric) -> None:
        self._speaker = speaker

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        heard = self._speaker.measure(clips)
        return [
            Score(clip.take_id, values_of(Vectors(_prosody(clip), _timbre(score))))
            for clip, score in zip(clips, heard, strict=True)
        ]


def _prosody(clip: Clip) -> tuple[float, ...] | None:
    vector = prosody_vector(clip.at(RATE_HZ))
    return None if vector is None else tuple(vector.tolist())


def _timbre(heard: Score) -> tuple[float, ...] | None:
    embedding = heard.values[_EMBEDDING]
    if not isinstance(embedding, tuple):
        return None
    return tuple(timbre.timbre_vector(np.array(embedding)).tolist())
