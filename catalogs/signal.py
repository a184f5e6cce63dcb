"""Signal basics: one resampler, one way to and from int16."""

from typing import TypeVar

import numpy as np
import soxr
from numpy.typing import NDArray

from catalogs.errors import AudioError

Sample = TypeVar("Sample", np.int16, np.float32)

_PEAK = 0.98


def resample(samples: NDArray[np.float32], *, from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """Change the sampling rate of a mono float32 wave (soxr HQ); the length becomes ``round(n * to / from)``.

    Raises:
        AudioError: if either rate is not positive.
    """
    if from_hz <= 0 or to_hz <= 0:
        raise AudioError(f"cannot resample from {from_hz} Hz to {to_hz} Hz: both rates must be positive")
    if from_hz == to_hz or len(samples) == 0:
        return samples
    wanted = round(len(samples) * to_hz / from_hz)
    out = np.zeros(wanted, np.float32)
    made = soxr.resample(samples, from_hz, to_hz, quality="HQ")[:wanted]
    out[: len(made)] = made
    return out


def bounds(start_s: float, end_s: float, *, rate_hz: int) -> tuple[int, int]:
    """From which sample to before which one a piece lies; it has one at least."""
    start = round(start_s * rate_hz)
    return start, max(round(end_s * rate_hz), start + 1)


def cut(samples: NDArray[Sample], start: int, stop: int) -> NDArray[Sample]:
    """The samples from ``start`` to before ``stop``; behind the end of the wave is silence."""
    piece = samples[start:stop]
    return np.pad(piece, (0, stop - start - len(piece)))


def unclipped(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The wave, quieter as a whole if it would clip: then its peak is 0.98."""
    peak = float(np.abs(samples).max(initial=0.0))
    return np.asarray(samples * np.float32(_PEAK / peak)) if peak > _PEAK else samples


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Quantise samples in [-1, 1] to int16, rounding to nearest; what lies outside is clipped.

    Raises:
        AudioError: if a sample is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise AudioError("the audio holds NaN or infinite samples")
    quantised: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return quantised


def to_float32(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Int16 samples as float32 in [-1, 1)."""
    return samples.astype(np.float32) / 32768.0
