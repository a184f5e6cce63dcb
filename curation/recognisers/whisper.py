"""Whisper, by CTranslate2: greedy or by beam, no timestamps, no sampling, nothing carried over.

Most of the work is the encoder's, and it hears 30 s however short a clip is. So a clip is heard in a *fitted* window
first, a few seconds longer than itself. The decoder learnt when to stop from the silence at the end of 30 s; without
it, it says short clips twice. It is therefore given what the encoder makes of that silence, which is the same for every
clip and computed once, behind the clip's own frames. A transcript that looks wrong is made again in the full window.

What happens to one clip does not depend on its neighbours: every window is heard alone, at temperature 0.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import EngineError
from catalogs.text import has_spaces, primary
from curation.recogniser import Hearing, Likelihood, Transcript, Wave
from curation.recognisers.doubt import is_doubtful
from curation.recognisers.forcing import ForcedWord, asked, likelihood, mended
from curation.recognisers.windows import FULL_S, cut, fitted_s, joined, laid_in

Encoded: TypeAlias = NDArray[np.floating[Any]]  # (encoder frames, width)
Result: TypeAlias = Any  # of ctranslate2, which has no types

_MEL_FRAMES_PER_S = 100
_SILENT_FRAMES = 100
"""Encoder frames of silence behind a fitted window: the last 2 s of a silent window of 30 s."""

_FITTED_LANGUAGES = frozenset({"en"})
"""Languages that are heard as well in fitted windows as in full ones; in German and Dutch, base errs more often."""

_MOST_TOKENS = 224
_MOST_FORCED = 400
_REVISION = 1


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """How to run it. ``clips_a_call`` windows are decoded side by side; "fitted" windows are for English."""

    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    beam: int = 1
    clips_a_call: int = 16
    windows: Literal["fitted", "full"] = "fitted"

    @property
    def compute(self) -> str:
        """The arithmetic, which is part of what a transcript depends on."""
        return "int8" if self.device == "cpu" else "float16"

    @property
    def version(self) -> str:
        """All that a transcript depends on, the weights aside."""
        return f"{self.compute}/beam-{self.beam}/{self.windows}-{_REVISION}"


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is heard at once of a clip, and the text to force on it, if any."""

    owner: int
    samples: Wave
    language: str
    text: str | None


