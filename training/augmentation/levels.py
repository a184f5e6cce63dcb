"""How loud speech is while it is spoken, and waves brought to the level of others."""

import numpy as np

from training.members import RATE_HZ, Wave

_FRAME = RATE_HZ // 50
_MARGIN = 10 ** (-15.9 / 10)


def power(wave: Wave) -> float:
    """The mean square of a wave, 0 if there is none."""
    return float(np.square(wave, dtype=np.float64).mean()) if len(wave) else 0.0


def active_power(wave: Wave) -> float:
    """The mean square of a wave while somebody speaks; pauses count for nothing.

    Frames of 20 ms are active if they are no more than 15.9 dB beneath the level of the active ones, which is the
    margin of ITU-T P.56; 0 for silence.
    """
    frames = frame_powers(wave)
    level, before = frames.mean() if len(frames) else 0.0, 0.0
    while level > before:
        before, level = level, frames[frames >= level * _MARGIN].mean()
    return float(level)


def at_power_of(wave: Wave, like: Wave) -> Wave:
    """A wave at the root mean square of another; silence stays silence."""
    return (wave * gain_to(power(like), of=wave)).astype(np.float32)


def gain_to(wanted: float, *, of: Wave) -> float:
    """What brings a wave to this power; 1 for silence."""
    own = power(of)
    return float(np.sqrt(wanted / own)) if own > 0 else 1.0


def frame_powers(wave: Wave) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The mean square of each frame of 20 ms, (frames,); a rest of less than a frame belongs to the last."""
    if len(wave) == 0:
        return np.zeros(0)
    starts = np.arange(0, max(len(wave) - _FRAME + 1, 1), _FRAME)
    sums = np.add.reduceat(np.square(wave, dtype=np.float64), starts)
    return np.asarray(sums / np.diff(starts, append=len(wave)))
