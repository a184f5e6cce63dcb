"""Made-up speech for the steps of an augmentation: a gliding voice in syllables, with pauses between them."""

import numpy as np

from training.augmentation.step import Scene, Wave
from training.members import RATE_HZ


def spoken(duration_s: float = 2.0, *, pitch_hz: float = 120.0, peak: float = 0.3, seed: int = 0) -> Wave:
    """Harmonics of a pitch that falls by a fifth, in syllables of uneven loudness, with a little breath."""
    random = np.random.default_rng(seed)
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1.2 - 0.4 * times_s / max(duration_s, 1e-9))) / RATE_HZ
    voice = sum(np.sin(number * phase) / number for number in range(1, 20))
    loud = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, 1) ** 0.5 * (1 + 0.5 * np.sin(times_s))
    wave = voice * loud + 0.002 * random.standard_normal(len(times_s))
    return (peak * wave / max(np.abs(wave).max(initial=0), 1e-9)).astype(np.float32)


def scene(seed: int = 0) -> Scene:
    """Numbers of this seed, and others who speak higher, one after the other."""
    return Scene(np.random.default_rng(seed), lambda count: [spoken(1 + n, pitch_hz=90 + 20 * n) for n in range(count)])


def lag_of(heard: Wave, wave: Wave) -> int:
    """By how many samples one is behind the other, where they are most alike."""
    size = 1 << (2 * max(len(heard), len(wave))).bit_length()
    alike = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wave, size)), size)
    found = int(np.argmax(np.abs(alike)))
    return found - size if found > size // 2 else found


def db(ratio: float) -> float:
    return float(10 * np.log10(ratio))
