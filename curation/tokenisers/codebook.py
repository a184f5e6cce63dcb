"""A codebook: k-means over the frames of a frozen encoder. The code of a frame is its nearest centre.

T frames · D width of the encoder · K codes
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]

PAUSE = 0
"""The code of a frame in which nobody speaks; those of speech are 1 to K."""

_ROUNDS = 25


@dataclass(frozen=True)
class Codebook:
    """``centres`` (K, D) lie in the space where frames have mean 0 and deviation 1; ``provenance`` is JSON."""

    mean: Frames
    deviation: Frames
    centres: Frames
    provenance: str

    @property
    def size(self) -> int:
        """How many codes there are, the pause aside."""
        return len(self.centres)

    @property
    def sha256(self) -> str:
        """The hash of the numbers, as they are stored."""
        stored = (self.mean, self.deviation, self.centres)
        return hashlib.sha256(b"".join(np.ascontiguousarray(part, "<f4").tobytes() for part in stored)).hexdigest()

    def codes(self, frames: Frames) -> NDArray[np.int32]:
        """The code of each frame (T, D), in 1 to K, shape (T,)."""
        scaled = (frames - self.mean) / self.deviation
        return (_nearest(scaled, self.centres) + 1).astype(np.int32)

    def save(self, path: Path) -> None:
        """Write it as NumPy arrays, the centres in half precision."""
        centres, provenance = self.centres.astype(np.float16), np.array(self.provenance)
        with path.open("wb") as file:
            np.savez_compressed(file, mean=self.mean, deviation=self.deviation, centres=centres, provenance=provenance)

    @classmethod
    def load(cls, path: Path) -> "Codebook":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            centres = arrays["centres"].astype(np.float32)
            return cls(arrays["mean"], arrays["deviation"], centres, str(arrays["provenance"]))


def fit(frames: Frames, *, size: int, seed: int, made_from: dict[str, str | int]) -> Codebook:
    """Lloyd's k-means from a seeded draw of frames (T, D), in `_ROUNDS` rounds; an empty centre is drawn again.

    Raises:
        ValueError: if there are fewer frames than codes.
    """
    if len(frames) < size:
        raise ValueError(f"{size} codes need as many frames, and there are {len(frames)}")
    random = np.random.default_rng(seed)
    mean, deviation = frames.mean(axis=0), frames.std(axis=0) + np.float32(1e-6)
    scaled = (frames - mean) / deviation
    centres = scaled[random.choice(len(scaled), size, replace=False)]
    for _ in range(_ROUNDS):
        nearest = _nearest(scaled, centres)
        order = np.argsort(nearest, kind="stable")
        held, starts = np.unique(nearest[order], return_index=True)
        sums = np.add.reduceat(scaled[order], starts, axis=0)
        centres = scaled[random.choice(len(scaled), size, replace=False)]
        centres[held] = sums / np.bincount(nearest)[held][:, None]
    provenance = json.dumps({**made_from, "frames": len(frames), "seed": seed, "rounds": _ROUNDS}, sort_keys=True)
    return Codebook(mean, deviation, centres.astype(np.float16).astype(np.float32), provenance)


def _nearest(scaled: Frames, centres: Frames) -> NDArray[np.int64]:
    """The index of the nearest centre; the length of a frame is the same for all of them and left out."""
    distance = np.square(centres).sum(axis=1) - 2 * scaled @ centres.T  # (T, K)
    return np.asarray(distance.argmin(axis=1))
