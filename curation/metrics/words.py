"""Words: what a recogniser hears in a clip, against the text the clip should carry.

Of all accepted forms of the text, as written and as spoken, the one with the fewest errors counts: that "3:30" was
said "half past three", or written so by the recogniser, is no fault of the voice.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from catalogs.models import artefact, fetch, sha256_of_folder
from catalogs.records import MetricCard, Score
from catalogs.text import NORMALISER, char_errors, has_spaces
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.recogniser import RATE_HZ, Hearing, Recogniser
from curation.recognisers.whisper import Whisper, WhisperSettings
from curation.words.accepted import REVISION, match_accepted
from curation.words.lattice import Match

_ARTEFACTS = {"base": "whisper-base", "tiny_en": "whisper-tiny-en"}


@dataclass(frozen=True, slots=True)
class Words:
    """The figures of one clip, all none for a language the recogniser does not know.

    The error figures are none if the text has no words, and count graphemes where words are not spaced.
    """

    transcript: Annotated[str | None, Figure("", "neither", "what the recogniser heard")] = None
    wer: Annotated[float | None, Figure("ratio", "lower", "word errors over words of the text")] = None
    cer: Annotated[float | None, Figure("ratio", "lower", "character errors over characters")] = None
    substitutions: Annotated[int | None, Figure("words", "lower", "words heard as others")] = None
    insertions: Annotated[int | None, Figure("words", "lower", "words heard that are not in the text")] = None
    deletions: Annotated[int | None, Figure("words", "lower", "words of the text that were not heard")] = None
    ref_words: Annotated[int | None, Figure("words", "neither", "words of the text, normalised")] = None
    first_word_lost: Annotated[bool | None, Figure("", "lower", "the first word was not heard")] = None
    last_word_lost: Annotated[bool | None, Figure("", "lower", "the last word was not heard")] = None
    words_repeated: Annotated[
        int | None, Figure("words", "lower", "words heard again right after, not so in the text")
    ] = None
    truncated: Annotated[int | None, Figure("words", "lower", "words missing behind the last one heard right")] = None
    length_ratio: Annotated[float | None, Figure("ratio", "neither", "words heard over words of the text")] = None
    avg_logprob: Annotated[
        float | None, Figure("nats", "higher", "mean log probability of a token; none if nothing was heard")
    ] = None
    text_logprob: Annotated[
        float | None, Figure("nats", "higher", "mean log probability of a token of the text, if it had to be heard")
    ] = None
    least_word_logprob: Annotated[
        float | None, Figure("nats", "higher", "the same of the least probable word of the text")
    ] = None
    no_speech_prob: Annotated[
        float | None, Figure("probability", "lower", "that the clip holds no speech, the recogniser says")
    ] = None
    compression_ratio: Annotated[
        float | None, Figure("ratio", "lower", "transcript over its zlib form: above 2.4 it repeats itself")
    ] = None


@dataclass(frozen=True, slots=True)
class WordsConfig:
    """Which Whisper listens, and on what. ``model`` names the columns (``wer__base``).

    ``weights`` is a folder in CTranslate2 form, for a model that is not of the starter set. ``num_gpus`` is
    the share of a GPU it gets; 0 is the CPU. ``likelihood`` is whether to ask how probable the text is, too.
    """

    model: str = "base"
    weights: Path | None = None
    threads: int = 1
    num_gpus: float = 0.0
    beam: int = 1
    clips_a_call: int = 16
    likelihood: bool = True

    def __post_init__(self) -> None:
        if self.weights is None and self.model not in _ARTEFACTS:
            known = ", ".join(_ARTEFACTS)
            raise ValueError(f"no model {self.model!r}: one of {known}, or give the folder of its weights")
        if not re.fullmatch("[a-z][a-z0-9_]*", self.model):
            raise ValueError(f"model {self.model!r} names columns: use small letters, digits and _")

    @property
    def num_cpus(self) -> float:
        """The cores to set aside for it."""
        return float(self.threads)

    @property
    def settings(self) -> WhisperSettings:
        """What the recogniser needs to know."""
        return WhisperSettings(
            device="cuda" if self.num_gpus else "cpu",
            threads=self.threads,
            beam=self.beam,
            clips_a_call=self.clips_a_call,
        )

    def card(self) -> MetricCard:
        """Family, version, columns, and the model as variant."""
        sha256 = sha256_of_folder(self.weights) if self.weights else artefact(_ARTEFACTS[self.model]).sha256
        heard = f"whisper-{self.model}-{sha256[:12]}/{self.settings.compute}/beam-{self.beam}"
        asked = "/likelihood" if self.likelihood else ""
        version = f"2/{heard}{asked}/{NORMALISER}/accepted-{REVISION}"
        return MetricCard("words", version, columns_of(Words), variant=self.model)

    def build(self) -> "WordsMetric":
        """Load the recogniser."""
        return WordsMetric(
            Whisper(self.weights or fetch(_ARTEFACTS[self.model]), self.settings), likelihood=self.likelihood
        )


class WordsMetric:
    """Transcribes clips in batches; a clip's transcript does not depend on its batch."""

    def __init__(self, recogniser: Recogniser, *, likelihood: bool = True) -> None:
        self._recogniser = recogniser
        self._likelihood = likelihood

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        hearings = self._recogniser.hear(
            [clip.at(RATE_HZ) for clip in clips],
            [clip.text for clip in clips],
            languages=[clip.language for clip in clips],
            likelihood=self._likelihood,
        )
        return [
            Score(clip.take_id, values_of(_words(clip, hearing))) for clip, hearing in zip(clips, hearings, strict=True)
        ]


def _words(clip: Clip, hearing: Hearing) -> Words:
    heard, likelihood = hearing.transcript, hearing.likelihood
    if heard is None:
        return Words()
    best = match_accepted((clip.text, clip.spoken), heard.text, language=clip.language)
    words = Words(
        transcript=heard.text,
        ref_words=len(best.path),
        avg_logprob=heard.avg_logprob,
        text_logprob=likelihood.avg_logprob if likelihood else None,
        least_word_logprob=likelihood.least_logprob if likelihood else None,
        no_speech_prob=heard.no_speech_prob,
        compression_ratio=_compression_ratio(heard.text),
    )
    return _with_errors(words, best, ends=" " if has_spaces(clip.language) else "") if best.path else words


def _with_errors(words: Words, best: Match, *, ends: str) -> Words:
    """Add what is wrong; ``ends`` is what stands between two words, and counts as a character."""
    errors, lost = best.errors, best.lost
    return replace(
        words,
        wer=errors.wer,
        cer=char_errors(ends.join(best.path), ends.join(best.heard)).wer,
        substitutions=errors.substitutions,
        insertions=errors.insertions,
        deletions=errors.deletions,
        first_word_lost=0 in lost,
        last_word_lost=errors.length - 1 in lost,
        words_repeated=best.repeated,
        truncated=best.cut_off,
        length_ratio=len(best.heard) / errors.length,
    )


def _compression_ratio(text: str) -> float | None:
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else None
