"""JSTIP on a projector past emergence, row by row; its tables, as Markdown.

    python -m benchmarks.jstip --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/jstip [--seeds 3]
        [--start elsewhere] [--jobs 2] [--small] [ROW ...]

Rows go on from the model `synthetic-0`, or from another `--start`, see `benchmarks.jstip.trainings`.
``--speech`` has sets of real speech, ``--texts`` has sets of texts, BC5CDR and LJSpeech's among them. ``--asr`` holds
the corpora and models of docs/results/slam_asr.md, which other experiments share: what is missing of them is made. A
model knows its data by their paths: run it from where that was trained. What is read, timed, trained and measured
already stays: killed anywhere, the same command goes on. ``--small`` is the whole of it on hums and models that mean
nothing, made under WORK, on five rows if none is named; ``--speech`` and ``--asr`` are not looked at.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.ground import Ground
from benchmarks.jstip import small
from benchmarks.jstip.data import HERE, Sizes, prepare, time_words
from benchmarks.jstip.running import run
from benchmarks.jstip.trainings import CLAIMS, ORDERS, ROWS, STARTS, Experiment, Start
from benchmarks.side_by_side import num_jobs
from catalogs.config import read_toml


@dataclass(frozen=True)
class Settings:
    """How large it is; ``training``, ``slots`` and ``voices`` are tables in the place of those of the recipes."""

    sizes: Sizes = field(default_factory=Sizes)
    training: Mapping[str, Any] = field(default_factory=dict)
    slots: Mapping[str, Any] = field(default_factory=dict)
    voices: Mapping[str, Any] = field(default_factory=dict)
    start: Start = STARTS["elsewhere"]
    steps: int | None = None
    threads: int = 1


def begin(asr: Path, texts: Path, work: Path, settings: Settings) -> Experiment:
    """The experiment, with all that rows are trained and measured on."""
    recipe = {**read_toml(HERE / "recipes" / f"{settings.start.recipe}.toml"), **settings.training}
    steps = settings.steps or recipe["loop"]["steps"]
    prepare(asr, texts, work, sizes=settings.sizes, voices=settings.voices)
    slots = {**read_toml(HERE / "recipes" / "slots.toml"), **settings.slots}
    if settings.steps is not None:
        slots["loop"] = slots["loop"] | {"steps": settings.steps}
    return Experiment(asr, work, settings.start, steps, settings.threads, recipe, slots)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; {', '.join(CLAIMS)} if not given"
    )
    parser.add_argument("--speech", type=Path, help="folder of sets of real speech")
    parser.add_argument("--texts", type=Path, required=True, help="folder of sets of texts")
    parser.add_argument("--asr", type=Path, help="the corpora and models that experiments share")
    parser.add_argument("--work", type=Path, required=True, help="where all else is kept")
    parser.add_argument("--start", choices=STARTS, help="what rows go on from; synthetic, if not given")
    parser.add_argument("--seeds", type=int, default=3, help="of rows that hear no orders; others have one")
    parser.add_argument("--steps", type=int, help="of every training")
    parser.add_argument("--jobs", type=num_jobs, default=2, help="rows that are trained at once")
    parser.add_argument("--threads", type=int, default=1, help="of a row; it goes on with as many as it began with")
    parser.add_argument("--small", action="store_true", help="models that mean nothing, to try the script")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.rows if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; expected some of {', '.join(ROWS)}")
    if asked.start is not None and asked.small:
        parser.error(f"--start {asked.start} with --small: a small run makes its own start; leave one of them out")
    if not asked.small and None in (asked.asr, asked.speech):
        parser.error("give --speech and --asr, folders of real speech and of what experiments share, or --small")
    rows = asked.rows or (small.ROWS if asked.small else CLAIMS)
    experiment = _tried(asked) if asked.small else _grounded(asked, rows)
    print(run(experiment, rows, seeds=asked.seeds, jobs=asked.jobs))


def _tried(asked: argparse.Namespace) -> Experiment:
    asr = asked.work / "asr"
    small.prepare(asr)
    tables = {"training": small.TRAINING, "slots": small.SLOTS, "voices": small.VOICES}
    settings = Settings(Sizes(4, 6, 4), **tables, steps=asked.steps or 2, threads=asked.threads)
    return begin(asr, asked.texts, asked.work, settings)


def _grounded(asked: argparse.Namespace, rows: Sequence[str]) -> Experiment:
    ground, start = Ground(asked.asr, asked.speech, asked.texts), STARTS[asked.start or "synthetic"]
    ground.model(start.model)
    ground.corpora([*start.heard, ORDERS])
    time_words(asked.asr, start.to_time(rows))
    return begin(asked.asr, asked.texts, asked.work, Settings(start=start, steps=asked.steps, threads=asked.threads))


if __name__ == "__main__":
    main()
