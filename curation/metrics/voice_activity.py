"""Where somebody speaks: Silero VAD over many clips at once.

The model hears 32 ms at a time and carries a state, so clips are run side by side: step t of every clip
is one call. Rows do not see each other, and a clip's result is the same to the bit alone and in a batch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalogs.models import artefact, fetch
from curation.metrics.sessions import open_session

ARTEFACT = "silero-vad"
RATE_HZ = 16_000
STEP_S = 0.032

_STEP, _CONTEXT, _STATE = 512, 64, 128
_STARTS, _LASTS = 0.5, 0.35
"""Speech starts at the first probability and lasts until the second is not reached: Silero's own pair."""


def version() -> str:
    """The model, in short, for the version of a metric."""
    return f"{ARTEFACT}-{artefact(ARTEFACT).sha256[:12]}"


class SpeechDetector:
    """A loaded detector; 0.0015 s per second of audio on one core, in batches of 16."""

    def __init__(self, *, threads: int = 1) -> None:
        self._session = open_session(fetch(ARTEFACT) / "silero_vad.onnx", threads=threads)

    def stretches(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float64]]:
        """The stretches of speech of each wave at 16 kHz as rows of (start_s, end_s), shape (stretches, 2)."""
        return [
            _stretches(probability, length_s=len(wave) / RATE_HZ)
            for wave, probability in zip(waves, self._probabilities(waves), strict=True)
        ]

    def _probabilities(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        steps = [-(-len(wave) // _STEP) for wave in waves]
        padded = np.zeros((len(waves), _CONTEXT + max(steps, default=0) * _STEP), np.float32)
        for row, wave in zip(padded, waves, strict=True):
            row[_CONTEXT : _CONTEXT + len(wave)] = wave
        state = np.zeros((2, len(waves), _STATE), np.float32)
        speech = np.zeros((len(waves), max(steps, default=0)), np.float32)
        rate = np.array(RATE_HZ, np.int64)
        for step in range(speech.shape[1]):
            window = padded[:, step * _STEP : (step + 1) * _STEP + _CONTEXT]
            found, state = self._session.run(None, {"input": window, "state": state, "sr": rate})
            speech[:, step] = found[:, 0]
        return [row[:length] for row, length in zip(speech, steps, strict=True)]


def _stretches(probability: NDArray[np.float32], *, length_s: float) -> NDArray[np.float64]:
    found: list[tuple[float, float]] = []
    start: int | None = None
    for step, value in enumerate([*probability.tolist(), 0.0]):
        if start is None and value >= _STARTS:
            start = step
        elif start is not None and value < _LASTS:
            found.append((start * STEP_S, min(step * STEP_S, length_s)))
            start = None
    return np.array(found, np.float64).reshape(-1, 2)
