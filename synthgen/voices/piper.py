"""Piper's VITS voices: small, natural, thirty times real time on one core.

VITS draws noise for durations and for frames. Here both are drawn from the line's seed, so that a line
always has the same samples. One line is one run of the graph: in a padded batch samples would differ.
A line's style is a speed, "speed:0.9", on top of that of the recipe.
"""

import json
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from catalogs import models
from catalogs.errors import EngineError, UsageError
from catalogs.ids import seed_of
from catalogs.records import Line, VoiceCard
from synthgen.espeak import Espeak, with_phonemes
from synthgen.onnx import open_session
from synthgen.phonemes import clauses_of, pack, sentences_of, words_alone
from synthgen.voice import Reading
from synthgen.voices.piper_graph import DURATION_NOISE, DURATIONS, FRAME_NOISE, lift_noise
from synthgen.voices.speakers import check_in_range, check_some, check_speaker, table_of
from synthgen.word_times import Sound, sounds_of, word_times

MODELS = {"joe": "piper-en-us-joe"}
RATE_HZ = 22_050
LANGUAGE = "en-us"
_PAD, _START, _END = "_", "^", "$"
_PAUSE = "."
_MAX_SYMBOLS = 400
_CHANNELS = 192
_COLUMNS_PER_SYMBOL = 8
_PAUSE_S = 0.2
_SPEED = "speed:"


@dataclass(frozen=True)
class PiperConfig:
    """One American speaker, "joe"; ``speed`` is 0.5 to 2."""

    engine: Literal["piper"] = "piper"
    speakers: tuple[str, ...] = ("joe",)
    speed: float = 1.0
    threads: int = 1

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker.

        Raises:
            UsageError: for a speaker there is no model of, or a setting out of range.
        """
        check_some(self.speakers, engine=self.engine)
        check_in_range("speed", self.speed, low=0.5, high=2.0, engine=self.engine)
        check_in_range("threads", self.threads, low=1, high=1024, engine=self.engine)
        return tuple(self._card(speaker) for speaker in self.speakers)

    def _card(self, speaker: str) -> VoiceCard:
        check_speaker(speaker, MODELS, engine=self.engine)
        weights = models.artefact(MODELS[speaker])
        return VoiceCard.new(
            engine=self.engine,
            speaker=speaker,
            language=LANGUAGE,
            sample_rate_hz=RATE_HZ,
            checkpoint_sha256=with_phonemes(weights.sha256),
            licence=f"{weights.licence}, GPL-3.0-or-later (espeak-ng phonemes)",
            consent=weights.consent,
            temperature="scale of the noise on durations and frames; 1, the default, is as published",
            threads=self.threads,
            config=table_of(self, speaker),
        )

    def build(self) -> "Piper":
        """Load the models, downloading them (63 MB each) the first time.

        Raises:
            EngineError: if the weights or espeak-ng are not to be had.
        """
        return Piper(self)


class Piper:
    """Reads lines with one or more Piper models."""

    def __init__(self, config: PiperConfig) -> None:
        espeak = Espeak()
        self._readers = {
            card.id: _Reader(models.fetch(MODELS[card.speaker]), config, espeak=espeak) for card in config.cards()
        }

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, one at a time. Without a temperature it is 1, without a seed the text makes one.

        Raises:
            EngineError: for a text without phonemes.
            UsageError: for a line with a timbre, or a style that is no speed of 0.5 to 2.
        """
        return [self._readers[line.voice_id].read(line) for line in lines]


