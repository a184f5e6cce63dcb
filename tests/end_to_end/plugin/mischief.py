"""A voice and a metric that do what a text tells them to: a plug-in, registered as any team would register its own.

In a line that the voice reads: "crash" ends the process, "raise" raises, "nothing" gives no samples, "nan" gives no
numbers, "slow" takes a while. In a line that the metric hears: "deafen" ends the process, "confuse" raises.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from catalogs.clip import Clip
from catalogs.errors import EngineError
from catalogs.records import Line, MetricCard, Score, ScoreColumn, VoiceCard
from synthgen.voice import Reading
from synthgen.voices.tone import Tone, ToneConfig


@dataclass(frozen=True)
class MischiefConfig:
    engine: Literal["mischief"] = "mischief"
    batch: int = 4
    num_gpus: float = 0.0
    slow_s: float = 0.5
    diary: str | None = None
    is_broken: bool = False

    def cards(self) -> tuple[VoiceCard, ...]:
        return tuple(VoiceCard.new(**_made_of(card)) for card in ToneConfig(speakers=("m",)).cards())

    def build(self) -> "Mischief":
        if self.is_broken:
            raise EngineError("the engine of mischief is broken; do without it")
        return Mischief(self)


class Mischief:
    def __init__(self, config: MischiefConfig) -> None:
        self._config = config
        self._tone = Tone(ToneConfig(speakers=("m",), duration_s_per_char=0.005))
        self._tone._speakers = {card.id: card.speaker for card in config.cards()}

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        note(self._config.diary, len(lines))
        return [self._read(line) for line in lines]

    def _read(self, line: Line) -> Reading:
        if "crash" in line.text:
            os._exit(13)
        if "raise" in line.text:
            raise ValueError("this text was too much\nand here is more about it")
        if "slow" in line.text:
            time.sleep(self._config.slow_s)
        reading = self._tone.speak([line])[0]
        if "nothing" in line.text:
            return replace(reading, samples=np.zeros(0, np.float32))
        if "nan" in line.text:
            return replace(reading, samples=np.full(100, np.nan, np.float32))
        return reading


@dataclass(frozen=True)
class MischiefMetricConfig:
    family: Literal["mischief"] = "mischief"
    diary: str | None = None

    def card(self) -> MetricCard:
        column = ScoreColumn("num_letters", "INTEGER", "", "neither", "letters of the spoken text")
        return MetricCard("mischief", "1", (column,))

    def build(self) -> "MischiefMetric":
        return MischiefMetric(self)


class MischiefMetric:
    def __init__(self, config: MischiefMetricConfig) -> None:
        self._config = config

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        note(self._config.diary, len(clips))
        return [self._score(clip) for clip in clips]

    def _score(self, clip: Clip) -> Score:
        if "deafen" in clip.spoken:
            os._exit(13)
        if "confuse" in clip.spoken:
            raise ValueError("this clip was too much")
        return Score(clip.take_id, (len(clip.spoken),))


def note(diary: str | None, size: int) -> None:
    """Write down who does a batch, as it begins."""
    if diary:
        with Path(diary).open("a") as entries:
            entries.write(f"{os.getpid()} {size}\n")


def _made_of(card: VoiceCard) -> dict[str, object]:
    kept = ("speaker", "language", "sample_rate_hz", "checkpoint_sha256", "licence", "consent")
    return {"engine": "mischief"} | {name: getattr(card, name) for name in kept}
