"""Pace: how long a clip is, against what its text should take, how fast it is spoken, and where it pauses."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from catalogs.records import MetricCard, Score
from catalogs.text import has_spaces, primary
from catalogs.writing import expected_s, letters_of
from curation.metric import Clip
from curation.metrics import voice_activity
from curation.metrics.figures import Figure, columns_of, values_of

_PAUSE_S = 0.2

_VOWELS = re.compile("[aeiouyæøœ\u0131αεηιουωаеиоуыэюяєіѣ]+")
_SILENT_E = re.compile(r"(?<=[^aeiouy\W])e\b")


@dataclass(frozen=True, slots=True)
class Pace:
    """The figures of one clip. The *span* is from the first speech to the last, pauses included."""

    duration_s: Annotated[float | None, Figure("s", "neither", "length of the clip")] = None
    speech_s: Annotated[float | None, Figure("s", "neither", "speech in it, by Silero VAD")] = None
    speech_ratio: Annotated[float | None, Figure("share", "neither", "speech in the clip")] = None
    duration_ratio: Annotated[
        float | None,
        Figure("ratio", "neither", "span over what the spoken text should take; none for an unknown script"),
    ] = None
    chars_per_s: Annotated[float | None, Figure("1/s", "neither", "letters and digits over the span")] = None
    words_per_s: Annotated[
        float | None, Figure("1/s", "neither", "words over the span; none where words are not spaced")
    ] = None
    syllables_per_s: Annotated[
        float | None,
        Figure("1/s", "neither", "vowel groups over the speech; none in scripts without vowel letters"),
    ] = None
    pause_count: Annotated[int | None, Figure("", "neither", "silences of 0.2 s or more within the span")] = None
    pause_mean_s: Annotated[float | None, Figure("s", "neither", "their mean; none if there is none")] = None
    pause_max_s: Annotated[float | None, Figure("s", "lower", "the longest; none if there is none")] = None


@dataclass(frozen=True, slots=True)
class PaceConfig:
    """How many threads the voice activity detector may use."""

    threads: int = 1

    @property
    def num_cpus(self) -> float:
        """The cores to set aside for it."""
        return float(self.threads)

    def card(self) -> MetricCard:
        """Family, version and columns."""
        return MetricCard("pace", f"2/{voice_activity.version()}", columns_of(Pace))

    def build(self) -> "PaceMetric":
        """Load the voice activity detector."""
        return PaceMetric(voice_activity.SpeechDetector(threads=self.threads))


class PaceMetric:
    """Measures pace at 16 kHz; a clip's figures do not depend on its batch."""

    def __init__(self, detector: voice_activity.SpeechDetector) -> None:
        self._detector = detector

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        stretches = self._detector.stretches([clip.at(voice_activity.RATE_HZ) for clip in clips])
        return [
            Score(clip.take_id, values_of(_pace(clip, found))) for clip, found in zip(clips, stretches, strict=True)
        ]


def _pace(clip: Clip, stretches: NDArray[np.float64]) -> Pace:
    if len(clip.samples) == 0:
        return Pace(duration_s=0.0)
    expected = expected_s(clip.spoken, clip.language)
    speech_s = float((stretches[:, 1] - stretches[:, 0]).sum())
    heard = Pace(duration_s=clip.duration_s, speech_s=speech_s, speech_ratio=speech_s / clip.duration_s)
    if len(stretches) == 0:
        return replace(heard, duration_ratio=None if expected is None else 0.0)
    span_s = float(stretches[-1, 1] - stretches[0, 0])
    gaps_s = stretches[1:, 0] - stretches[:-1, 1]
    pauses_s = gaps_s[gaps_s >= _PAUSE_S]
    words = len(clip.spoken.split()) if has_spaces(clip.language) else None
    syllables = _syllables(clip.spoken, clip.language)
    return replace(
        heard,
        duration_ratio=None if expected is None else span_s / expected,
        chars_per_s=len(letters_of(clip.spoken)) / span_s,
        words_per_s=None if words is None else words / span_s,
        syllables_per_s=None if syllables is None else syllables / speech_s,
        pause_count=len(pauses_s),
        pause_mean_s=float(pauses_s.mean()) if len(pauses_s) else None,
        pause_max_s=float(pauses_s.max()) if len(pauses_s) else None,
    )


def _syllables(text: str, language: str) -> int | None:
    """Vowel groups, an English silent e aside; None if the text has letters but no vowel letters."""
    base = "".join(char for char in unicodedata.normalize("NFD", text.lower()) if char.isalpha() or char == " ")
    if primary(language) == "en":
        base = _SILENT_E.sub("", base)
    return len(_VOWELS.findall(base)) or None
