"""Codes: a take in the speech codes of the very voice that made it, where it has any.

A voice that writes code after code (Bark's semantic codes, XTTS's GPT codes) may get stuck on one of them. `tokens` has
codes for every take, real ones too; these are what the voice meant to say, and cost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.tokenisers.sequences import repetition_rate

_K = 4


@dataclass(frozen=True, slots=True)
class Codes:
    """The figures of one clip; none of them for a voice without codes, and for real takes."""

    code_count: Annotated[int | None, Figure("codes", "neither", "the voice's own speech codes")] = None
    code_repetition: Annotated[
        float | None,
        Figure("share", "lower", f"codes equal to each of the {_K} after them: high for a voice that is stuck"),
    ] = None
    code_rate_hz: Annotated[float | None, Figure("Hz", "neither", "codes a second of audio")] = None


@dataclass(frozen=True, slots=True)
class CodesConfig:
    """The family has no settings and no model."""

    def card(self) -> MetricCard:
        """Family, version and columns."""
        return MetricCard("codes", "1", columns_of(Codes))

    def build(self) -> "CodesMetric":
        """Nothing to load."""
        return CodesMetric()


class CodesMetric:
    """Reads codes and no samples."""

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip; a clip is measured by itself."""
        return [Score(clip.take_id, values_of(_described(clip))) for clip in clips]


def _described(clip: Clip) -> Codes:
    if clip.codes is None:
        return Codes()
    if not clip.codes or not len(clip.samples):
        return Codes(code_count=len(clip.codes))
    return Codes(len(clip.codes), repetition_rate(clip.codes, _K), len(clip.codes) / clip.duration_s)
