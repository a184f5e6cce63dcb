"""What temperature does to a voice, shown and not claimed: how much readings of a text differ, and how clear they are.

Every text is read several times at each temperature. Spread is the mean distance between two readings of a text, in
standard deviations of the figures of prosody and pace over all readings; it must rise with the temperature. Words are
those of the recogniser that judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from catalogs.clip import Clip
from catalogs.config import parse_named
from catalogs.ids import seed_of
from catalogs.ingest import PromptSource, read_prompts
from catalogs.records import Line, Prompt, Score, Take
from catalogs.signal import to_float32, to_int16
from curation.metric import Metric, MetricConfig
from curation.metrics.pace import PaceConfig
from curation.metrics.prosody import ProsodyConfig
from curation.metrics.words import WordsConfig
from curation.recipe import shipped_recipes
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.voice import Voice

FIGURES = ("f0_median_hz", "f0_sd_st", "energy_sd_db", "chars_per_s", "duration_s")
LADDER = (0.3, 0.7, 1.0, 1.3)


@dataclass(frozen=True, slots=True)
class Step:
    """One temperature of one voice: spread in standard deviations, mean WER, and how many readings they rest on."""

    voice: str
    temperature: float
    spread: float
    wer: float
    readings: int


def measure(engines: Sequence[str] = ("kokoro", "piper"), *, texts: int = 10, readings: int = 4) -> str:
    """The table, as Markdown; says of every voice whether its spread rises with every step."""
    rows = ["| voice | temperature | spread of readings | WER | readings |", "|---|---:|---:|---:|---:|"]
    verdicts = []
    for engine in engines:
        steps = ladder(engine, texts=texts, readings=readings)
        rows += [f"| {s.voice} | {s.temperature} | {s.spread:.2f} | {s.wer:.1%} | {s.readings} |" for s in steps]
        is_monotone = all(a.spread < b.spread for a, b in pairwise(steps))
        verdicts.append(f"{steps[0].voice}: spread {'rises' if is_monotone else 'does NOT rise'} with every step.")
    return "\n".join(["## Temperature", "", *rows, "", *verdicts, ""])


def ladder(engine: str, *, texts: int, readings: int) -> list[Step]:
    """What every temperature of the ladder does to an engine's first voice."""
    config = parse_named("synthgen.voices", {"engine": engine}, field="engine", source="benchmark")
    voice, card, spoken = config.build(), config.cards()[0], Spoken(SpokenConfig())
    words, prosody, pace = (_loaded(c) for c in (WordsConfig(), ProsodyConfig(), PaceConfig()))
    found: dict[float, list[list[dict[str, float]]]] = {t: [] for t in LADDER}
    for prompt in prompts(texts):
        for temperature in LADDER:
            lines = [
                Line.new(
                    prompt_id=prompt.id, voice_id=card.id, text=spoken(prompt.text, prompt.language),
                    normaliser=spoken.version, temperature=temperature, seed=seed_of("benchmark", prompt.id, n),
                )
                for n in range(readings)
            ]  # fmt: skip
            clips = read(voice, lines, prompt)
            found[temperature].append([_merged(clip, words, prosody, pace) for clip in clips])
    every = [figures for of_step in found.values() for of_text in of_step for figures in of_text]
    scale = {name: float(np.nanstd([f[name] for f in every])) or 1.0 for name in FIGURES}
    return [_step(card.name, temperature, of_texts, scale) for temperature, of_texts in found.items()]


def read(voice: Voice, lines: Sequence[Line], prompt: Prompt) -> list[Clip]:
    """Readings of a prompt as metrics take them."""
    return [
        Clip(
            Take.id_of_line(line.id), line.voice_id, to_float32(to_int16(reading.samples)), reading.sample_rate_hz,
            prompt.text, line.text, prompt.language,
        )
        for line, reading in zip(lines, voice.speak(lines), strict=True)
    ]  # fmt: skip


def prompts(count: int) -> list[Prompt]:
    """So many prompts of the demo."""
    source = PromptSource(str(Path(shipped_recipes()[0].parent) / "prompts" / "*.jsonl"))
    return [item for item in read_prompts(source) if isinstance(item, Prompt)][::7][:count]


def _loaded(config: MetricConfig) -> tuple[list[str], Metric]:
    return [column.name for column in config.card().columns], config.build()


def _merged(clip: Clip, *families: tuple[list[str], Metric]) -> dict[str, float]:
    merged: dict[str, float] = {}
    for names, metric in families:
        score: Score = metric.measure([clip])[0]
        pairs = zip(names, score.values, strict=True)
        merged |= {name: np.nan if value is None else value for name, value in pairs if name in (*FIGURES, "wer")}
    return merged


def _step(voice: str, temperature: float, texts: Sequence[Sequence[dict[str, float]]], scale: dict[str, float]) -> Step:
    distances = [
        float(np.sqrt(np.nanmean([((a[name] - b[name]) / scale[name]) ** 2 for name in FIGURES])))
        for readings in texts
        for a, b in combinations(readings, 2)
    ]
    wer = [figures["wer"] for readings in texts for figures in readings]
    return Step(voice, temperature, float(np.mean(distances)), float(np.nanmean(wer)), len(wer))


if __name__ == "__main__":
    print(measure())
