"""Rooms: a take as it is heard from somewhere in a room, where it was and as loud as it was.

Responses are measured ones, or made: image sources of a shoebox (Allen & Berkley 1979) until echoes are too many to
tell apart, then noise that decays as a diffuse field does. Image sources alone decay more slowly than was asked for:
those of pyroomacoustics 0.10, at 0.5 to 1.2 s, by 20 to 60 %, and take seconds a room.
"""

from dataclasses import dataclass
from math import log, pi
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalogs.signal import unclipped
from training.augmentation.levels import gain_to, power
from training.augmentation.recordings import Recordings, recordings_in
from training.augmentation.step import Lengthening, Range, Scene, Step, check_step
from training.members import RATE_HZ, Wave

SOUND_M_S = 343.0

_EARLY_S = 0.05
_FADE_S = 0.01
_HALF_TAPS = 32
_ONSET = 0.5
_ONSET_S = 0.001
_LONGEST_TAIL_S = 5.0
_WALL_M = 0.3
_SMALLEST_M, _LARGEST_M = (3.0, 3.0, 2.4), (10.0, 8.0, 4.0)

Point = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Response:
    """An impulse response (taps,) at 16 kHz, and which of its taps is the direct path."""

    taps: NDArray[np.float64]
    direct: int


@dataclass(frozen=True, slots=True)
class Shoebox:
    """A room of three edges, its reverberation time, and where in it one speaks and one listens; metres, seconds."""

    size_m: Point
    rt60_s: float
    source_m: Point
    listener_m: Point


def reverberate(wave: Wave, response: Response, *, tail_s: float = 0.0) -> Wave:
    """Hear a wave in a room. The direct path stays where it was, and the root mean square over the wave stays as well.

    So does the length, but for as much of the echo that lasts on as ``tail_s`` allows.
    """
    if len(wave) == 0:
        return wave
    tail = min(round(tail_s * RATE_HZ), len(response.taps) - response.direct - 1)
    size = 1 << (len(wave) + len(response.taps) - 1).bit_length()
    spectrum = np.fft.rfft(wave.astype(np.float64), size) * np.fft.rfft(response.taps, size)
    heard = np.fft.irfft(spectrum, size)[response.direct : response.direct + len(wave) + tail].astype(np.float32)
    return unclipped((heard * gain_to(power(wave), of=heard[: len(wave)])).astype(np.float32))


def response_of(room: Shoebox, random: np.random.Generator) -> Response:
    """The response of a shoebox; ``random`` makes its late part. It lasts until all has decayed by 60 dB.

    Walls absorb what Eyring's formula asks of them, and turn the sign (Lehmann & Johansson 2008). An image at distance
    d has the amplitude 1 / d, the direct path 1; the late field has the power that images would have on the mean.
    """
    direct_m = float(np.linalg.norm(room.source_m - room.listener_m))
    volume_m3 = float(room.size_m.prod())
    first_s = direct_m / SOUND_M_S
    times_s = np.arange(-_HALF_TAPS, int((_EARLY_S + room.rt60_s) * RATE_HZ)) / RATE_HZ + first_s
    late = np.clip((times_s - first_s - _EARLY_S) / _FADE_S, 0, 1)  # how much of the power is the late field's
    decay = 10 ** (-3 * times_s / room.rt60_s)
    late_rms = direct_m * decay * np.sqrt(4 * pi * SOUND_M_S / (volume_m3 * RATE_HZ))
    early = _images(room, direct_m=direct_m, num_taps=len(times_s))
    taps = np.sqrt(1 - late) * early + np.sqrt(late) * late_rms * random.standard_normal(len(times_s))
    return Response(taps, _HALF_TAPS)


def measured(wave: Wave) -> Response:
    """A measured response: the direct path is the first peak of at least half the height of the greatest."""
    heights = np.abs(wave)
    onset = int(np.argmax(heights >= _ONSET * heights.max()))
    direct = onset + int(np.argmax(heights[onset : onset + int(_ONSET_S * RATE_HZ)]))
    return Response(wave.astype(np.float64), direct)


