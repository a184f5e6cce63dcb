"""Whisper, by CTranslate2: greedy or by beam, no timestamps, no sampling, nothing carried over.

What happens to one clip does not depend on its neighbours: every window is heard alone, at temperature 0,
and a decoder that falls into a loop stops after `_MOST_TOKENS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import EngineError
from catalogs.text import primary
from curation.recogniser import RATE_HZ, Transcript

Wave: TypeAlias = NDArray[np.float32]
Encoded: TypeAlias = Any  # a StorageView of ctranslate2, which has no types

_LEAD_IN = RATE_HZ // 4
"""Silence put before a clip: a first word that starts with the window is often lost."""

_WINDOW = 30 * RATE_HZ
_SOUND = _WINDOW - _LEAD_IN
_CUT_WITHIN, _CUT_FRAME = 5 * RATE_HZ, RATE_HZ // 50
_FRAMES = 3000
_MOST_TOKENS = 224


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """How to run it. ``clips_a_call`` windows are decoded side by side."""

    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    beam: int = 1
    clips_a_call: int = 16

    @property
    def compute(self) -> str:
        """The arithmetic, which is part of what a transcript depends on."""
        return "int8" if self.device == "cpu" else "float16"


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
        self._tokenizers: dict[str, Any] = {}  # of faster_whisper, which has no types

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe, `Recogniser`'s way; None for a language that the model was not trained on."""
        known = [self._knows(primary(language)) for language in languages]
        windows = [(owner, window) for owner, wave in enumerate(waves) if known[owner] for window in _windows(wave)]
        heard: list[list[Transcript]] = [[] for _ in waves]
        for start in range(0, len(windows), self._settings.clips_a_call):
            batch = windows[start : start + self._settings.clips_a_call]
            spoken = [primary(languages[owner]) for owner, _ in batch]
            found = self._decode([window for _, window in batch], languages=spoken)
            for (owner, _), transcript in zip(batch, found, strict=True):
                heard[owner].append(transcript)
        return [_joined(parts) if knows else None for parts, knows in zip(heard, known, strict=True)]

    def _knows(self, language: str) -> bool:
        return language in self._model.supported_languages

    def _decode(self, windows: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript]:
        """Transcribe windows of at most 30 s. On a CPU they are encoded one by one: together is slower."""
        at_once = 1 if self._settings.device == "cpu" else len(windows)
        features = np.stack([self._features(window) for window in windows])  # (windows, mel bands, 3000)
        encoded = [self._model.encode(features[start : start + at_once]) for start in range(0, len(windows), at_once)]
        prompts = [self._prompt(language) for language in languages]
        results = self._model.model.generate(
            _stacked(encoded),
            prompts,
            beam_size=self._settings.beam,
            max_length=_MOST_TOKENS + len(prompts[0]),
            return_scores=True,
            return_no_speech_prob=True,
            sampling_temperature=0.0,
        )
        return [self._transcript(result, language) for result, language in zip(results, languages, strict=True)]

    def _features(self, window: Wave) -> Wave:
        padded = np.zeros(_WINDOW, np.float32)
        padded[_LEAD_IN : _LEAD_IN + len(window)] = window
        mel: Wave = self._model.feature_extractor(padded, padding=False)
        return mel[:, :_FRAMES]

    def _prompt(self, language: str) -> list[int]:
        tokenizer = self._tokenizer(language)
        return [*tokenizer.sot_sequence, tokenizer.no_timestamps]

    def _transcript(self, result: Any, language: str) -> Transcript:
        tokens = result.sequences_ids[0]
        text = self._tokenizer(language).decode(tokens).strip()
        # CTranslate2 divides the sum by the tokens; Whisper by the tokens and the end of text.
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1) if tokens else None
        return Transcript(text, logprob, result.no_speech_prob)

    def _tokenizer(self, language: str) -> Any:
        from faster_whisper.tokenizer import Tokenizer  # loaded by now

        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._model.hf_tokenizer, self._model.model.is_multilingual, "transcribe", language
            )
        return self._tokenizers[language]


def _stacked(encoded: Sequence[Encoded]) -> Encoded:
    if len(encoded) == 1:
        return encoded[0]
    return type(encoded[0]).from_array(np.concatenate([np.array(part) for part in encoded]))


def _windows(wave: Wave) -> list[Wave]:
    """Cut a wave into windows that fit, each cut where it is quietest in the last 5 s; digital silence has none."""
    if not wave.any():
        return []
    windows = []
    while len(wave) > _SOUND:
        late = wave[_SOUND - _CUT_WITHIN : _SOUND].reshape(-1, _CUT_FRAME)
        quietest = int(np.square(late).sum(axis=1).argmin())
        cut = _SOUND - _CUT_WITHIN + quietest * _CUT_FRAME + _CUT_FRAME // 2
        windows.append(wave[:cut])
        wave = wave[cut:]
    return [*windows, wave]


def _joined(parts: Sequence[Transcript]) -> Transcript:
    """One transcript of a clip's windows; the probabilities are their means."""
    logprobs = [part.avg_logprob for part in parts if part.avg_logprob is not None]
    no_speech = [part.no_speech_prob for part in parts if part.no_speech_prob is not None]
    return Transcript(
        " ".join(part.text for part in parts if part.text),
        float(np.mean(logprobs)) if logprobs else None,
        float(np.mean(no_speech)) if no_speech else None,
    )
