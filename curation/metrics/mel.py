"""A mel spectrogram as librosa makes it (Slaney's scale and area norm), without librosa."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MelSpec:
    """Bands and framing of a mel spectrogram; frames are centred, the wave being padded with zeros."""

    rate_hz: int
    window: int
    hop: int
    bands: int

    def of(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """The power in each band (not its logarithm), shape (1 + samples // hop, bands)."""
        half = self.window // 2
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(wave, half), self.window)[:: self.hop]
        spectrum = np.fft.rfft(frames * _hann(self.window))  # (T, window // 2 + 1)
        return (np.square(np.abs(spectrum)) @ _filters(self).T).astype(np.float32)


@cache
def _hann(length: int) -> NDArray[np.float32]:
    return np.hanning(length + 1)[:-1].astype(np.float32)


@cache
def _filters(spec: MelSpec) -> NDArray[np.float64]:
    """Triangles of equal area, shape (bands, window // 2 + 1)."""
    bins_hz = np.fft.rfftfreq(spec.window, 1 / spec.rate_hz)
    edges_hz = _hz(np.linspace(0.0, _mel(spec.rate_hz / 2), spec.bands + 2))
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * (2 / (high - low)))


# Slaney's scale is linear up to 1 kHz (15 mels), then logarithmic: a factor of 6.4 every 27 mels.
_LINEAR_HZ, _KNEE_HZ, _KNEE_MEL = 200 / 3, 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27


def _mel(hz: float) -> float:
    return hz / _LINEAR_HZ if hz < _KNEE_HZ else float(_KNEE_MEL + np.log(hz / _KNEE_HZ) / _LOG_STEP)


def _hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ, _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))
