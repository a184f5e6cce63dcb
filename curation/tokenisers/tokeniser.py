"""From waves to speech tokens: trimmed to where somebody speaks, pauses marked as such."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curation.metrics import voice_activity
from curation.tokenisers import frames
from curation.tokenisers.codebook import PAUSE, Codebook

CODEBOOK = Path(__file__).with_name("whisper_tiny_en_100.npz")
"""100 codes; made by `python -m curation.tokenisers.train`, and its provenance is in it."""

_REVISION = 1


class Tokeniser(Protocol):
    """Anything that turns waves into codes: an encoder with its codebook, or a codec of your own."""

    @property
    def rate_hz(self) -> float:
        """Tokens a second."""
        ...

    def tokens(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.int32]]:
        """The tokens of each wave at 16 kHz, from first speech to last; `PAUSE` where nobody speaks."""
        ...


def version(codebook: Codebook) -> str:
    """All that a token depends on: detector, encoder, codebook and this code."""
    return f"{_REVISION}/{voice_activity.version()}/{frames.version()}/codes-{codebook.sha256[:12]}"


class WhisperTokeniser:
    """Codes of Whisper tiny's encoder; a wave's tokens do not depend on the others."""

    rate_hz = frames.FRAMES_HZ

    def __init__(self, codebook: Codebook, *, threads: int = 1) -> None:
        self._codebook = codebook
        self._detector = voice_activity.SpeechDetector(threads=threads)
        self._encoder = frames.FrameEncoder(threads=threads)

    def tokens(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.int32]]:
        """`Tokeniser`'s way; a wave without speech has none."""
        return [
            self._codes(wave, stretches) for wave, stretches in zip(waves, self._detector.stretches(waves), strict=True)
        ]

    def _codes(self, wave: NDArray[np.float32], stretches: NDArray[np.float64]) -> NDArray[np.int32]:
        trimmed, is_speech = trim(wave, stretches)
        codes = self._codebook.codes(self._encoder.frames(trimmed))
        codes[~is_speech[: len(codes)]] = PAUSE
        return codes


def trim(wave: NDArray[np.float32], stretches: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The wave from the first stretch of speech (start_s, end_s) to the last, and which of its frames are in one."""
    if len(stretches) == 0:
        return wave[:0], np.zeros(0, np.bool_)
    start, stop = (round(edge * frames.RATE_HZ) for edge in (stretches[0, 0], stretches[-1, 1]))
    trimmed = wave[start:stop]
    middles = stretches[0, 0] + (np.arange(len(trimmed) // frames.STEP) + 0.5) / frames.FRAMES_HZ
    inside = (middles[:, None] >= stretches[:, 0]) & (middles[:, None] < stretches[:, 1])
    return trimmed, inside.any(axis=1)
