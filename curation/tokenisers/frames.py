"""Frames of Whisper tiny's encoder, 50 a second: what is said, and when, with little of who says it.

Whisper pads every clip to 30 s. Its encoder does not need that: a window as long as the speech in it gives frames as
useful for counting at a tenth of the cost.
"""

from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.models import artefact, fetch

Wave: TypeAlias = NDArray[np.float32]

ARTEFACT = "whisper-tiny-en"
RATE_HZ = 16_000
FRAMES_HZ = 50.0
WIDTH = 384
STEP = RATE_HZ // 50
"""Samples a frame."""

_LEVEL = 0.07
"""RMS, about that of recorded speech."""

_LONGEST = 20 * RATE_HZ
_SHORTEST = RATE_HZ // 10


def version() -> str:
    """The encoder, in short, for the version of a metric."""
    return f"{ARTEFACT}-{artefact(ARTEFACT).sha256[:12]}"


class FrameEncoder:
    """The encoder, loaded; 0.006 s per second of speech on one core. A wave is encoded by itself."""

    def __init__(self, *, threads: int = 1) -> None:
        from faster_whisper import WhisperModel  # heavy

        self._model = WhisperModel(str(fetch(ARTEFACT)), device="cpu", compute_type="float32", cpu_threads=threads)

    def frames(self, wave: Wave) -> NDArray[np.float32]:
        """The frames of a wave at 16 kHz less their mean, shape (samples // 320, 384); none for less than 0.1 s.

        The mean over a clip is mostly its speaker and its channel. A wave is heard at one level, however loud it is.
        """
        if len(wave) < _SHORTEST or not wave.any():
            return np.zeros((0, WIDTH), np.float32)
        level = np.sqrt(np.square(wave, dtype=np.float64).mean())
        heard = wave * np.float32(_LEVEL / level)
        frames = np.concatenate([self._encoded(piece) for piece in _pieces(heard)])
        return np.asarray(frames - frames.mean(axis=0))

    def _encoded(self, piece: Wave) -> NDArray[np.float32]:
        mel = self._model.feature_extractor(piece, padding=False)  # (80, 2 T)
        num_frames = len(piece) // STEP
        (encoded,) = np.array(self._model.encode(mel[None, :, : 2 * num_frames]), np.float32)  # (1, T, 384)
        return np.asarray(encoded)


def _pieces(wave: Wave) -> list[Wave]:
    """The wave in equal parts of whole frames, of 20 s at most."""
    num_frames = len(wave) // STEP
    count = -(-num_frames * STEP // _LONGEST)
    ends = [round(num_frames * part / count) * STEP for part in range(count + 1)]
    return [wave[start:stop] for start, stop in pairwise(ends)]
