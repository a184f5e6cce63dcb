"""Pitch tracks to lay over each other: how one take moves, beside other takes of its text."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.signal import resample, to_float32
from curation.metrics.frames import FRAME_S
from curation.metrics.prosody import pitch_hz

_RATE_HZ = 16_000
_LONGEST_S = 12.0
_MOST_POINTS = 200
_LEAST_FRAMES = 10
_OCTAVE_ST = 12.0


@dataclass(frozen=True, slots=True)
class Track:
    """Runs of voiced speech: in each, (seconds after the first voiced frame, semitones above the take's median)."""

    runs: tuple[tuple[tuple[float, float], ...], ...]


def track(samples: NDArray[np.int16], sample_rate_hz: int) -> Track | None:
    """The pitch of the first 12 seconds, at 200 points at most; None where less than 0.1 s is voiced."""
    wave = resample(to_float32(samples), from_hz=sample_rate_hz, to_hz=_RATE_HZ)
    pitch = pitch_hz(wave[: int(_LONGEST_S * _RATE_HZ)])
    voiced = pitch > 0
    if voiced.sum() < _LEAST_FRAMES:
        return None
    height_st = 12 * np.log2(np.where(voiced, pitch, 1.0) / np.median(pitch[voiced]))
    voiced &= np.abs(height_st) < _OCTAVE_ST  # what lies an octave off is an error of the tracker
    first = int(np.flatnonzero(voiced)[0])
    every = max(1, -(-int(voiced.sum()) // _MOST_POINTS))
    runs = [_points(run, height_st, first)[::every] for run in _runs(voiced)]
    return Track(tuple(run for run in runs if len(run) > 1))


def _runs(voiced: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The frames of every stretch of voiced speech."""
    frames = np.flatnonzero(voiced)
    return np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)


def _points(run: NDArray[np.int64], height_st: NDArray[np.float64], first: int) -> tuple[tuple[float, float], ...]:
    return tuple((round((frame - first) * FRAME_S, 2), round(float(height_st[frame]), 2)) for frame in run.tolist())
