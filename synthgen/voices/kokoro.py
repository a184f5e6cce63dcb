"""Kokoro-82M, the default voice: English at 24 kHz, several times real time on one core.

A reading follows a style vector of two halves: the first is the timbre, the second the prosody. A line may
take either half from another speaker, or from a blend of speakers; see `synthgen.voices.blends`. The graph
has no random operator, so a reading without temperature is exact; temperature is noise on the prosody half.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalogs import models
from catalogs.errors import EngineError
from catalogs.ids import seed_of
from catalogs.records import Line, VoiceCard
from synthgen.espeak import Espeak, with_phonemes
from synthgen.onnx import open_session, with_output
from synthgen.phonemes import clauses_of, pack, words_alone
from synthgen.voice import Reading
from synthgen.voices.blends import Blend, parse_blend, parse_style
from synthgen.voices.kokoro_symbols import symbols_of
from synthgen.voices.speakers import check_in_range, check_some, table_of
from synthgen.word_times import Sound, sounds_of, until_silent, word_times

MODEL = "kokoro-82m"
RATE_HZ = 24_000
SPEAKERS = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
_HALF = 128
_MAX_SYMBOLS = 510  # the rows of a style table
_NOISE_STEP = 10  # every tenth row of a style table stands for its neighbours
_PAUSE_S = 0.12
_PAUSE = "."
_LAG_S = 0.0375  # how much earlier than its frames a sound is heard, measured against forced alignment
_DURATIONS = "/encoder/Clip_output_0"  # (1, T + 2): whole frames for each symbol


@dataclass(frozen=True)
class KokoroConfig:
    """Speakers are names or blends ("jf_alpha:0.6+jm_kumo:0.4"); ``speed`` is 0.5 to 2."""

    engine: Literal["kokoro"] = "kokoro"
    speakers: tuple[str, ...] = ("jf_alpha",)
    language: Literal["en-us", "en-gb"] = "en-us"
    speed: float = 1.0
    threads: int = 1

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker; blends are written in one way only.

        Raises:
            UsageError: for a speaker that the model does not have, or a setting out of range.
        """
        check_in_range("speed", self.speed, low=0.5, high=2.0, engine=self.engine)
        check_in_range("threads", self.threads, low=1, high=1024, engine=self.engine)
        speakers = tuple(str(parse_blend(name, SPEAKERS, engine=self.engine)) for name in self.speakers)
        check_some(speakers, engine=self.engine)
        weights = models.artefact(MODEL)
        return tuple(
            VoiceCard.new(
                engine=self.engine,
                speaker=speaker,
                language=self.language,
                sample_rate_hz=RATE_HZ,
                checkpoint_sha256=with_phonemes(weights.sha256),
                licence=f"{weights.licence} (weights), GPL-3.0-or-later (espeak-ng phonemes)",
                consent=weights.consent,
                temperature="noise on the prosody half of the style vector; 1 is as far as its speakers differ",
                threads=self.threads,
                config=table_of(self, speaker),
            )
            for speaker in speakers
        )

    def build(self) -> "Kokoro":
        """Load the model, downloading it (95 MB) the first time.

        Raises:
            EngineError: if the weights or espeak-ng are not to be had.
        """
        return Kokoro(self, models.fetch(MODEL))


