"""Perturbations of prosody: tempo, pitch, and readings without melody or stress.

Pitch and tempo are changed in WORLD's analysis (see `catalogs.world`), so that the timbre stays; `resynthesise` is
what the analysis alone does to a wave, the control for all of them. What is shorter than 50 ms has no prosody, and
keeps its pitch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log
from typing import Literal

import numpy as np

from catalogs.signal import resample, unclipped
from catalogs.world import Analysis, analyse, at_frames, synthesise
from training.augmentation.levels import at_power_of
from training.augmentation.step import Lengthening, Range, Scene, Step, check_step
from training.members import RATE_HZ, Wave

PerturbationKind = Literal["stretch", "shift_pitch", "flatten_f0", "flatten_energy"]

_SHORTEST = RATE_HZ // 20
_PITCH_HZ = (40.0, 800.0)
_FRAME = RATE_HZ // 100
_SMOOTH = 5
_SILENT_BELOW_DB = 40.0
_MOST_GAIN_DB = 20.0


def stretch(wave: Wave, *, tempo: float) -> Wave:
    """Read at another tempo, at the same pitch: n samples become round(n / tempo), at the same level.

    What is shorter than 50 ms is resampled.
    """
    wanted = round(len(wave) / tempo)
    if len(wave) < _SHORTEST or not np.any(wave):
        return _of_length(resample(wave, from_hz=RATE_HZ, to_hz=max(1, round(RATE_HZ / tempo))), wanted)

    def slower(given: Analysis) -> Analysis:
        last = len(given.f0_hz) - 1
        return at_frames(given, np.minimum(np.arange(int(last / tempo) + 1) * tempo, last))

    return _remade(wave, slower, wanted)


def shift_pitch(wave: Wave, *, semitones: float) -> Wave:
    """Read higher or lower, in the same timbre, at the same tempo and level."""

    def higher(given: Analysis) -> Analysis:
        f0_hz = np.clip(given.f0_hz * 2 ** (semitones / 12), *_PITCH_HZ)
        return replace(given, f0_hz=np.where(given.f0_hz > 0, f0_hz, 0.0))

    return _remade(wave, higher, len(wave))


def flatten_f0(wave: Wave) -> Wave:
    """Read on one pitch, the median of its own."""

    def level(given: Analysis) -> Analysis:
        voiced = given.f0_hz > 0
        return replace(given, f0_hz=np.where(voiced, np.median(given.f0_hz[voiced]) if voiced.any() else 0.0, 0.0))

    return _remade(wave, level, len(wave))


def resynthesise(wave: Wave) -> Wave:
    """Take a wave apart and put it together again, changing nothing."""
    return _remade(wave, lambda given: given, len(wave))


def flatten_energy(wave: Wave) -> Wave:
    """Read at one loudness: the level of each 50 ms, where it sounds, is brought to that of all, by up to 20 dB.

    What is 40 dB beneath the loudest is silence, and keeps the gain of what is around it.
    """
    if len(wave) < _SHORTEST or not np.any(wave):
        return wave
    squares = np.square(wave, dtype=np.float64)
    window = np.ones(_SMOOTH * _FRAME) / (_SMOOTH * _FRAME)
    levels_db = 10 * np.log10(np.convolve(squares, window, mode="same")[::_FRAME] + 1e-12)  # (frames,)
    sounding = levels_db > levels_db.max() - _SILENT_BELOW_DB
    gains_db = np.clip(levels_db[sounding].mean() - levels_db[sounding], -_MOST_GAIN_DB, _MOST_GAIN_DB)
    at = np.arange(len(levels_db)) * _FRAME
    gains = 10 ** (np.interp(np.arange(len(wave)), at[sounding], gains_db) / 20)
    return unclipped(at_power_of((wave * gains).astype(np.float32), wave))


def _remade(wave: Wave, change: Callable[[Analysis], Analysis], num_samples: int) -> Wave:
    """A wave whose analysis was changed, of so many samples, at the level it had."""
    if len(wave) < _SHORTEST or not np.any(wave):
        return wave
    made = _of_length(synthesise(change(analyse(wave, rate_hz=RATE_HZ))), num_samples)
    return unclipped(at_power_of(made, wave))


def _of_length(wave: Wave, num_samples: int) -> Wave:
    return np.pad(wave[:num_samples], (0, max(0, num_samples - len(wave))))


@dataclass(frozen=True, kw_only=True)
class PerturbationConfig:
    """One of some ``kinds``; ``tempo`` above 1 is faster."""

    step: Literal["perturbation"] = "perturbation"
    probability: float = 1.0
    kinds: tuple[PerturbationKind, ...] = ("stretch", "shift_pitch")
    tempo: Range = (0.85, 1.2)
    semitones: Range = (-3.0, 3.0)

    def __post_init__(self) -> None:
        check_step(self, tempo=(0.25, 4), semitones=(-24, 24))

    def build(self) -> Step:
        """The step."""
        slower = max(1.0, 1 / self.tempo[0]) if "stretch" in self.kinds else 1.0
        low, high = self.tempo
        of_stretched = Lengthening(slower=log(high / low) / (high - low) if high > low else 1 / low)
        expected = of_stretched.by_chance(self.kinds.count("stretch") / len(self.kinds))
        return Step(self._apply, lengthening=Lengthening(slower=slower), expected=expected)

    def _apply(self, wave: Wave, scene: Scene) -> Wave:
        match scene.one_of("kind", self.kinds):
            case "stretch":
                return stretch(wave, tempo=scene.between("tempo", self.tempo))
            case "shift_pitch":
                return shift_pitch(wave, semitones=scene.between("semitones", self.semitones))
            case "flatten_f0":
                return flatten_f0(wave)
            case _:
                return flatten_energy(wave)