class _Reader:
    """One Piper model."""

    def __init__(self, folder: Path, config: PiperConfig, *, espeak: Espeak) -> None:
        described = json.loads((folder / "model.onnx.json").read_text(encoding="utf-8"))
        if described["audio"]["sample_rate"] != RATE_HZ:
            raise EngineError(f"{folder}: the model's rate is not the {RATE_HZ} Hz of its card")
        self._ids: dict[str, list[int]] = described["phoneme_id_map"]
        self._language: str = described["espeak"]["voice"]
        self._noise_scale: float = described["inference"]["noise_scale"]
        self._noise_w: float = described["inference"]["noise_w"]
        self._length_scale: float = described["inference"]["length_scale"] / config.speed
        self._espeak = espeak
        self._session = open_session(lift_noise(folder / "model.onnx"), threads=config.threads)

    def read(self, line: Line) -> Reading:
        speed = _speed_of(line)
        if not line.text:
            return Reading(np.zeros(0, np.float32), RATE_HZ)
        temperature = 1.0 if line.temperature is None else line.temperature
        rng = np.random.default_rng(seed_of(line.text) if line.seed is None else line.seed)
        pause = np.zeros(round(_PAUSE_S * RATE_HZ), np.float32)
        length_scale = self._length_scale / speed
        pieces: list[NDArray[np.float32]] = []
        sounds: list[Sound] = []
        for symbols in self._sentences(line.text):
            piece, durations = self._run(self._ids_of(symbols), temperature, length_scale, rng=rng)
            lengths_s = self._lengths(symbols, durations) * (len(piece) / durations.sum() / RATE_HZ)
            start_s = sum(map(len, pieces)) / RATE_HZ
            sounds += sounds_of((_PAUSE, *symbols, _PAUSE), lengths_s.tolist(), start_s=start_s)
            pieces += [piece, pause]
        if not pieces:
            raise EngineError(f"piper: there is nothing to say in the text {line.text!r}")
        samples = np.clip(np.concatenate(pieces[:-1]), -1.0, 1.0)
        alone = words_alone(line.text, self._espeak, language=self._language)
        return Reading(samples, RATE_HZ, word_times=word_times(sounds, alone))

    def _sentences(self, text: str) -> list[list[str]]:
        """The symbols of each sentence that the model knows."""
        clauses = clauses_of(text, self._espeak, language=self._language)
        runs = [run for sentence in sentences_of(clauses) for run in pack(sentence, limit=_MAX_SYMBOLS)]
        return [[s for s in unicodedata.normalize("NFD", run).replace("…", ".") if s in self._ids] for run in runs]

    def _ids_of(self, symbols: Sequence[str]) -> list[int]:
        """The ids of symbols, framed by start and end, with pads between."""
        spaced = [ids for symbol in (_START, *symbols, _END) for ids in (*self._ids[symbol], *self._ids[_PAD])]
        return spaced[: -len(self._ids[_PAD])]

    def _lengths(self, symbols: Sequence[str], durations: NDArray[np.float32]) -> NDArray[np.float64]:
        """How many frames each of the framed symbols lasts, the pads behind it included."""
        widths = [len(self._ids[symbol]) + len(self._ids[_PAD]) for symbol in (_START, *symbols, _END)]
        return np.add.reduceat(durations, np.cumsum([0, *widths[:-1]]), dtype=np.float64)

    def _run(
        self, ids: list[int], temperature: float, length_scale: float, *, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The samples, and how many frames each of the ids lasts."""
        columns = _COLUMNS_PER_SYMBOL * len(ids)
        feed = {
            "input": np.array([ids], np.int64),  # (1, T)
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(
                [temperature * self._noise_scale, length_scale, temperature * self._noise_w], np.float32
            ),
            DURATION_NOISE: rng.standard_normal((1, 2, len(ids)), np.float32),
            FRAME_NOISE: rng.standard_normal((1, _CHANNELS, columns), np.float32),
        }
        audio, durations = self._session.run(["output", DURATIONS], feed)  # (1, 1, 1, samples), (1, 1, T)
        return audio.ravel(), durations.ravel()


def _speed_of(line: Line) -> float:
    """How many times as fast as usual a line is read, by its style; 1 without one.

    Raises:
        UsageError: for a timbre, a style that is no speed, or a speed out of range.
    """
    if line.timbre is not None:
        raise UsageError(f"piper has no timbres; got {line.timbre!r}")
    if line.style is None:
        return 1.0
    try:
        speed = float(line.style.removeprefix(_SPEED)) if line.style.startswith(_SPEED) else math.nan
    except ValueError:
        speed = math.nan
    if not 0.5 <= speed <= 2.0:
        raise UsageError(f"piper: a style is a speed from 0.5 to 2, such as {_SPEED}0.9; got {line.style!r}")
    return speed
