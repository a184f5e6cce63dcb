"""The voice protocol: a configuration says what a voice is, and builds the thing that speaks.

Describing is cheap and loads nothing, so that a plan can be made, and a finished job recognised, with no
model in memory. Engines register their configuration under the entry-point group ``synthgen.voices``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalogs.records import Line, VoiceCard, WordTime


@dataclass(frozen=True, slots=True)
class Reading:
    """What a voice returns for a line: mono float32 in [-1, 1], its rate, and its own speech tokens.

    ``word_times`` has one entry for each of the `catalogs.pronunciations.spoken_tokens` of the line's text, from the
    durations that the voice itself gave its sounds. None if it does not know them, or cannot tell the words apart.
    """

    samples: NDArray[np.float32]
    sample_rate_hz: int
    tokens: tuple[int, ...] | None = None
    word_times: tuple[WordTime, ...] | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz


class Voice(Protocol):
    """A loaded engine; it serves every card of its configuration."""

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, one reading each, in order.

        An empty text gives an empty reading. Randomness comes from each line's seed alone.

        Raises:
            Exception: for any line it cannot read; the caller finds out which one by asking again, alone.
        """
        ...


class VoiceConfig(Protocol):
    """A frozen dataclass, one table of a recipe: what a voice is, and how to load it."""

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker, without loading a model.

        Raises:
            UsageError: for a speaker the engine does not have, with the nearest one it has.
        """
        ...

    def build(self) -> Voice:
        """Load the engine.

        Raises:
            EngineError: if its package or its weights are not to be had, with the command that gets them.
        """
        ...
