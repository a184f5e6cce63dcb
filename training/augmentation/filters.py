"""Filters of a channel: bands, a tilt of the spectrum, gain. None of them moves a sample in time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalogs.signal import unclipped
from training.augmentation.levels import at_power_of
from training.augmentation.step import Range, Scene, Step, check_step
from training.members import RATE_HZ, Wave

Gains = NDArray[np.float64]

FilterKind = Literal["band", "low_pass", "high_pass", "tilt", "gain"]

_ORDER = 8
_RING = RATE_HZ // 4
_TILT_ABOUT_HZ = 1000.0
_TILT_FROM_HZ = 60.0


def filter_band(wave: Wave, *, low_hz: float | None = None, high_hz: float | None = None) -> Wave:
    """Keep a band: a Butterworth of 48 dB an octave at either edge, without its phase; None is no edge.

    The length stays. Gain is 1 inside and -3 dB at the edges.
    """

    def gains(hz: Gains) -> Gains:
        below = 0.0 if low_hz is None else (low_hz / np.maximum(hz, 1e-3)) ** (2 * _ORDER)
        above = 0.0 if high_hz is None else (hz / high_hz) ** (2 * _ORDER)
        return np.asarray(1 / np.sqrt((1 + below) * (1 + above)) * np.ones_like(hz), np.float64)

    return unclipped(shaped(wave, gains))


def tilt(wave: Wave, *, db_per_octave: float) -> Wave:
    """Tilt the spectrum about 1 kHz, above 60 Hz: negative is duller. Length and root mean square stay."""

    def gains(hz: Gains) -> Gains:
        octaves = np.log2(np.maximum(hz, _TILT_FROM_HZ) / _TILT_ABOUT_HZ)
        return np.asarray(10 ** (db_per_octave * octaves / 20))

    return unclipped(at_power_of(shaped(wave, gains), wave))


def amplify(wave: Wave, *, gain_db: float) -> Wave:
    """Make a wave louder, as far as it does not clip, or quieter."""
    return unclipped(np.asarray(wave * np.float32(10 ** (gain_db / 20))))


def shaped(wave: Wave, gains: Callable[[Gains], Gains]) -> Wave:
    """A wave whose spectrum is multiplied by a real gain of frequency in Hz; silence around it takes up the ringing."""
    if len(wave) == 0:
        return wave
    size = 1 << (len(wave) + 2 * _RING - 1).bit_length()
    spectrum = np.fft.rfft(np.pad(wave.astype(np.float64), _RING), size)
    spectrum *= gains(np.asarray(np.fft.rfftfreq(size, 1 / RATE_HZ), np.float64))
    return np.fft.irfft(spectrum, size)[_RING : _RING + len(wave)].astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class FilterConfig:
    """One of some ``kinds`` of filter; edges in hertz, tilt in decibels an octave, gain in decibels."""

    step: Literal["filter"] = "filter"
    probability: float = 1.0
    kinds: tuple[FilterKind, ...] = ("band", "low_pass", "tilt", "gain")
    low_hz: Range = (50.0, 300.0)
    high_hz: Range = (3000.0, 7000.0)
    tilt_db: Range = (-4.0, 4.0)
    gain_db: Range = (-12.0, 6.0)

    def __post_init__(self) -> None:
        check_step(self, low_hz=(1, 2000), high_hz=(2000, 8000), tilt_db=(-12, 12), gain_db=(-60, 40))

    def build(self) -> Step:
        """The step."""
        return Step(self._apply)

    def _apply(self, wave: Wave, scene: Scene) -> Wave:
        match scene.one_of("kind", self.kinds):
            case "band":
                low_hz, high_hz = scene.between("low_hz", self.low_hz), scene.between("high_hz", self.high_hz)
                return filter_band(wave, low_hz=low_hz, high_hz=high_hz)
            case "low_pass":
                return filter_band(wave, high_hz=scene.between("high_hz", self.high_hz))
            case "high_pass":
                return filter_band(wave, low_hz=scene.between("low_hz", self.low_hz))
            case "tilt":
                return tilt(wave, db_per_octave=scene.between("tilt_db", self.tilt_db))
            case _:
                return amplify(wave, gain_db=scene.between("gain_db", self.gain_db))
