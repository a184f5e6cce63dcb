"""Contours: pitch and sound of a clip every 20 ms, for what compares two readings of a text frame by frame.

They say nothing by themselves. Where the corpus has real takes of the same texts, and these have contours too,
`curation.melody` follows from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.metrics.frames import frame_levels_db, is_silent
from curation.metrics.mel import MelSpec
from curation.metrics.prosody import pitch_hz

CEPSTRA = 10
STEP_S = 0.020
_RATE_HZ = 16_000
_STRIDE = 2  # frames of pitch and level are of 10 ms
_SPECTRUM = MelSpec(_RATE_HZ, window=512, hop=320, bands=40)
_LEAST_VOICED = 15


@dataclass(frozen=True, slots=True)
class Contours:
    """The tracks of one clip from its first sound to its last; none for less than 0.3 s of voiced speech."""

    pitch_track_hz: Annotated[
        tuple[float, ...] | None, Figure("Hz", "neither", "pitch every 20 ms; 0 where it is unvoiced")
    ] = None
    cepstra_track: Annotated[
        tuple[float, ...] | None,
        Figure("", "neither", f"{CEPSTRA} mel cepstra of each of these frames, frame by frame"),
    ] = None


@dataclass(frozen=True, slots=True)
class ContoursConfig:
    """The family has no settings and no model."""

    def card(self) -> MetricCard:
        """Family, version and columns."""
        return MetricCard("contours", "1", columns_of(Contours))

    def build(self) -> "ContoursMetric":
        """Nothing to load."""
        return ContoursMetric()


class ContoursMetric:
    """Tracks clips; 2 kB a second of speech."""

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip; a clip is measured by itself."""
        return [Score(clip.take_id, values_of(contours_of(clip.at(_RATE_HZ)))) for clip in clips]


def contours_of(wave: NDArray[np.float32]) -> Contours:
    """The contours of a 16 kHz wave."""
    sounding = ~is_silent(frame_levels_db(wave, rate_hz=_RATE_HZ))
    if not sounding.any():
        return Contours()
    first, last = (int(edge) // _STRIDE for edge in np.flatnonzero(sounding)[[0, -1]])
    pitch = (pitch_hz(wave)[: len(sounding)] * sounding)[::_STRIDE][first : last + 1]  # (T,)
    cepstra = _cepstra(wave)[first : last + 1]  # (T, CEPSTRA)
    frames = min(len(pitch), len(cepstra))
    if (pitch[:frames] > 0).sum() < _LEAST_VOICED:
        return Contours()
    return Contours(tuple(np.round(pitch[:frames], 1).tolist()), tuple(np.round(cepstra[:frames], 2).ravel().tolist()))


def _cepstra(wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """The slowest waves of the log mel spectrum, its level aside, (T, CEPSTRA)."""
    bands = np.log(_SPECTRUM.of(wave).astype(np.float64) + 1e-8)
    places = (np.arange(_SPECTRUM.bands) + 0.5) / _SPECTRUM.bands
    return np.asarray(bands @ np.cos(np.pi * np.outer(places, np.arange(1, CEPSTRA + 1))))
