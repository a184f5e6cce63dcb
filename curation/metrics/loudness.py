"""Loudness by ITU-R BS.1770-4: K-weighting, blocks of 0.4 s, an absolute and a relative gate.

The two K-weighting filters are applied as their frequency response, which is the same as running them
over the samples and needs no loop: their impulse response has died out long before the padding ends.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_BLOCK_S, _STEP_S = 0.4, 0.1
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0
_OFFSET_LUFS = -0.691  # makes a full-scale 997 Hz sine in one channel read -3.01
_RINGING_S = 0.2

# The analogue shelf and high-pass whose bilinear transforms at 48 kHz are the standard's coefficient tables.
_SHELF_HZ, _SHELF_Q = 1681.974450955533, 0.7071752369554196
_SHELF_DB, _SHELF_BAND_POWER = 3.999843853973347, 0.4996667741545416
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def loudness_lufs(samples: NDArray[np.float32], *, rate_hz: int) -> float | None:
    """Integrated loudness of a mono clip, or None if it is shorter than a block or all below the gate."""
    power = _block_power(samples, rate_hz=rate_hz)
    power = power[_lufs(power) > _ABSOLUTE_GATE_LUFS]
    if len(power) == 0:
        return None
    gate = _lufs(power.mean()) + _RELATIVE_GATE_LU
    return float(_lufs(power[_lufs(power) > gate].mean()))


def _lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(_OFFSET_LUFS + 10 * np.log10(np.maximum(power, 1e-20)))


def _block_power(samples: NDArray[np.float32], *, rate_hz: int) -> NDArray[np.float64]:
    """Mean square of the K-weighted samples in each block, blocks overlapping by three quarters."""
    num_blocks = int((len(samples) / rate_hz - _BLOCK_S) / _STEP_S + 1e-9) + 1
    if len(samples) < round(_BLOCK_S * rate_hz):
        return np.zeros(0)
    energy = np.concatenate(([0.0], np.cumsum(np.square(_k_weighted(samples, rate_hz=rate_hz)))))
    starts = np.rint(np.arange(num_blocks) * _STEP_S * rate_hz).astype(np.int64)
    stops = np.minimum(starts + round(_BLOCK_S * rate_hz), len(samples))
    return np.asarray((energy[stops] - energy[starts]) / (stops - starts))


def _k_weighted(samples: NDArray[np.float32], *, rate_hz: int) -> NDArray[np.float64]:
    padded = _fast_length(len(samples) + int(_RINGING_S * rate_hz))
    spectrum = np.fft.rfft(samples.astype(np.float64), padded) * _k_response(padded, rate_hz)
    return np.fft.irfft(spectrum, padded)[: len(samples)]


def _fast_length(least: int) -> int:
    """The next length that is 4 to 8 times a power of two: at most a quarter more, and quick to transform."""
    step = 1 << max(least.bit_length() - 3, 0)
    return -(-least // step) * step


@lru_cache(maxsize=8)
def _k_response(length: int, rate_hz: int) -> NDArray[np.complex128]:
    """The two filters in series at the frequencies of a real FFT of this length."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    return np.asarray(_shelf(z, rate_hz) * _high_pass(z, rate_hz))


def _shelf(z: NDArray[np.complex128], rate_hz: int) -> NDArray[np.complex128]:
    k = np.tan(np.pi * _SHELF_HZ / rate_hz)
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_BAND_POWER
    tilt = band * k / _SHELF_Q
    zeros = (high + tilt + k * k) + 2 * (k * k - high) * z + (high - tilt + k * k) * z * z
    return np.asarray(zeros / _denominator(z, k, _SHELF_Q))


def _high_pass(z: NDArray[np.complex128], rate_hz: int) -> NDArray[np.complex128]:
    k = np.tan(np.pi * _HIGH_PASS_HZ / rate_hz)
    # The standard gives this filter's numerator as exactly 1, -2, 1: it is not scaled as a bilinear one is.
    return np.asarray((1 - 2 * z + z * z) * (1 + k / _HIGH_PASS_Q + k * k) / _denominator(z, k, _HIGH_PASS_Q))


def _denominator(z: NDArray[np.complex128], k: float, q: float) -> NDArray[np.complex128]:
    """Of a second-order bilinear section: the poles both kinds of filter share the form of."""
    return np.asarray((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z * z)
