"""Sound in which nobody speaks: made from a seed, and recordings of noise in a folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from catalogs.errors import UsageError
from catalogs.ids import seed_of
from catalogs.signal import unclipped
from training.augmentation.levels import power
from training.augmentation.noise import coloured
from training.augmentation.rooms import response_of, reverberate, shoebox
from training.evaluation.files import read_wave
from training.members import RATE_HZ, Wave

VERSION = 1
"""Raised whenever the same seed makes other sounds than before."""

SHORTEST_S, LONGEST_S = 1.0, 20.0
LEVELS_DB = (-60.0, -40.0, -20.0)
"""Root mean squares, beneath full scale."""

_BEYOND_S = 1.0
"""What is read behind that, so that resampling does not hear an end there."""

RECORDED = "recorded"
ENDINGS = (".wav", ".flac")

Make: TypeAlias = Callable[[int, np.random.Generator], Wave]
"""From a number of samples to a wave of some level."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound in which nobody speaks; silence has no level, a recording the one that it has."""

    name: str
    kind: str
    seconds: float
    level_db: float | None
    wave: Callable[[], Wave]


def made(each: int, *, seed: int) -> list[Sound]:
    """So many sounds of each kind, from 1 to 20 s long, at one of three levels in turn."""
    lengths = np.linspace(SHORTEST_S, LONGEST_S, each) if each > 1 else np.array([SHORTEST_S])
    return [
        Sound(f"{kind} {number}", kind, float(seconds), level_db, partial(_made, kind, number, seconds, level_db, seed))
        for kind in MAKERS
        for number, seconds in enumerate(lengths)
        for level_db in [None if kind == "silence" else LEVELS_DB[number % len(LEVELS_DB)]]
    ]


def recorded(folder: Path) -> list[Sound]:
    """The wav and flac files of a folder and all below it, of each the first 20 s, as loud as they are.

    Raises:
        UsageError: if there is none.
    """
    root = folder.expanduser()
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not paths:
        raise UsageError(f"{root} has no wav or flac files: give a folder of recordings in which nobody speaks")
    return [Sound(str(path), RECORDED, LONGEST_S, None, partial(_read, path)) for path in paths]


def _read(path: Path) -> Wave:
    return read_wave(path, most_s=LONGEST_S + _BEYOND_S)[: int(LONGEST_S * RATE_HZ)]


def _made(kind: str, number: int, seconds: float, level_db: float | None, seed: int) -> Wave:
    random = np.random.default_rng(seed_of("non-speech", VERSION, seed, kind, number))
    wave = MAKERS[kind](round(seconds * RATE_HZ), random)
    loud = power(wave)
    if level_db is None or not loud:
        return wave
    return unclipped((wave * np.float32(10 ** (level_db / 20) / np.sqrt(loud))).astype(np.float32))


def _silence(num_samples: int, random: np.random.Generator) -> Wave:  # noqa: ARG001  # nothing in it is random
    return np.zeros(num_samples, np.float32)


def _hum(num_samples: int, random: np.random.Generator) -> Wave:
    """Mains of 50 or 60 Hz with ten harmonics, of phases and heights that are drawn."""
    mains_hz = (50.0, 60.0)[int(random.integers(2))]
    harmonics = np.arange(1, 11)
    heights = random.uniform(0.2, 1.0, 10) / harmonics
    turns = np.outer(np.arange(num_samples) / RATE_HZ, mains_hz * harmonics) + random.random(10)  # (n, 10)
    return (np.sin(2 * np.pi * turns) @ heights).astype(np.float32)


def _knocks(num_samples: int, random: np.random.Generator) -> Wave:
    """Bursts of 10 ms, about one a second, at least one, and their tails in a room of 0.3 to 1 s."""
    wave = np.zeros(num_samples, np.float32)
    size = RATE_HZ // 100
    for start in random.integers(0, max(1, num_samples - size), max(1, num_samples // RATE_HZ)):
        wave[start : start + size] = random.standard_normal(len(wave[start : start + size]))
    room = shoebox(random, rt60_s=float(random.uniform(0.3, 1.0)), distance_m=float(random.uniform(0.5, 3.0)))
    return reverberate(wave, response_of(room, random))


MAKERS: Mapping[str, Make] = {
    "silence": _silence,
    "white": partial(coloured, "white"),
    "pink": partial(coloured, "pink"),
    "brown": partial(coloured, "brown"),
    "hum": _hum,
    "knocks": _knocks,
}
"""Kinds of sound by their names."""