def shoebox(random: np.random.Generator, *, rt60_s: float, distance_m: float) -> Shoebox:
    """A room between 3 x 3 x 2.4 m and 10 x 8 x 4 m in which two are so far apart, as far as the room allows."""
    size_m = random.uniform(_SMALLEST_M, _LARGEST_M)
    free_m = size_m - 2 * _WALL_M
    way = random.standard_normal(3) * (1.0, 1.0, 0.3)  # mouths and microphones are at like heights
    way *= min(distance_m / float(np.linalg.norm(way)), float((free_m / np.abs(way)).min()))
    lowest_m = _WALL_M + np.maximum(0.0, -way)
    source_m = lowest_m + random.random(3) * (free_m - np.abs(way))
    return Shoebox(size_m, rt60_s, source_m, source_m + way)


def _images(room: Shoebox, *, direct_m: float, num_taps: int) -> NDArray[np.float64]:
    """The image sources of the first 60 ms as band-limited taps (num_taps,), the direct path of 1 at tap 32."""
    reach_m = direct_m + (_EARLY_S + _FADE_S) * SOUND_M_S
    span = np.ceil(reach_m / (2 * room.size_m)).astype(int) + 1
    grid = [np.arange(-n, n + 1) for n in span]
    cells = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 1, 3)  # (cells, 1, 3)
    sides = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), axis=-1).reshape(1, 8, 3)  # (1, 8, 3)
    places_m = (1 - 2 * sides) * room.source_m + 2 * cells * room.size_m
    far_m = np.linalg.norm(places_m - room.listener_m, axis=-1).ravel()
    bounces = (np.abs(cells - sides) + np.abs(cells)).sum(axis=-1).ravel()
    near = far_m <= reach_m
    amplitudes = _reflection(room) ** bounces[near] * direct_m / far_m[near]
    delays = (far_m[near] - direct_m) / SOUND_M_S * RATE_HZ + _HALF_TAPS  # in taps
    around = np.rint(delays).astype(int)[:, None] + np.arange(-_HALF_TAPS, _HALF_TAPS + 1)
    off = around - delays[:, None]
    kernels = np.sinc(off) * np.cos(np.clip(off / (_HALF_TAPS + 1), -1, 1) * pi / 2) ** 2
    taps = np.zeros(num_taps + 4 * _HALF_TAPS)
    inside = (around >= 0) & (around < num_taps)
    np.add.at(taps, around[inside], (amplitudes[:, None] * kernels)[inside])
    return taps[:num_taps]


def _reflection(room: Shoebox) -> float:
    """What a wall leaves of the amplitude, its sign turned: -sqrt(1 - absorption), by Eyring's formula."""
    a, b, c = room.size_m
    surface_m2 = 2 * float(a * b + b * c + c * a)
    exponent = 24 * log(10) / SOUND_M_S * float(room.size_m.prod()) / (surface_m2 * room.rt60_s)
    return -float(np.exp(-exponent / 2))


@dataclass(frozen=True, kw_only=True)
class RoomConfig:
    """A room: a made one of so much reverberation and distance, or one of the responses measured in ``folder``.

    ``tail_s`` is how long its echo is heard when the take is over, at most.
    """

    step: Literal["room"] = "room"
    probability: float = 1.0
    rt60_s: Range = (0.15, 0.8)
    distance_m: Range = (0.3, 3.0)
    folder: str | None = None
    tail_s: float = 0.0

    def __post_init__(self) -> None:
        check_step(self, rt60_s=(0.05, 5), distance_m=(0.1, 10))
        if not 0 <= self.tail_s <= _LONGEST_TAIL_S:
            raise ValueError(f"room.tail_s = {self.tail_s}: expected 0 to {_LONGEST_TAIL_S:g}")

    def build(self) -> Step:
        """The step.

        Raises:
            TrainingError: if ``folder`` has no responses.
        """
        longer = Lengthening(longer_s=self.tail_s)
        if self.folder is None:
            return Step(self._made, lengthening=longer)
        found = recordings_in(self.folder, key="room.folder")
        return Step(_Measured(found, self.tail_s), made_of=found.sha256, lengthening=longer)

    def _made(self, wave: Wave, scene: Scene) -> Wave:
        rt60_s, distance_m = scene.between("rt60_s", self.rt60_s), scene.between("distance_m", self.distance_m)
        room = shoebox(scene.random, rt60_s=rt60_s, distance_m=distance_m)
        return reverberate(wave, response_of(room, scene.random), tail_s=self.tail_s)


@dataclass(frozen=True, slots=True)
class _Measured:
    found: Recordings
    tail_s: float

    def __call__(self, wave: Wave, scene: Scene) -> Wave:
        return reverberate(wave, measured(self.found.drawn(scene)), tail_s=self.tail_s)
