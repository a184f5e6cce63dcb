"""Speech of many speakers to probe vectors with: folders with a ``manifest.jsonl``, and readings by our own voices.

A row of a manifest names ``audio`` (a path beside it), ``speaker`` and ``text``.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks.corpora import rows_of
from catalogs.clip import Clip
from catalogs.config import parse_named
from catalogs.ids import content_id
from catalogs.records import Line
from catalogs.signal import resample, to_float32, to_int16

RATE_HZ = 16_000
TAKES = 32
_PARTS = 4
_JOINED = 10
_LONGEST_S = 20.0

TEXTS = (
    "Could you tell me when the next train to the city leaves?",
    "The weather was cold, and nobody wanted to go outside.",
    "Please turn off the lights in the kitchen and lock the door.",
    "I never said that she had taken the money from your desk.",
    "Where did you put the keys to the old house?",
    "My sister will call you tomorrow morning at a quarter past nine.",
    "If it rains again, we shall have to stay in the village.",
    "What a beautiful garden, and how quiet it is up here!",
)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip, who speaks, and the fold it is held out with: no text and no recording is in two folds."""

    clip: Clip
    speaker: str
    fold: int


def quarters(folder: Path) -> list[Spoken]:
    """One recording a speaker, cut in four; the first two quarters are one fold."""
    found = []
    for row, wave in _recordings(folder):
        for number, part in enumerate(np.array_split(wave, _PARTS)):
            found.append(Spoken(_clip(part, row["text"]), row["speaker"], fold=number // (_PARTS // 2)))
    return found


def halves(folder: Path) -> list[tuple[Clip, Clip]]:
    """The two halves of each recording."""
    cut = (np.array_split(wave, 2) for _, wave in _recordings(folder))
    return [(_clip(first, ""), _clip(second, "")) for first, second in cut]


def recordings(folder: Path) -> list[Spoken]:
    """The first 32 recordings of 2.5 to 20 s of each speaker; four neighbours are held out together."""
    counts: dict[str, int] = defaultdict(int)
    found = []
    for row, wave in _recordings(folder, shortest_s=2.5, most=TAKES):
        number = counts[_speaker(row)]
        counts[_speaker(row)] += 1
        found.append(Spoken(_clip(wave, row["text"]), _speaker(row), fold=number // 4 % 2))
    return found


def joined(folder: Path) -> list[Spoken]:
    """Words spoken one by one, ten in a row; words of the one half of the vocabulary are one fold."""
    words = sorted({row["text"] for row in rows_of(folder / "manifest.jsonl")})
    fold_of = {word: number % 2 for number, word in enumerate(words)}
    waves: dict[tuple[str, int], list[NDArray[np.float32]]] = defaultdict(list)
    rows = sorted(rows_of(folder / "manifest.jsonl"), key=lambda row: content_id("draw", row["id"]))
    for row in rows:
        held = waves[row["speaker"], fold_of[row["text"]]]
        if len(held) < _JOINED * TAKES // 2:
            held.append(wave_of(folder, row))
    return [
        Spoken(_clip(np.concatenate(held[start : start + _JOINED]), ""), speaker, fold)
        for (speaker, fold), held in sorted(waves.items())
        for start in range(0, len(held) - _JOINED + 1, _JOINED)
    ]


def voices() -> Iterator[Spoken]:
    """Ten voices of ours, each text in another style where a voice has styles; every second text is one fold."""
    speakers = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo", "jf_alpha+jm_kumo")
    for table in (
        {"engine": "kokoro", "speakers": speakers},
        {"engine": "piper"},
        {"engine": "espeak", "speakers": ("en-us", "en-gb+f3", "en-us+m7")},
    ):
        config = parse_named("synthgen.voices", table, field="engine", source="benchmark")
        voice = config.build()
        for card in config.cards():
            for number, text in enumerate(TEXTS):
                how: dict[str, Any] = {"style": speakers[number % 5]} if card.engine == "kokoro" else {}
                yield Spoken(read(voice, card.id, text, **how), card.name, fold=number % 2)


def read(voice: Any, voice_id: str, text: str, **how: Any) -> Clip:
    """A reading as a metric hears it."""
    line = Line.new(prompt_id="benchmark", voice_id=voice_id, text=text, normaliser="none", **how)
    reading = voice.speak([line])[0]
    samples = to_float32(to_int16(reading.samples))
    return Clip(line.id, voice_id, samples, reading.sample_rate_hz, text, text, "en")


def _recordings(
    folder: Path, *, shortest_s: float = 0.0, most: int | None = None
) -> Iterator[tuple[dict[str, Any], NDArray[np.float32]]]:
    counts: dict[str, int] = defaultdict(int)
    for row in rows_of(folder / "manifest.jsonl"):
        if shortest_s <= row["duration"] <= _LONGEST_S and (most is None or counts[_speaker(row)] < most):
            counts[_speaker(row)] += 1
            yield row, wave_of(folder, row)


def _speaker(row: Mapping[str, Any]) -> str:
    """Who speaks; a set of one speaker need not say."""
    return str(row.get("speaker", ""))


def wave_of(folder: Path, row: Mapping[str, Any]) -> NDArray[np.float32]:
    """The recording of a row of a set's manifest, at 16 kHz."""
    samples, rate_hz = soundfile.read(folder / row["audio"], dtype="float32")
    return resample(samples, from_hz=rate_hz, to_hz=RATE_HZ)


def _clip(wave: NDArray[np.float32], text: str) -> Clip:
    stored = to_float32(to_int16(np.clip(wave, -1, 1)))
    return Clip(content_id("benchmark", stored.tobytes().hex()), "real", stored, RATE_HZ, text, text, "en")