class Kokoro:
    """Reads lines with Kokoro-82M."""

    def __init__(self, config: KokoroConfig, folder: Path) -> None:
        import onnx

        self._config = config
        self._own = {card.id: parse_blend(card.speaker, SPEAKERS, engine="kokoro") for card in config.cards()}
        self._symbols: dict[str, int] = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with np.load(folder / "voices.npz") as arrays:
            # (N symbols, 2 halves of 128), row n for a text of n+1 symbols
            self._styles = {name: arrays[name].reshape(-1, 2 * _HALF) for name in SPEAKERS}
        prosody = np.stack([styles[:, _HALF:] for styles in self._styles.values()])  # (speakers, N, 128)
        self._average = prosody.mean(axis=0)  # (N, 128)
        rows = prosody[:, ::_NOISE_STEP].reshape(-1, _HALF)
        self._deviations = (rows - rows.mean(axis=0)) / np.float32(np.sqrt(len(rows)))  # (M, 128)
        self._espeak = Espeak()
        self._session = open_session(with_output(onnx.load(folder / "model.onnx"), _DURATIONS), threads=config.threads)

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, one at a time.

        Raises:
            EngineError: for a text without phonemes.
            UsageError: for a style or timbre that is no blend of speakers.
        """
        return [self._read(line) for line in lines]

    def _read(self, line: Line) -> Reading:
        if not line.text:
            return Reading(np.zeros(0, np.float32), RATE_HZ)
        own = self._own[line.voice_id]
        timbre = own if line.timbre is None else parse_blend(line.timbre, SPEAKERS, engine="kokoro")
        style = own if line.style is None else parse_style(line.style, SPEAKERS, engine="kokoro")
        noise = self._noise(line)
        pause = np.zeros(round(_PAUSE_S * RATE_HZ), np.float32)
        pieces: list[NDArray[np.float32]] = []
        sounds: list[Sound] = []
        for symbols in self._runs(line.text):
            row = len(symbols) - 1
            halves = (self._mixed(timbre, row)[:_HALF], self._prosody(style, row) + noise)
            piece, durations = self._run([self._symbols[s] for s in symbols], np.concatenate(halves))
            lengths_s = durations * (len(piece) / durations.sum() / RATE_HZ)
            start_s = sum(map(len, pieces)) / RATE_HZ
            sounds += sounds_of((_PAUSE, *symbols, _PAUSE), lengths_s.tolist(), start_s=start_s - _LAG_S)
            pieces += [piece, pause]
        samples = np.clip(np.concatenate(pieces[:-1]), -1.0, 1.0)
        alone = words_alone(line.text, self._espeak, language=self._config.language)
        times = word_times(sounds, [symbols_of(ipa) for ipa in alone])
        return Reading(samples, RATE_HZ, word_times=times and until_silent(times, samples, rate_hz=RATE_HZ))

    def _runs(self, text: str) -> list[list[str]]:
        """The text as runs of symbols, each short enough for the model."""
        clauses = clauses_of(text, self._espeak, language=self._config.language)
        written = [replace(clause, ipa=symbols_of(clause.ipa)) for clause in clauses]
        if not written:
            raise EngineError(f"kokoro: there is nothing to say in the text {text!r}")
        runs = pack(written, limit=_MAX_SYMBOLS - 1)
        return [[symbol for symbol in f" {run}" if symbol in self._symbols] for run in runs]

    def _mixed(self, blend: Blend, row: int) -> NDArray[np.float32]:
        rows = [np.float32(share.weight) * self._styles[share.speaker][row] for share in blend.shares]
        mixed: NDArray[np.float32] = np.sum(rows, axis=0, dtype=np.float32)
        return mixed

    def _prosody(self, style: Blend, row: int) -> NDArray[np.float32]:
        """The second half of a style, moved away from the average of all speakers or towards it."""
        own, average = self._mixed(style, row)[_HALF:], self._average[row]
        strength = np.float32(style.strength)
        prosody: NDArray[np.float32] = strength * own + (1 - strength) * average
        return prosody

    def _noise(self, line: Line) -> NDArray[np.float32]:
        """A draw with the covariance of all speakers' prosody, so that it moves as real voices differ."""
        if not line.temperature:
            return np.zeros(_HALF, np.float32)
        seed = seed_of(line.text) if line.seed is None else line.seed
        draw = np.random.default_rng(seed).standard_normal(len(self._deviations), np.float32)
        noise: NDArray[np.float32] = np.float32(line.temperature) * (draw @ self._deviations)
        return noise

    def _run(self, tokens: list[int], style: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The samples, and how many frames each token lasts, with the blank before the first and after the last."""
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style.reshape(1, 2 * _HALF).astype(np.float32),
            "speed": np.array([self._config.speed], np.float32),
        }
        audio, durations = self._session.run(["audio", _DURATIONS], feed)
        return audio.ravel(), durations.ravel().astype(np.float64)
