"""The ways in which takes are perturbed, one thing at a time; what each does is told in `training.augmentation`.

``world`` only takes a wave apart and puts it together again. Whatever changes prosody does so as well, and is to be
compared with it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np

from catalogs.ids import seed_of
from training.augmentation.codecs import pass_codec
from training.augmentation.filters import filter_band
from training.augmentation.noise import add_noise, speech_shaped
from training.augmentation.perturbation import flatten_energy, flatten_f0, resynthesise, shift_pitch, stretch
from training.augmentation.rooms import response_of, reverberate, shoebox
from training.members import Member, Wave

Perturb: TypeAlias = Callable[[Wave, np.random.Generator], Wave]


def _always(change: Callable[[Wave], Wave]) -> Perturb:
    return lambda wave, _: change(wave)


def _noisy(wave: Wave, random: np.random.Generator, *, snr_db: float) -> Wave:
    return add_noise(wave, speech_shaped(wave, random), snr_db=snr_db)


def _in_a_room(wave: Wave, random: np.random.Generator, *, rt60_s: float, distance_m: float) -> Wave:
    room = shoebox(random, rt60_s=rt60_s, distance_m=distance_m)
    return reverberate(wave, response_of(room, random))


PERTURBATIONS: Mapping[str, Perturb] = {
    "world": _always(resynthesise),
    "slower": _always(partial(stretch, tempo=0.85)),
    "faster": _always(partial(stretch, tempo=1.2)),
    "pitch_down": _always(partial(shift_pitch, semitones=-3.0)),
    "pitch_up": _always(partial(shift_pitch, semitones=3.0)),
    "flat_f0": _always(flatten_f0),
    "flat_energy": _always(flatten_energy),
    "low_pass": _always(partial(filter_band, high_hz=3400.0)),
    "high_pass": _always(partial(filter_band, low_hz=300.0)),
    "noise": partial(_noisy, snr_db=10.0),
    "codec_mulaw": _always(partial(pass_codec, codec="mulaw")),
    "codec_mp3": _always(partial(pass_codec, codec="mp3", quality=0.0)),
    "room": partial(_in_a_room, rt60_s=0.5, distance_m=1.5),
}


def perturbed(wave: Wave, member: Member, *, by: str) -> Wave:
    """A member's wave, perturbed; what is random in it depends on the samples and the perturbation alone."""
    return PERTURBATIONS[by](wave, np.random.default_rng(seed_of("probe", by, member.pcm_sha256)))
