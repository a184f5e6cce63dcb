"""The recogniser protocol: it hears 16 kHz waves and says what was said. It judges nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser heard; ``avg_logprob`` per token and ``no_speech_prob`` as far as it knows them."""

    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


class Recogniser(Protocol):
    """A loaded recogniser."""

    def transcribe(self, waves: Sequence[NDArray[np.float32]], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe mono 16 kHz waves of any length, one language tag each, in order.

        None stands for a wave in a language the recogniser does not know.
        """
        ...
