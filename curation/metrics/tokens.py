"""Tokens: a clip in speech codes, and whether it runs in a loop.

The codes are k-means over the frames of Whisper tiny's encoder. They carry what is said and when, and little of pitch
or of the speaker. Entropy and distances between takes are figures of sets; see `curation.sets`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.tokenisers import frames
from curation.tokenisers.codebook import PAUSE, Codebook
from curation.tokenisers.sequences import HELD_CODES, LOOP_NGRAM, held, held_share, looped_share, runs
from curation.tokenisers.tokeniser import CODEBOOK, Tokeniser, WhisperTokeniser, version

LOOPED_ABOVE = 0.068
"""``token_repetition`` of 99 in 100 clips of real speech of up to 12 s is below this.

Measured by `curation.tokenisers.train` on 167 clips that the codebook had not heard.
"""

HELD_S = 0.5
"""A sound held on for longer is stuck: the longest ``token_held_s`` of 408 clips of real speech is 0.48 s.

`benchmarks.stuck` measures it, and how often a voice that is made to stick is found out.
"""

_REVISION = 2


@dataclass(frozen=True, slots=True)
class Tokens:
    """The figures of one clip; none of them for a clip without speech."""

    speech_tokens: Annotated[
        tuple[int, ...] | None,
        Figure("", "neither", "speech codes from first speech to last, 50 a second; 0 is a pause"),
    ] = None
    token_count: Annotated[int | None, Figure("tokens", "neither", "codes of speech, pauses left out")] = None
    token_repetition: Annotated[
        float | None,
        Figure(
            "share",
            "lower",
            f"runs of {LOOP_NGRAM} different codes that were there before, or being stuck on a sound: high for a loop",
        ),
    ] = None
    token_held_s: Annotated[
        float | None,
        Figure(
            "s", "lower", f"longest stretch of {HELD_CODES} codes at most, without a pause: a sound that is held on"
        ),
    ] = None
    token_rate_hz: Annotated[
        float | None, Figure("Hz", "neither", "changes of code a second of speech: how fast sounds follow each other")
    ] = None


@dataclass(frozen=True, slots=True)
class TokensConfig:
    """How many threads detector and encoder may use."""

    threads: int = 1

    @property
    def num_cpus(self) -> float:
        """The cores to set aside for it."""
        return float(self.threads)

    def card(self) -> MetricCard:
        """Family, version and columns; the hash of the codebook is part of the version."""
        return MetricCard("tokens", f"{_REVISION}/{version(Codebook.load(CODEBOOK))}", columns_of(Tokens))

    def build(self) -> "TokensMetric":
        """Load detector, encoder and codebook."""
        return TokensMetric(WhisperTokeniser(Codebook.load(CODEBOOK), threads=self.threads))


class TokensMetric:
    """Writes the tokens of clips; a clip's do not depend on the others."""

    def __init__(self, tokeniser: Tokeniser) -> None:
        self._tokeniser = tokeniser

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        found = self._tokeniser.tokens([clip.at(frames.RATE_HZ) for clip in clips])
        return [
            Score(clip.take_id, values_of(describe(tokens, rate_hz=self._tokeniser.rate_hz)))
            for clip, tokens in zip(clips, found, strict=True)
        ]


def describe(tokens: NDArray[np.integer], *, rate_hz: float) -> Tokens:
    """The figures of one sequence, whichever tokeniser or engine it comes from."""
    count = int((tokens != PAUSE).sum())
    if count == 0:
        return Tokens()
    return Tokens(
        speech_tokens=tuple(tokens.tolist()),
        token_count=count,
        token_repetition=1.0 - (1.0 - looped_share(tokens)) * (1.0 - held_share(tokens, longer_than=HELD_S * rate_hz)),
        token_held_s=float(held(tokens).max()) / rate_hz,
        token_rate_hz=len(runs(tokens)) * rate_hz / count,
    )
