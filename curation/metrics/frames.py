"""The level of a clip over time, in frames of 10 ms, and which of them are silent."""

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.010
FLOOR_DB = -100.0
"""The level given to digital silence: below the least that int16 can hold."""

_SILENT_BELOW_SPEECH_DB = 40.0
_SILENT_DB = -60.0


def frame_levels_db(samples: NDArray[np.float32], *, rate_hz: int) -> NDArray[np.float64]:
    """RMS level of each 10 ms frame in dBFS, `FLOOR_DB` at least; a last part frame counts as a frame."""
    if len(samples) == 0:
        return np.zeros(0)
    num_frames = int(np.ceil(len(samples) / rate_hz / FRAME_S - 1e-9))
    starts = np.rint(np.arange(num_frames) * FRAME_S * rate_hz).astype(np.int64)
    starts = starts[starts < len(samples)]  # of a part of less than half a sample nothing is left
    lengths = np.diff(starts, append=len(samples))
    power = np.add.reduceat(np.square(samples, dtype=np.float64), starts) / lengths
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))))


def is_silent(levels_db: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each frame is 40 dB below the clip's loud frames (their 95th percentile), or below -60 dBFS."""
    if len(levels_db) == 0:
        return np.zeros(0, np.bool_)
    loud_db = float(np.percentile(levels_db, 95))
    return levels_db < max(loud_db - _SILENT_BELOW_SPEECH_DB, _SILENT_DB)


def runs_of(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The runs of true values as rows of (start, stop), shape (runs, 2)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return edges.reshape(-1, 2)
