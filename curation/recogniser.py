"""The recogniser protocol: it hears 16 kHz waves and says what was said. It judges nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000

Wave: TypeAlias = NDArray[np.float32]
"""Mono samples at `RATE_HZ`, in [-1, 1)."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser heard; ``avg_logprob`` per token and ``no_speech_prob`` as far as it knows them."""

    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How probable a given text is to a recogniser that hears a clip: teacher-forced, in nats.

    ``avg_logprob`` is the mean over the tokens of the text, its end left out. ``least_word`` is the word, as written,
    whose tokens are the least probable on average, and ``least_logprob`` that average.
    """

    avg_logprob: float
    least_word: str
    least_logprob: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """What came of one clip: what was heard, and how probable the text is that it should carry.

    ``transcript`` is None for a language the recogniser does not know. ``likelihood`` is None for such a language
    too, for a text without words, for a clip of digital silence, for one longer than the recogniser hears at once,
    and wherever it was not asked for.
    """

    transcript: Transcript | None = None
    likelihood: Likelihood | None = None


class Recogniser(Protocol):
    """A loaded recogniser. What it hears in a clip depends on that clip alone, unless its settings say otherwise."""

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe mono 16 kHz waves of any length, one language tag each, in order.

        None stands for a wave in a language the recogniser does not know.
        """
        ...

    def hear(
        self, waves: Sequence[Wave], texts: Sequence[str], *, languages: Sequence[str], likelihood: bool = True
    ) -> list[Hearing]:
        """Transcribe, and say how probable each intended text is, with one encoding of each wave.

        A recogniser that has no likelihood leaves it None. Without ``likelihood`` it costs what `transcribe` costs.
        """
        ...