class Whisper:
    """A loaded model, of any size that faster-whisper can load.

    Raises:
        EngineError: if the folder holds no model in CTranslate2 form, or the device is not there.
    """

    def __init__(self, weights: Path, settings: WhisperSettings) -> None:
        from faster_whisper import WhisperModel  # heavy

        self._settings = settings
        try:
            self._model = WhisperModel(
                str(weights),
                device=settings.device,
                compute_type=settings.compute,
                cpu_threads=settings.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(
                f"no Whisper model could be loaded from {weights} on {settings.device}: {error}"
            ) from error
        self._spelling = mended(self._model.hf_tokenizer)
        self._tokenizers: dict[str, Any] = {}  # of faster_whisper, which has no types
        self._silence: Encoded | None = None

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe, `Recogniser`'s way; None for a language that the model was not trained on."""
        heard = self.hear(waves, [""] * len(waves), languages=languages, likelihood=False)
        return [hearing.transcript for hearing in heard]

    def hear(
        self, waves: Sequence[Wave], texts: Sequence[str], *, languages: Sequence[str], likelihood: bool = True
    ) -> list[Hearing]:
        """Transcribe and force the texts, `Recogniser`'s way, in the same window."""
        pieces: list[_Piece] = []
        for owner, (wave, text, language) in enumerate(zip(waves, texts, map(primary, languages), strict=True)):
            windows = cut(wave) if self._knows(language) else []
            forced = asked(text) if likelihood and len(windows) == 1 else None
            pieces += [_Piece(owner, samples, language, forced) for samples in windows]
        heard: list[list[Hearing]] = [[] for _ in waves]
        for piece, hearing in zip(pieces, self._hear(pieces), strict=True):
            heard[piece.owner].append(hearing)
        known = [self._knows(primary(language)) for language in languages]
        return [joined(parts) if knows else Hearing() for parts, knows in zip(heard, known, strict=True)]

    def _knows(self, language: str) -> bool:
        return language in self._model.supported_languages

    def _hear(self, pieces: Sequence[_Piece]) -> list[Hearing]:
        """Hear every piece in the window it needs; pieces that need the same one are decoded side by side."""
        heard: dict[int, Hearing] = {}
        waiting = defaultdict(list)
        for index, piece in enumerate(pieces):
            waiting[self._window_s(piece)].append(index)
        for window_s in sorted({*waiting, FULL_S}):  # the full one last: the doubtful wait for it
            indexes = waiting[window_s]
            for start in range(0, len(indexes), self._settings.clips_a_call):
                batch = indexes[start : start + self._settings.clips_a_call]
                for index, hearing in zip(batch, self._hear_in([pieces[i] for i in batch], window_s), strict=True):
                    if hearing is None:
                        waiting[FULL_S].append(index)
                    else:
                        heard[index] = hearing
        return [heard[index] for index in range(len(pieces))]

    def _window_s(self, piece: _Piece) -> int:
        is_fitted = self._settings.windows == "fitted" and piece.language in _FITTED_LANGUAGES
        return fitted_s(len(piece.samples)) if is_fitted else FULL_S

    def _hear_in(self, pieces: Sequence[_Piece], window_s: int) -> list[Hearing | None]:
        """Hear pieces in windows of one length; None for one that must be heard in the full window."""
        most_tokens = _MOST_TOKENS if window_s == FULL_S else 10 * (window_s + 1)
        encoded = self._encoded(pieces, window_s)
        results = self._decoded(encoded, pieces, most_tokens)
        heard: list[Hearing | None] = []
        for piece, frames, result in zip(pieces, encoded, results, strict=True):
            transcript = self._transcript(result, piece)
            if window_s < FULL_S and is_doubtful(transcript, result.sequences_ids[0], most_tokens=most_tokens):
                heard.append(None)
            else:
                heard.append(Hearing(transcript, self._likelihood(frames, piece)))
        return heard

    def _encoded(self, pieces: Sequence[_Piece], window_s: int) -> list[Encoded]:
        """The frames of each piece, and those of silence if the window is a fitted one."""
        if window_s == FULL_S:
            return self._frames([piece.samples for piece in pieces], window_s)
        if self._silence is None:
            self._silence = self._frames([np.zeros(0, np.float32)], FULL_S)[0][-_SILENT_FRAMES:]
        frames = self._frames([piece.samples for piece in pieces], window_s)
        return [np.concatenate([of_piece, self._silence]) for of_piece in frames]

    def _frames(self, waves: Sequence[Wave], window_s: int) -> list[Encoded]:
        """Run the encoder. On a CPU windows go in one by one: together is slower."""
        at_once = 1 if self._settings.device == "cpu" else max(len(waves), 1)
        features = [self._features(wave, window_s) for wave in waves]  # each (mel bands, frames)
        batches = [np.stack(features[start : start + at_once]) for start in range(0, len(features), at_once)]
        return [
            frames
            for batch in batches
            for frames in np.array(self._model.model.encode(_stored(batch), to_cpu=True))  # (frames / 2, width)
        ]

    def _features(self, wave: Wave, window_s: int) -> Wave:
        mel: Wave = self._model.feature_extractor(laid_in(wave, window_s=window_s), padding=False)
        return mel[:, : window_s * _MEL_FRAMES_PER_S]

    def _decoded(self, encoded: Sequence[Encoded], pieces: Sequence[_Piece], most_tokens: int) -> list[Result]:
        prompts = [self._prompt(piece.language) for piece in pieces]
        results: list[Result] = self._model.model.generate(
            _stored(np.stack(encoded)),
            prompts,
            beam_size=self._settings.beam,
            max_length=most_tokens + len(prompts[0]),
            return_scores=True,
            return_no_speech_prob=True,
            sampling_temperature=0.0,
        )
        return results

    def _likelihood(self, frames: Encoded, piece: _Piece) -> Likelihood | None:
        """Force the text of a piece on the decoder: one pass, no search."""
        if piece.text is None:
            return None
        tokenizer = self._tokenizer(piece.language)
        tokens = tokenizer.encode(piece.text)
        if not 0 < len(tokens) <= _MOST_FORCED:
            return None
        (aligned,) = self._model.model.align(
            _stored(frames[np.newaxis]), list(tokenizer.sot_sequence), [tokens], len(frames) * 2
        )
        spellings = zip(*tokenizer.split_to_word_tokens(tokens), strict=True)
        words = [ForcedWord(word, len(spelt)) for word, spelt in spellings]
        return likelihood(words, aligned.text_token_probs)

    def _prompt(self, language: str) -> list[int]:
        tokenizer = self._tokenizer(language)
        return [*tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _transcript(self, result: Result, piece: _Piece) -> Transcript:
        tokens = result.sequences_ids[0]
        text = self._tokenizer(piece.language).decode(tokens[: _most_tokens(piece)]).strip()
        # CTranslate2 divides the sum by the tokens; Whisper by the tokens and the end of text.
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1) if tokens else None
        return Transcript(text, logprob, result.no_speech_prob)

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer  # loaded by now

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._spelling, self._model.model.is_multilingual, "transcribe", language
            )
        return self._tokenizers[language]


def _most_tokens(piece: _Piece) -> int:
    """How long a transcript may be: a decoder that falls into a loop says more than a person could."""
    return 10 * (fitted_s(len(piece.samples)) + 1) if has_spaces(piece.language) else _MOST_TOKENS


def _stored(array: NDArray[Any]) -> Any:
    from faster_whisper.transcribe import get_ctranslate2_storage  # loaded by now

    return get_ctranslate2_storage(array)
