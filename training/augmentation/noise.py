"""Noise behind a take, so many decibels beneath its speech: coloured, shaped as speech, of many voices, or recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from catalogs.signal import unclipped
from training.augmentation.filters import Gains, shaped
from training.augmentation.levels import active_power, power
from training.augmentation.recordings import Recordings, recordings_in
from training.augmentation.step import Range, Scene, Step, check_step
from training.members import Wave

NoiseKind = Literal["white", "pink", "brown", "speech_shaped", "babble"]

_COLOURS = {"white": 0.0, "pink": 0.5, "brown": 1.0}
"""By which power of frequency the amplitude falls."""

_LOWEST_HZ = 20.0


def add_noise(wave: Wave, noise: Wave, *, snr_db: float) -> Wave:
    """A wave with noise under it; the length is the wave's, and a noise that is shorter begins again.

    The ratio is that of the level of active speech (see `active_power`) to the mean level of the noise. A silent wave,
    which has no such level, and a silent noise leave the wave as it is.
    """
    under = np.resize(noise, len(wave)) if len(noise) else np.zeros_like(wave)
    speech, loud = active_power(wave), power(under)
    if not (speech > 0 and loud > 0):
        return wave
    return unclipped(np.asarray(wave + under * np.float32(np.sqrt(speech / loud) * 10 ** (-snr_db / 20))))


def coloured(kind: str, num_samples: int, random: np.random.Generator) -> Wave:
    """White, pink or brown noise (n,), whose power falls by 0, 3 or 6 dB an octave above 20 Hz, at a level of 1."""
    slope = _COLOURS[kind]

    def gains(hz: Gains) -> Gains:
        return np.asarray(np.maximum(hz, _LOWEST_HZ) ** -slope)

    return _at_one(shaped(random.standard_normal(num_samples).astype(np.float32), gains))


def speech_shaped(wave: Wave, random: np.random.Generator) -> Wave:
    """Stationary noise with the long-term spectrum of a wave, as long as it: its spectrum with random phases."""
    if len(wave) == 0:
        return wave
    heights = np.abs(np.fft.rfft(wave.astype(np.float64)))
    phases = np.exp(2j * np.pi * random.random(len(heights)))
    return _at_one(np.fft.irfft(heights * phases, len(wave)).astype(np.float32))


def babble(voices: Sequence[Wave], num_samples: int, random: np.random.Generator) -> Wave:
    """Voices at one level of speech, each from somewhere in its take and over again, (n,)."""
    mixed = np.zeros(num_samples, np.float32)
    for voice in voices:
        loud = active_power(voice)
        if loud > 0:
            turned = np.roll(voice, int(random.integers(len(voice))))
            mixed += np.resize(turned, num_samples) / np.float32(np.sqrt(loud))
    return mixed


@dataclass(frozen=True, kw_only=True)
class NoiseConfig:
    """Noise of one of some ``kinds``, or with ``folder`` one of the recordings there.

    ``voices`` is how many other takes make a babble.
    """

    step: Literal["noise"] = "noise"
    probability: float = 1.0
    kinds: tuple[NoiseKind, ...] = ("white", "pink", "brown", "speech_shaped", "babble")
    snr_db: Range = (5.0, 25.0)
    voices: tuple[int, int] = (3, 6)
    folder: str | None = None

    def __post_init__(self) -> None:
        check_step(self, snr_db=(-30, 80), voices=(1, 20))

    def build(self) -> Step:
        """The step.

        Raises:
            TrainingError: if ``folder`` has no recordings.
        """
        if self.folder is None:
            return Step(self._made, hears_others="babble" in self.kinds)
        found = recordings_in(self.folder, key="noise.folder")
        return Step(_Recorded(found, self.snr_db), made_of=found.sha256)

    def _made(self, wave: Wave, scene: Scene) -> Wave:
        kind, snr_db = scene.one_of("kind", self.kinds), scene.between("snr_db", self.snr_db)
        if kind == "speech_shaped":
            noise = speech_shaped(wave, scene.random)
        elif kind == "babble":
            low, high = self.voices
            voices = scene.others(int(scene.random.integers(low, high + 1)))
            noise = babble(voices, len(wave), scene.random)
        else:
            noise = coloured(kind, len(wave), scene.random)
        return add_noise(wave, noise, snr_db=snr_db)


@dataclass(frozen=True, slots=True)
class _Recorded:
    found: Recordings
    snr_db: Range

    def __call__(self, wave: Wave, scene: Scene) -> Wave:
        noise = self.found.drawn(scene)
        begun = np.roll(noise, -int(scene.random.integers(len(noise))))
        return add_noise(wave, begun, snr_db=scene.between("snr_db", self.snr_db))


def _at_one(wave: Wave) -> Wave:
    loud = power(wave)
    return (wave / np.float32(np.sqrt(loud))) if loud > 0 else wave
