"""Evaluation: what a recogniser hears that judges nothing. A policy may not read these figures, so they stay evidence.

Whoever chooses takes by a recogniser, and then measures them by the same one, measures how well it was fooled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from catalogs.records import MetricCard, Score
from catalogs.text import NORMALISER, compare
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.recogniser import RATE_HZ
from curation.recognisers.sphinx import Sphinx, sphinx_version

FAMILY = "evaluation"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of one clip; none for a language that the recogniser does not know."""

    eval_transcript: Annotated[str | None, Figure("", "neither", "what the evaluation recogniser heard")] = None
    eval_wer: Annotated[float | None, Figure("ratio", "lower", "its word errors over words of the text")] = None
    eval_cer: Annotated[float | None, Figure("ratio", "lower", "its character errors over characters")] = None
    eval_substitutions: Annotated[int | None, Figure("words", "lower", "words heard as others")] = None
    eval_insertions: Annotated[int | None, Figure("words", "lower", "words heard that are not in the text")] = None
    eval_deletions: Annotated[int | None, Figure("words", "lower", "words of the text that were not heard")] = None
    eval_ref_words: Annotated[int | None, Figure("words", "neither", "words of the text, normalised")] = None


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """The family has no settings: PocketSphinx with its own model of American English."""

    def card(self) -> MetricCard:
        """Family, version and columns."""
        return MetricCard(FAMILY, f"1/{sphinx_version()}/{NORMALISER}", columns_of(Evaluation))

    def build(self) -> "EvaluationMetric":
        """Load the recogniser."""
        return EvaluationMetric(Sphinx())


class EvaluationMetric:
    """Transcribes clips one by one, about four times real time on one core."""

    def __init__(self, recogniser: Sphinx) -> None:
        self._recogniser = recogniser

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        heard = self._recogniser.transcribe(
            [clip.at(RATE_HZ) for clip in clips], languages=[clip.language for clip in clips]
        )
        return [
            Score(clip.take_id, values_of(_evaluation(clip, transcript.text) if transcript else Evaluation()))
            for clip, transcript in zip(clips, heard, strict=True)
        ]


def _evaluation(clip: Clip, transcript: str) -> Evaluation:
    """The text as written or as spoken, whichever was heard with fewer errors."""
    compared = [compare(text, transcript, language=clip.language) for text in dict.fromkeys((clip.text, clip.spoken))]
    best = min(compared, key=lambda comparison: comparison.words.wer)
    if best.words.length == 0:
        return Evaluation(eval_transcript=transcript, eval_ref_words=0)
    return Evaluation(
        eval_transcript=transcript,
        eval_wer=best.words.wer,
        eval_cer=best.characters.wer,
        eval_substitutions=best.words.substitutions,
        eval_insertions=best.words.insertions,
        eval_deletions=best.words.deletions,
        eval_ref_words=best.words.length,
    )
