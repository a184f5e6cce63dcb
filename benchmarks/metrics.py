"""What each metric family costs: CPU seconds per second of audio, on one thread, over takes of the demo's voices."""

import os
import time
from dataclasses import replace

from benchmarks.generation import prompts
from benchmarks.table import Row
from catalogs.clip import Clip
from catalogs.config import parse_named
from catalogs.records import Line, Take
from catalogs.signal import to_float32, to_int16
from synthgen.spoken import Spoken, SpokenConfig

FAMILIES = (
    {"family": "levels"},
    {"family": "pace"},
    {"family": "prosody"},
    {"family": "speaker"},
    {"family": "quality", "windows": 1},
    {"family": "quality"},
    {"family": "words", "model": "tiny_en"},
    {"family": "words"},
)


def measure(*, takes: int) -> list[Row]:
    """One row a family; the second column is its share of real time on all cores."""
    clips = _clips(takes)
    audio_s = sum(clip.duration_s for clip in clips)
    rows = []
    for table in FAMILIES:
        config = parse_named("synthgen.metrics", table, field="family", source="benchmark")
        metric = config.build()
        metric.measure(clips[:1])
        fresh = [replace(clip, _resampled={}) for clip in clips]
        began = time.process_time()
        metric.measure(fresh)
        cost = (time.process_time() - began) / audio_s
        name = " ".join(str(value) for value in table.values())
        cores = os.cpu_count() or 1
        rows.append(Row(name, f"{1000 * cost:.1f} ms per audio s", f"{cores / cost:,.0f}× real time"))
    return rows


def _clips(takes: int) -> list[Clip]:
    spoken, clips = Spoken(SpokenConfig()), []
    for engine in ("kokoro", "piper"):
        config = parse_named("synthgen.voices", {"engine": engine}, field="engine", source="benchmark")
        voice, card = config.build(), config.cards()[0]
        for prompt in prompts(1)[: takes // 2]:
            text = spoken(prompt.text, prompt.language)
            line = Line.new(prompt_id=prompt.id, voice_id=card.id, text=text, normaliser=spoken.version)
            reading = voice.speak([line])[0]
            samples = to_float32(to_int16(reading.samples))
            take_id = Take.id_of_line(line.id)
            clips.append(Clip(take_id, card.id, samples, reading.sample_rate_hz, prompt.text, text, prompt.language))
    return clips
