"""A folder of recordings that steps draw from: measured rooms, noises."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from catalogs.audio import hash_file
from catalogs.errors import TrainingError
from catalogs.signal import resample
from training.augmentation.step import Scene
from training.members import RATE_HZ, Wave

_ENDINGS = (".wav", ".flac")


@dataclass(frozen=True, slots=True)
class Recordings:
    """The recordings of a folder and all below it, in the order of their names, and the hashes of their bytes."""

    paths: tuple[Path, ...]
    sha256: tuple[str, ...]

    def drawn(self, scene: Scene) -> Wave:
        """One of them, its first channel, at 16 kHz; the scene notes its hash.

        Raises:
            TrainingError: if it cannot be read, or holds no sound.
        """
        number = int(scene.random.integers(len(self.paths)))
        scene.drawn["recording_sha256"] = self.sha256[number]
        return _read(self.paths[number])


def recordings_in(folder: str, *, key: str) -> Recordings:
    """The wav and flac files of a folder. ``key`` is where a recipe names it.

    Raises:
        TrainingError: if there is none.
    """
    root = Path(folder).expanduser()
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in _ENDINGS)
    if not paths:
        raise TrainingError(f"{key}: {root} has no wav or flac files; give a folder of recordings")
    return Recordings(tuple(paths), tuple(map(hash_file, paths)))


@lru_cache(maxsize=64)
def _read(path: Path) -> Wave:
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise TrainingError(f"{path} cannot be read: {error}; replace it, or take it out of its folder") from error
    wave = resample(np.ascontiguousarray(samples[:, 0]), from_hz=rate_hz, to_hz=RATE_HZ)
    if not (np.isfinite(wave).all() and np.abs(wave).max(initial=0.0) > 0):
        raise TrainingError(f"{path} is silent, or not finite; take it out of its folder")
    wave.setflags(write=False)
    return wave
