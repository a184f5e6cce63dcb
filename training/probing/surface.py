"""What can be told of takes without a model: a probe that does no better than by this has found nothing deeper."""

from collections.abc import Sequence

import numpy as np

from training.augmentation.levels import frame_powers
from training.members import RATE_HZ, Wave
from training.probing.classifier import Vectors

_FLOOR_DB = -100.0
_SILENT_BELOW_DB = 40.0


def surface(waves: Sequence[Wave]) -> Vectors:
    """Duration (log seconds), level and its spread (dB, of the frames that sound), and the share of silence, (N, 4).

    A frame of 20 ms is silent if it is 40 dB beneath the loudest.
    """
    return np.array([_of_wave(wave) for wave in waves], np.float32).reshape(-1, 4)


def _of_wave(wave: Wave) -> tuple[float, float, float, float]:
    levels_db = np.maximum(10 * np.log10(frame_powers(wave) + 1e-12), _FLOOR_DB)
    sounding = levels_db[levels_db > levels_db.max() - _SILENT_BELOW_DB]
    silent = 1 - len(sounding) / len(levels_db)
    return float(np.log(len(wave) / RATE_HZ)), float(sounding.mean()), float(sounding.std()), silent
