"""A voice without a model: a hum for each letter of a text, a thousand lines a second.

It keeps every promise of the protocol, seeds and temperature included, so that plans, fleets and
catalogs can be tried at full size on any machine.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import seed_of
from catalogs.records import Line, VoiceCard
from synthgen.voice import Reading
from synthgen.voices.speakers import check_in_range, check_some, table_of

RATE_HZ = 16_000
VERSION = hashlib.sha256(b"tone 1").hexdigest()
"""What takes the place of a checkpoint: it changes when the sound does."""

_VOWELS_HZ = ((730, 1090), (270, 2290), (530, 1840), (570, 840), (300, 870), (660, 1720), (490, 1350), (440, 1020))
_PERIOD = 256
_NUM_HARMONICS = 24
_LOUDNESS = 0.3
_FALL_ST = 3.0
_JITTER_ST = 2.0
_JITTER_DB = 3.0


@dataclass(frozen=True)
class ToneConfig:
    """A hum for each speaker; any name is a speaker, and the name decides pitch and colour."""

    engine: Literal["tone"] = "tone"
    speakers: tuple[str, ...] = ("tone-1",)
    language: str = "en"
    duration_s_per_char: float = 0.06

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker.

        Raises:
            UsageError: for no speaker, a speaker given twice, or a duration out of range.
        """
        check_some(self.speakers, engine=self.engine)
        check_in_range("duration_s_per_char", self.duration_s_per_char, low=0.001, high=1.0, engine=self.engine)
        return tuple(
            VoiceCard.new(
                engine=self.engine,
                speaker=speaker,
                language=self.language,
                sample_rate_hz=RATE_HZ,
                checkpoint_sha256=VERSION,
                licence="CC0-1.0",
                consent="nobody's voice: computed from sines",
                temperature="spread over letters of pitch (2 semitones at 1) and loudness (3 dB at 1)",
                config=table_of(self, speaker),
            )
            for speaker in self.speakers
        )

    def build(self) -> "Tone":
        """Ready at once."""
        return Tone(self)


class Tone:
    """Hums lines."""

    def __init__(self, config: ToneConfig) -> None:
        self._speakers = {card.id: card.speaker for card in config.cards()}
        self._letter_len = max(1, round(config.duration_s_per_char * RATE_HZ))
        self._swell = np.sin(np.pi * (np.arange(self._letter_len) + 0.5) / self._letter_len).astype(np.float32)

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Hum the lines; blanks are silent.

        ``style`` names the speaker whose pitch is used, ``timbre`` the one whose colour is; any name will do.
        """
        return [Reading(self._hum(line), RATE_HZ) for line in lines]

    def _hum(self, line: Line) -> NDArray[np.float32]:
        # L letters · S samples a letter
        speaker = self._speakers[line.voice_id]
        letters = np.array([ord(char) for char in line.text], np.int64)  # (L,)
        noise = _noise(line, len(letters))  # (2, L)
        contour_st = np.linspace(0.0, -_FALL_ST, len(letters)) + _JITTER_ST * noise[0]
        pitch_hz = _pitch_hz(line.style or speaker) * np.exp2(contour_st / 12)
        steps = np.repeat((pitch_hz / RATE_HZ).astype(np.float32), self._letter_len)  # (L*S,)
        places = (np.cumsum(steps, dtype=np.float64) * _PERIOD).astype(np.int64) % _PERIOD
        periods = _periods(line.timbre or speaker)  # (V, _PERIOD)
        waves = periods[np.repeat(letters % len(periods), self._letter_len), places]
        is_heard = np.array([not char.isspace() for char in line.text], bool)
        gains = (is_heard * _LOUDNESS * 10 ** (_JITTER_DB * noise[1] / 20)).astype(np.float32)
        envelope = (gains[:, None] * self._swell).ravel()  # (L, S) -> (L*S,)
        samples: NDArray[np.float32] = np.clip(waves * envelope, -1.0, 1.0)
        return samples


def _noise(line: Line, count: int) -> NDArray[np.float64]:
    """Two rows of noise, for pitch and loudness; without a temperature there is none."""
    if not line.temperature:
        return np.zeros((2, count))
    seed = seed_of(line.text) if line.seed is None else line.seed
    return line.temperature * np.random.default_rng(seed).standard_normal((2, count))


def _pitch_hz(speaker: str) -> float:
    """A pitch between 90 and 250 Hz that belongs to a name."""
    return 90.0 + seed_of("pitch", speaker) % 1600 / 10


@lru_cache(maxsize=256)
def _periods(speaker: str) -> NDArray[np.float32]:
    """One period of each vowel in a speaker's colour, (V, _PERIOD), with a peak of 1."""
    stretch = 0.85 + seed_of("colour", speaker) % 1000 / 2500
    harmonics = np.arange(1, _NUM_HARMONICS + 1)
    formants_hz = stretch * np.asarray(_VOWELS_HZ)[:, :, None]
    weights = np.exp(-(((150 * harmonics - formants_hz) / 200) ** 2)).sum(axis=1) + 0.1 / harmonics
    angles = 2 * np.pi * np.outer(harmonics, np.arange(_PERIOD)) / _PERIOD
    waves = weights @ np.sin(angles)
    periods: NDArray[np.float32] = (waves / np.abs(waves).max(axis=1, keepdims=True)).astype(np.float32)
    return periods
