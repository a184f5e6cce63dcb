"""Prosody transplant: one reading with the pitch, loudness and timing of another, and its own timbre.

WORLD (Morise et al. 2016) takes a wave apart into pitch, spectral envelope and aperiodicity, every 5 ms, and puts it
together again. Here the envelope and the aperiodicity are the target's; pitch and loudness follow the donor, each
about the target's own middle: a donor with a deep voice makes no deep voice of the target.

T target frames · D donor frames of 5 ms · K cepstral coefficients
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import AudioError
from catalogs.pitch import LOWEST_HZ, pitch_track
from catalogs.signal import resample, unclipped
from catalogs.warping import Frames, warp

Wave: TypeAlias = NDArray[np.float32]

_FRAME_S = 0.005
_SPOKEN_HZ = (40.0, 800.0)
_LEAST_RATE_HZ = 16_000
_LEAST_VOICED = 20
_OCTAVE_ST = 12.0
_WIDEST_ST = 18.0
_CEPSTRA = 24
_STRIDE = 2  # timing is aligned in steps of 10 ms
_SILENT_BELOW_LOUD_DB = 40.0
_MOST_GAIN_DB = 12.0
_SMOOTH_FRAMES = 21
_PHRASE_FRAMES = 81


@dataclass(frozen=True, slots=True)
class Analysis:
    """A wave taken apart, in frames of 5 ms; ``f0_hz`` is 0 where it is unvoiced."""

    f0_hz: Frames  # (T,)
    envelope: Frames  # (T, bins), power
    aperiodicity: Frames  # (T, bins), 0 to 1
    rate_hz: int

    @property
    def level_db(self) -> Frames:
        """The level of each frame, (T,), up to a constant."""
        return np.asarray(10 * np.log10(self.envelope.mean(axis=1) + 1e-12))


@dataclass(frozen=True, slots=True)
class Prosody:
    """How something was read, apart from the voice: pitch in semitones and level in decibels about their middles."""

    pitch_st: Frames  # (D,), bridged where it is unvoiced
    is_voiced: NDArray[np.bool_]  # (D,)
    level_db: Frames  # (D,)
    is_sounding: NDArray[np.bool_]  # (D,)
    cepstra: Frames  # (D, K)


def transplant(
    target: Wave, donor: Wave, *, target_hz: int, donor_hz: int, same_text: bool, strength: float = 1.0
) -> Wave:
    """Read ``target`` again with the prosody of ``donor``; the rate is the target's.

    With ``same_text`` the two are aligned in time, and the result has the donor's timing, and its length to a frame.
    Without, it keeps the target's timing: pitch is laid over its voiced frames, and loudness, smoothed over phrases,
    over its sounding ones, each from the first to the last. ``strength`` from 0 to 1 is how far they go from the
    target's own contours to the donor's. The same arguments give the same samples.

    Raises:
        AudioError: if either has less than 0.1 s of voiced speech, or ``strength`` is out of range.
    """
    if not 0 <= strength <= 1:
        raise AudioError(f"a transplant has a strength from 0 to 1, not {strength}")
    taken = analyse(target, rate_hz=target_hz)
    own, foreign = prosody_of(taken), prosody_of(analyse(donor, rate_hz=donor_hz))
    middle_hz = float(np.median(taken.f0_hz[taken.f0_hz > 0]))
    if same_text:
        path = align(own.cepstra, foreign.cepstra)  # (D,)
        taken, own = at_frames(taken, path), _read_at(own, path)
        wanted = foreign
    else:
        wanted = _laid_over(own, foreign)
    pitch_st = own.pitch_st + strength * (wanted.pitch_st - own.pitch_st)
    smooth = _SMOOTH_FRAMES if same_text else _PHRASE_FRAMES
    gain_db = strength * _gain_db(own, wanted, smooth=smooth)
    louder = 10 ** (gain_db / 10)[:, None]
    f0_hz = np.where(own.is_voiced, middle_hz * 2 ** (np.clip(pitch_st, -_WIDEST_ST, _WIDEST_ST) / 12), 0.0)
    made = synthesise(
        replace(taken, f0_hz=np.clip(f0_hz, *_SPOKEN_HZ) * own.is_voiced, envelope=taken.envelope * louder)
    )
    return unclipped(resample(made, from_hz=taken.rate_hz, to_hz=target_hz))


def analyse(wave: Wave, *, rate_hz: int) -> Analysis:
    """Take a mono wave in [-1, 1] apart; below 16 kHz it is resampled first. About 8 times real time.

    Raises:
        AudioError: if there is no wave, or the rate is not positive.
    """
    import pyworld  # a compiled extension

    if len(wave) == 0:
        raise AudioError("there are no samples to take apart")
    used_hz = max(rate_hz, _LEAST_RATE_HZ)
    samples = resample(wave, from_hz=rate_hz, to_hz=used_hz).astype(np.float64)
    f0_hz, times_s = pitch_track(samples, used_hz, frame_s=_FRAME_S, speed=1)
    envelope = pyworld.cheaptrick(samples, f0_hz, times_s, used_hz, f0_floor=LOWEST_HZ)
    aperiodicity = pyworld.d4c(samples, f0_hz, times_s, used_hz, fft_size=2 * (envelope.shape[1] - 1))
    return Analysis(f0_hz, envelope, aperiodicity, used_hz)


def synthesise(given: Analysis) -> Wave:
    """Put a wave together; its noise is the same every time. About 50 times real time."""
    import pyworld  # a compiled extension

    made = pyworld.synthesize(
        np.ascontiguousarray(given.f0_hz),
        np.ascontiguousarray(given.envelope),
        np.ascontiguousarray(given.aperiodicity),
        given.rate_hz,
        1000 * _FRAME_S,
    )
    return np.asarray(made, np.float32)


def at_frames(given: Analysis, path: Frames) -> Analysis:
    """The analysis read at other frames, (D,), fractions allowed; spectra are mixed in the logarithm."""
    low = np.floor(path).astype(np.int64)
    high, share = np.minimum(low + 1, len(given.f0_hz) - 1), (path - low)[:, None]
    logs = np.log(given.envelope + 1e-16)
    return replace(
        given,
        f0_hz=given.f0_hz[np.rint(path).astype(np.int64)],
        envelope=np.exp((1 - share) * logs[low] + share * logs[high]),
        aperiodicity=(1 - share) * given.aperiodicity[low] + share * given.aperiodicity[high],
    )


def prosody_of(given: Analysis) -> Prosody:
    """What is to be carried over; pitch an octave from the middle is an error of the tracker and is bridged.

    Raises:
        AudioError: for less than 0.1 s of voiced speech.
    """
    import pyworld  # a compiled extension

    level_db = given.level_db
    sounding = level_db > np.percentile(level_db, 95) - _SILENT_BELOW_LOUD_DB
    voiced = (given.f0_hz > 0) & sounding
    if voiced.sum() < _LEAST_VOICED:
        raise AudioError("there is less than 0.1 s of voiced speech: no prosody to take over")
    pitch_st = np.zeros(len(voiced))
    pitch_st[voiced] = 12 * np.log2(given.f0_hz[voiced] / np.median(given.f0_hz[voiced]))
    sure = np.flatnonzero(voiced & (np.abs(pitch_st) < _OCTAVE_ST))
    bridged = np.interp(np.arange(len(voiced)), sure, pitch_st[sure])
    cepstra = pyworld.code_spectral_envelope(given.envelope, given.rate_hz, _CEPSTRA)
    return Prosody(bridged, voiced, level_db - level_db[sounding].mean(), sounding, cepstra)


def align(target: Frames, donor: Frames) -> Frames:
    """For each donor frame the target frame that says the same, as a fraction, never falling; shape (D,).

    Dynamic time warping over cepstra (T, K) and (D, K).
    """
    ours, theirs = target[::_STRIDE], donor[::_STRIDE]
    steps = warp(ours, theirs)  # (steps, 2)
    at = np.arange(len(theirs))
    means = np.bincount(steps[:, 1], steps[:, 0]) / np.bincount(steps[:, 1])
    path = np.interp(np.arange(len(donor)) / _STRIDE, at, np.maximum.accumulate(means)) * _STRIDE
    return np.asarray(np.clip(path, 0, len(target) - 1))


def _read_at(given: Prosody, path: Frames) -> Prosody:
    nearest, frames = np.rint(path).astype(np.int64), np.arange(len(given.pitch_st))
    pitch_st, level_db = (np.interp(path, frames, part) for part in (given.pitch_st, given.level_db))
    return Prosody(pitch_st, given.is_voiced[nearest], level_db, given.is_sounding[nearest], given.cepstra[nearest])


def _laid_over(own: Prosody, foreign: Prosody) -> Prosody:
    """The foreign contours stretched over our frames: pitch from first to last voiced, level over the sounding ones."""
    return replace(
        own,
        pitch_st=_stretched(foreign.pitch_st[foreign.is_voiced], own.is_voiced),
        level_db=_stretched(_smoothed(foreign.level_db, _PHRASE_FRAMES)[foreign.is_sounding], own.is_sounding),
    )


def _stretched(contour: Frames, over: NDArray[np.bool_]) -> Frames:
    """A contour spread evenly over the true frames, and bridged between them."""
    places = np.flatnonzero(over)
    spread = np.interp(np.linspace(0, 1, len(places)), np.linspace(0, 1, len(contour)), contour)
    return np.asarray(np.interp(np.arange(len(over)), places, spread))


def _gain_db(own: Prosody, wanted: Prosody, *, smooth: int) -> Frames:
    """What brings our level to the wanted one where both sound, smoothed, and held within 12 dB."""
    both = own.is_sounding & wanted.is_sounding
    apart_db = np.where(both, _smoothed(wanted.level_db, smooth) - _smoothed(own.level_db, smooth), 0.0)
    return np.clip(_smoothed(apart_db, _SMOOTH_FRAMES), -_MOST_GAIN_DB, _MOST_GAIN_DB)


def _smoothed(contour: Frames, frames: int) -> Frames:
    """A moving mean, the ends held."""
    padded = np.pad(contour, frames // 2, mode="edge")
    return np.convolve(padded, np.ones(frames) / frames, mode="valid")
