"""A clip: a take as metrics hear it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id
from catalogs.records import WordTime
from catalogs.signal import resample


@dataclass(frozen=True)
class Clip:
    """Mono samples with the texts they should carry.

    ``samples`` are the stored int16 values as float32 in [-1, 1), so that a take scores the same on arrival and
    when it is read back. ``text`` is the prompt as written, ``spoken`` the form the voice was given; a real take has
    one text. ``codes`` are the voice's own speech codes, None for a voice without any and for real takes; so are
    ``word_times``, one for each of the `catalogs.pronunciations.spoken_tokens` of ``spoken``.
    """

    take_id: Id
    voice_id: Id
    samples: NDArray[np.float32]
    sample_rate_hz: int
    text: str
    spoken: str
    language: str
    codes: tuple[int, ...] | None = None
    word_times: tuple[WordTime, ...] | None = None
    _resampled: dict[int, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz

    def at(self, rate_hz: int) -> NDArray[np.float32]:
        """The samples at another rate; metric families share what was resampled once."""
        if rate_hz == self.sample_rate_hz:
            return self.samples
        if rate_hz not in self._resampled:
            self._resampled[rate_hz] = resample(self.samples, from_hz=self.sample_rate_hz, to_hz=rate_hz)
        return self._resampled[rate_hz]
