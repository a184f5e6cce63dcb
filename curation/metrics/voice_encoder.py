"""Resemblyzer's voice encoder: a mel spectrogram of 1.6 s to a unit vector of 256.

W windows · T = 160 frames of 10 ms · M = 40 mel bands · D = 256
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BANDS, _WIDTH, _LAYERS = 40, 256, 3
_WINDOWS_A_CALL = 64


class VoiceEncoder:
    """Three LSTM layers, of which the last state counts, a projection, a rectifier, unit length."""

    def __init__(self, weights: Path, *, threads: int) -> None:
        import torch  # heavy

        stored = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
        self._threads = threads
        self._lstm = torch.nn.LSTM(_BANDS, _WIDTH, _LAYERS, batch_first=True)
        self._projection = torch.nn.Linear(_WIDTH, _WIDTH)
        for part, module in (("lstm.", self._lstm), ("linear.", self._projection)):
            module.load_state_dict(
                {name.removeprefix(part): value for name, value in stored.items() if name.startswith(part)}
            )

    def encode(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn mel windows (W, T, M) into unit vectors (W, D)."""
        import torch  # loaded by now

        vectors = [np.zeros((0, _WIDTH), np.float32)]
        with torch.inference_mode(), _torch_threads(self._threads):
            for start in range(0, len(windows), _WINDOWS_A_CALL):
                mel = torch.from_numpy(windows[start : start + _WINDOWS_A_CALL])
                _, (last, _) = self._lstm(mel)  # (layers, W, D)
                vector = torch.relu(self._projection(last[-1]))  # (W, D)
                vectors.append(torch.nn.functional.normalize(vector, dim=1).numpy())
        return np.concatenate(vectors)


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """The number of threads is the process's, and its other users want theirs back."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
