"""Codecs: a take as it comes out of a file or a telephone line, with the real coders of libsndfile.

libsndfile leaves out the delay of coder and decoder itself; the tests hold it to that.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
import soundfile

from catalogs.errors import AudioError
from catalogs.signal import resample, unclipped
from training.augmentation.filters import filter_band
from training.augmentation.step import Range, Scene, Step, check_step
from training.members import RATE_HZ, Wave

Codec = Literal["mp3", "vorbis", "opus", "mulaw", "alaw", "gsm"]

TELEPHONE_HZ = (300.0, 3400.0)

_FILES = {"mp3": ("MP3", "MPEG_LAYER_III"), "vorbis": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}
_LINES = {"mulaw": ("WAV", "ULAW"), "alaw": ("WAV", "ALAW"), "gsm": ("WAV", "GSM610")}
_LINE_HZ = 8000
_MOST_COMPRESSION = 0.99
_BLOCK = RATE_HZ
_SPARE = RATE_HZ // 4


def pass_codec(wave: Wave, *, codec: Codec, quality: float = 0.5) -> Wave:
    """Code a wave and decode it again; length and timing stay.

    "mp3", "vorbis" and "opus" code at 16 kHz, with ``quality`` from 0, the least the codec has (about 8 kbit/s for mp3
    and opus), to 1. "mulaw" and "alaw" (G.711) and "gsm" (GSM 06.10) code the telephone band, 300 to 3400 Hz, at
    8 kHz, and have no choice of quality.

    Raises:
        AudioError: if libsndfile lacks the codec.
    """
    if len(wave) == 0:
        return wave
    padded = np.pad(wave, (0, _SPARE))  # coders refuse what is shorter than their frames
    if codec in _LINES:
        low_hz, high_hz = TELEPHONE_HZ
        line = resample(filter_band(padded, low_hz=low_hz, high_hz=high_hz), from_hz=RATE_HZ, to_hz=_LINE_HZ)
        heard = resample(_coded(line, codec, rate_hz=_LINE_HZ), from_hz=_LINE_HZ, to_hz=RATE_HZ)
    else:
        heard = _coded(padded, codec, rate_hz=RATE_HZ, compression_level=_MOST_COMPRESSION * (1 - quality))
    return unclipped(np.ascontiguousarray(heard[: len(wave)]))


def _coded(wave: Wave, codec: str, *, rate_hz: int, compression_level: float | None = None) -> Wave:
    kind, subtype = (_FILES | _LINES)[codec]
    file = BytesIO()
    try:
        with soundfile.SoundFile(
            file, "w", rate_hz, 1, subtype, format=kind, compression_level=compression_level
        ) as out:
            for start in range(0, len(wave), _BLOCK):  # libsndfile's coders put a whole write on the stack
                out.write(wave[start : start + _BLOCK])
        file.seek(0)
        heard, _ = soundfile.read(file, dtype="float32")
    except (soundfile.LibsndfileError, ValueError) as error:
        raise AudioError(
            f"codec {codec}: {error}; libsndfile {soundfile.__libsndfile_version__} may lack it, 1.2 has all"
        ) from error
    return np.asarray(heard, np.float32)


@dataclass(frozen=True, kw_only=True)
class CodecConfig:
    """One of some ``codecs``; ``quality`` is for those that have a choice, from 0, the least, to 1."""

    step: Literal["codec"] = "codec"
    probability: float = 1.0
    codecs: tuple[Codec, ...] = ("mp3", "vorbis", "opus", "mulaw", "alaw", "gsm")
    quality: Range = (0.0, 0.7)

    def __post_init__(self) -> None:
        check_step(self, quality=(0, 1))

    def build(self) -> Step:
        """The step."""
        return Step(self._apply)

    def _apply(self, wave: Wave, scene: Scene) -> Wave:
        codec = scene.one_of("codec", self.codecs)
        return pass_codec(wave, codec=codec, quality=scene.between("quality", self.quality))
