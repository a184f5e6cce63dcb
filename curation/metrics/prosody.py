"""Prosody: how pitch and energy move, from WORLD's DIO and StoneMask at 16 kHz (`catalogs.pitch`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from catalogs.pitch import Track, pitch_track
from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.metrics.frames import FRAME_S, frame_levels_db, is_silent

_RATE_HZ = 16_000
_OCTAVE_ST = 12.0
_LEAST_FRAMES = 10


@dataclass(frozen=True, slots=True)
class Prosody:
    """The figures of one clip; those of pitch need 0.1 s of voiced speech, those of energy 0.1 s of sound."""

    f0_mean_hz: Annotated[float | None, Figure("Hz", "neither", "mean pitch of the voiced frames")] = None
    f0_median_hz: Annotated[float | None, Figure("Hz", "neither", "median pitch")] = None
    f0_sd_st: Annotated[
        float | None, Figure("semitones", "higher", "standard deviation of pitch: low is monotonous")
    ] = None
    f0_range_st: Annotated[float | None, Figure("semitones", "higher", "5th to 95th percentile of pitch")] = None
    f0_slope_st_per_s: Annotated[
        float | None, Figure("semitones/s", "neither", "slope of a line through the pitch of the clip")
    ] = None
    voiced_ratio: Annotated[float | None, Figure("share", "neither", "frames of sound that are voiced")] = None
    energy_sd_db: Annotated[
        float | None, Figure("dB", "neither", "standard deviation of the level of the frames of sound")
    ] = None
    energy_range_db: Annotated[float | None, Figure("dB", "neither", "5th to 95th percentile of that level")] = None


@dataclass(frozen=True, slots=True)
class ProsodyConfig:
    """The family has no settings and no model."""

    def card(self) -> MetricCard:
        """Family, version and columns."""
        return MetricCard("prosody", "2", columns_of(Prosody))

    def build(self) -> "ProsodyMetric":
        """Nothing to load."""
        return ProsodyMetric()


class ProsodyMetric:
    """Measures prosody; about 500 times real time on one core."""

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip; a clip is measured by itself."""
        return [Score(clip.take_id, values_of(_prosody(clip.at(_RATE_HZ)))) for clip in clips]


def pitch_hz(wave: NDArray[np.float32]) -> Track:
    """Pitch of a 16 kHz wave every 10 ms, 0 where it is unvoiced; see `catalogs.pitch`."""
    return pitch_track(wave.astype(np.float64), _RATE_HZ, frame_s=FRAME_S)[0]


def _prosody(wave: NDArray[np.float32]) -> Prosody:
    levels_db = frame_levels_db(wave, rate_hz=_RATE_HZ)
    sounding = ~is_silent(levels_db)
    if sounding.sum() < _LEAST_FRAMES:
        return Prosody()
    track_hz = pitch_hz(wave)[: len(levels_db)] * sounding
    low_db, high_db = np.percentile(levels_db[sounding], (5, 95)).tolist()
    heard = Prosody(
        voiced_ratio=float((track_hz > 0).sum() / sounding.sum()),
        energy_sd_db=float(levels_db[sounding].std()),
        energy_range_db=high_db - low_db,
    )
    return _with_pitch(heard, track_hz)


def _with_pitch(heard: Prosody, track_hz: Track) -> Prosody:
    """Add the figures of pitch; what lies an octave from the median is an error and does not count."""
    voiced = np.flatnonzero(track_hz > 0)
    if len(voiced) < _LEAST_FRAMES:
        return heard
    pitch_st = 12 * np.log2(track_hz[voiced] / np.median(track_hz[voiced]))
    near = np.abs(pitch_st) < _OCTAVE_ST
    voiced, pitch_st = voiced[near], pitch_st[near]
    low_st, high_st = np.percentile(pitch_st, (5, 95)).tolist()
    return replace(
        heard,
        f0_mean_hz=float(track_hz[voiced].mean()),
        f0_median_hz=float(np.median(track_hz[voiced])),
        f0_sd_st=float(pitch_st.std()),
        f0_range_st=high_st - low_st,
        f0_slope_st_per_s=float(np.polyfit(voiced * FRAME_S, pitch_st, 1)[0]),
    )
