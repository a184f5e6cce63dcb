"""Timing: when each word of the spoken text is said in a clip, synthetic or real.

A voice that knows how long its sounds last has said so when it read the line, in any language; the words of all other
clips are searched for in their sound. `synthgen time` adds rows of this family by a recogniser that was trained here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from catalogs.pronunciations import spoken_tokens
from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.recogniser import RATE_HZ
from curation.recognisers.timing import TimedWord, Timer, timing_version
from synthgen.spoken import Spoken, SpokenConfig

_REVISION = 2
"""Raised with every change to the figures that is none of the search."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The figures of one clip: four lists of one length, a word each.

    ``is_timed`` is false, and the rest none, where the text cannot be found in the clip or has no words; all are none
    for a language that is not known. What no word covers is silence. A voice's own times have the confidence 0, which
    is certainty: they say when it meant to read a word, and not whether it is heard.

    A row of `synthgen time`, untimed or not, also says who made it.
    """

    is_timed: Annotated[bool | None, Figure("", "higher", "the words of the text were found in the clip")] = None
    timed_words: Annotated[
        tuple[str, ...] | None, Figure("", "neither", "words of the spoken text as they stand in it, marks included")
    ] = None
    word_starts_s: Annotated[tuple[float, ...] | None, Figure("s", "neither", "when each word begins")] = None
    word_ends_s: Annotated[tuple[float, ...] | None, Figure("s", "neither", "when each word ends")] = None
    word_confidences: Annotated[
        tuple[float, ...] | None,
        Figure("nats", "higher", "log probability of each word's frames against the likeliest sounds; at most 0"),
    ] = None
    least_word_confidence: Annotated[
        float | None, Figure("nats", "higher", "the confidence of the word that fits least")
    ] = None
    timed_by: Annotated[
        str | None,
        Figure("", "neither", "voice: by its own durations; search: found in the sound; ctc: aligned by a recogniser"),
    ] = None
    timer_id: Annotated[str | None, Figure("", "neither", "the recogniser of ctc and the way it times: a hash")] = None


@dataclass(frozen=True, slots=True)
class TimingConfig:
    """The family has no settings: PocketSphinx with its own model of American English."""

    def card(self) -> MetricCard:
        """Family, version and columns."""
        version = f"{_REVISION}/{timing_version()}/{SpokenConfig().build().version}"
        return MetricCard("timing", version, columns_of(Timing))

    def build(self) -> "TimingMetric":
        """Load the models."""
        return TimingMetric(Timer(), SpokenConfig().build())


class TimingMetric:
    """Times clips one by one: a text is searched for in its clip as a whole."""

    def __init__(self, timer: Timer, spoken: Spoken) -> None:
        self._timer = timer
        self._spoken = spoken

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        return [Score(clip.take_id, values_of(self._timing(clip))) for clip in clips]

    def _timing(self, clip: Clip) -> Timing:
        own = own_words(clip)
        if own:
            return describe(own, timed_by="voice")
        if not self._timer.knows(clip.language):
            return Timing()
        words = self._timer.times(clip.at(RATE_HZ), self._spoken(clip.spoken, clip.language))
        return describe(words, timed_by="search") if words else Timing(is_timed=False)


def own_words(clip: Clip) -> list[TimedWord]:
    """The words as the voice itself has timed them; none if it has not, or not these words."""
    tokens = list(spoken_tokens(clip.spoken))
    times = clip.word_times or ()
    if len(times) != len(tokens):
        return []
    return [TimedWord(word, time.start_s, time.end_s, 0.0) for word, time in zip(tokens, times, strict=True)]


def describe(words: Sequence[TimedWord], *, timed_by: Literal["voice", "search"]) -> Timing:
    """The figures of some words, at least one, as single precision keeps them."""
    confidences = _single([word.confidence for word in words])
    return Timing(
        is_timed=True,
        timed_words=tuple(word.text for word in words),
        word_starts_s=_single([word.start_s for word in words]),
        word_ends_s=_single([word.end_s for word in words]),
        word_confidences=confidences,
        least_word_confidence=min(confidences),
        timed_by=timed_by,
    )


def _single(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(np.array(values, np.float32).tolist())
