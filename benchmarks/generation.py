"""Audio seconds per second of a whole job with metrics off, against a plain loop over the same ONNX voice.

Both read the same prompts on all cores of this machine; loading models and starting Ray are left out of both. The
loop is what a user would write instead: one session with as many threads as there are cores, one text after the other,
each written as a WAV file.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import soundfile

from benchmarks.table import Row
from catalogs.catalog import Catalog
from catalogs.config import parse_named
from catalogs.ingest import PromptSource, read_prompts
from catalogs.progress import Progress
from catalogs.records import Line, Prompt, Verdict
from catalogs.stage import Outcome
from curation.production import Production
from curation.recipe import parse_recipe, shipped_recipes
from synthgen.recording import recording_streams
from synthgen.spoken import Spoken, SpokenConfig

PROMPTS = shipped_recipes()[0].parent / "prompts"


def measure(engine: str, *, copies: int) -> Row:
    """One engine's two columns."""
    plain = plain_loop(engine, copies=copies)
    ours = whole_job(engine, copies=copies)
    return Row(f"{engine}, audio s per s", f"{ours:.1f}", f"{plain:.1f}", ours / plain)


def plain_loop(engine: str, *, copies: int) -> float:
    """One voice on all cores, one text after the other."""
    table = {"engine": engine, "threads": os.cpu_count() or 1}
    config = parse_named("synthgen.voices", table, field="engine", source="benchmark")
    voice, card, spoken = config.build(), config.cards()[0], Spoken(SpokenConfig())
    lines = [
        Line.new(prompt_id=p.id, voice_id=card.id, text=spoken(p.text, p.language), normaliser=spoken.version)
        for p in prompts(copies)
    ]
    voice.speak(lines[:1])
    audio_s, began = 0.0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, line in enumerate(lines):
            reading = voice.speak([line])[0]
            soundfile.write(Path(folder) / f"{number}.wav", reading.samples, reading.sample_rate_hz)
            audio_s += len(reading.samples) / reading.sample_rate_hz
    return audio_s / (time.perf_counter() - began)


def whole_job(engine: str, *, copies: int) -> float:
    """Casting, the fleet, FLAC, shards and commits, from the first batch that comes back to the last commit."""
    with tempfile.TemporaryDirectory() as folder:
        table = {
            "name": "benchmark",
            "corpus": f"{folder}/corpus",
            "prompts": [{"path": str(_prompt_file(Path(folder), copies))}],
            "voices": [{"engine": engine}],
        }
        recipe = parse_recipe(table, folder=Path(folder), source="benchmark")
        with Catalog.create(recipe.corpus) as catalog, catalog.job("benchmark"):
            run_id = catalog.begin_run(recipe.job_id, "benchmark")
            production = Production(recipe, catalog, run_id=run_id, progress=Progress(quiet=True))
            production.prepare()
            next(production.rounds())
            arrivals: list[tuple[float, float]] = []

            def watch(outcome: Outcome, _: Sequence[Verdict]) -> None:
                audio_s = sum(r.num_samples / r.sample_rate_hz for r in outcome.recordings)
                arrivals.append((time.perf_counter(), audio_s))

            streams = recording_streams(catalog, production.job_id, recipe.voices, workers=recipe.fleet.workers)
            production.work("benchmark", 0, streams, [], judge=False, watch=watch)
    first = arrivals[0][0]
    return sum(audio_s for _, audio_s in arrivals[1:]) / (arrivals[-1][0] - first)


def prompts(copies: int) -> list[Prompt]:
    """The demo's prompts, again and again with another word in front, since the same text would be the same line."""
    read = [p for p in read_prompts(PromptSource(path=str(PROMPTS))) if isinstance(p, Prompt)]
    openings = ("", "well, ", "so, ", "please, ", "right, ", "now, ", "then, ", "yes, ")[:copies]
    return [replace(p, text=opening + p.text) for opening in openings for p in read]


def _prompt_file(folder: Path, copies: int) -> Path:
    path = folder / "prompts.txt"
    path.write_text("\n".join(p.text for p in prompts(copies)), encoding="utf-8")
    return path
