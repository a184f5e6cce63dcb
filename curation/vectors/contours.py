"""The prosody vector: how pitch and loudness move over a clip, apart from how high and how loud they are.

A contour about its own middle is written as a few slow cosines (the first terms of a discrete cosine transform): the
first falls with a falling contour, the second tells its ends from its middle, and so on. Beside them stands the spread
of the pitch. What mostly tells who speaks, or how the room sounds, is left out on purpose: level, speed, pauses,
the share of voiced frames. Those are columns of `pace` and `prosody`.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from curation.metrics.frames import frame_levels_db, is_silent
from curation.metrics.prosody import pitch_hz

Vector: TypeAlias = NDArray[np.float64]

RATE_HZ = 16_000
PITCH_TERMS, LEVEL_TERMS = 5, 6
LENGTH = 1 + PITCH_TERMS + LEVEL_TERMS

_LEAST_VOICED = 30
_OCTAVE_ST = 12.0
_DB_PER_UNIT = 3.0
"""Loudness moves by about this many decibels where pitch moves by one semitone, so both weigh alike."""


def prosody_vector(wave: NDArray[np.float32]) -> Vector | None:
    """The vector of a 16 kHz wave, (12,): pitch spread and 5 terms in semitones, 6 terms of level in units of 3 dB.

    None for less than 0.3 s of voiced speech.
    """
    levels_db = frame_levels_db(wave, rate_hz=RATE_HZ)
    sounding = ~is_silent(levels_db)
    if sounding.sum() < _LEAST_VOICED:
        return None
    track_hz = pitch_hz(wave)[: len(levels_db)] * sounding
    voiced_hz = track_hz[track_hz > 0]
    if len(voiced_hz) < _LEAST_VOICED:
        return None
    pitch_st = 12 * np.log2(voiced_hz / np.median(voiced_hz))
    pitch_st = pitch_st[np.abs(pitch_st) < _OCTAVE_ST]
    level = levels_db[sounding] / _DB_PER_UNIT
    return np.concatenate(
        ([pitch_st.std()], slow_cosines(pitch_st, terms=PITCH_TERMS), slow_cosines(level, terms=LEVEL_TERMS))
    )


def slow_cosines(contour: Vector, *, terms: int) -> Vector:
    """How much of each of the slowest cosines is in a contour, its mean aside; the same at any length, (terms,)."""
    times = (np.arange(len(contour)) + 0.5) / len(contour)
    waves = np.sqrt(2) * np.cos(np.pi * np.outer(np.arange(1, terms + 1), times))
    return np.asarray(waves @ (contour - contour.mean()) / len(contour))
