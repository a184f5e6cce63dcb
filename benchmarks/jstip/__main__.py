"""JSTIP on a projector past emergence, row by row; its tables, as Markdown.

    python -m benchmarks.jstip --asr corpora/asr --texts FOLDER --work corpora/jstip [--seeds 1] [--small]
        [--start synthetic] [ROW ...]

Rows go on from the model `elsewhere`, or from `--start`, see `benchmarks.jstip.trainings`.
``--asr`` holds the corpora and models of docs/results/slam_asr.md; word times are added to them, and evaluations. Run
it from where that was trained, whose checkpoint knows its data by their paths. ``--texts`` has BC5CDR and
LJSpeech's texts as SET.jsonl. What is timed, read, trained and measured already stays: killed anywhere, the same
command goes on. ``--small`` is the whole of it on hums and models that mean nothing, made under WORK, on five rows if
none is named; ``--asr`` is not looked at.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.jstip import small
from benchmarks.jstip.data import HERE, Sizes, prepare, time_words
from benchmarks.jstip.measuring import Measured, measured
from benchmarks.jstip.telling import START, report
from benchmarks.jstip.trainings import ROWS, STARTS, Experiment, Start, trained
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
    threads: int = 2


def run(experiment: Experiment, names: Sequence[str], *, seeds: int) -> str:
    """Train and measure what is missing, first seeds first; the tables."""
    found: dict[str, list[Measured]] = {START: [_measured(experiment, experiment.start, "start")]}
    found |= {name: [] for name in names}
    for seed in range(seeds):
        for name in names:
            found[name].append(_measured(experiment, trained(experiment, name, seed), f"{name}-{seed}"))
            print(f"{name}, seed {seed}: measured", file=sys.stderr, flush=True)
    return report(experiment.asr, experiment.work, found)


def begin(asr: Path, texts: Path, work: Path, settings: Settings) -> Experiment:
    """The experiment, with all that rows are trained and measured on."""
    recipe = {**read_toml(HERE / "recipes" / f"{settings.start.recipe}.toml"), **settings.training}
    steps = settings.steps or recipe["loop"]["steps"]
    prepare(asr, texts, work, sizes=settings.sizes, voices=settings.voices)
    slots = {**read_toml(HERE / "recipes" / "slots.toml"), **settings.slots}
    if settings.steps is not None:
        slots["loop"] = slots["loop"] | {"steps": settings.steps}
    return Experiment(asr, work, settings.start, steps, settings.threads, recipe, slots)


def _measured(experiment: Experiment, folder: Path, name: str) -> Measured:
    kept = experiment.kept / "measured" / f"{name}.json"
    return measured(folder, kept, asr=experiment.asr, work=experiment.work, threads=experiment.threads)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"all, if not given: {', '.join(ROWS)}")
    parser.add_argument("--asr", type=Path, help="the corpora and models of SLAM-ASR")
    parser.add_argument("--texts", type=Path, required=True, help="folder of sets of texts")
    parser.add_argument("--work", type=Path, required=True, help="where all else is kept")
    parser.add_argument("--start", choices=STARTS, help="what rows go on from; elsewhere, if not given")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, help="of every training")
    parser.add_argument(
        "--threads", type=int, default=2, help="of PyTorch; a row goes on with as many as it began with"
    )
    parser.add_argument("--small", action="store_true", help="models that mean nothing, to try the script")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.rows if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}; expected some of {', '.join(ROWS)}")
    if asked.asr is None and not asked.small:
        parser.error("give --asr, the folder with the corpora and models of docs/results/slam_asr.md, or --small")
    if asked.start is not None and asked.small:
        parser.error(f"--start {asked.start} with --small: a small run makes its own start; leave one of them out")
    every = small.ROWS if asked.small else tuple(ROWS)
    rows = asked.rows or every
    start = STARTS[asked.start or "elsewhere"]
    settings = Settings(start=start, steps=asked.steps, threads=asked.threads)
    asr = asked.asr
    if asked.small:
        asr = asked.work / "asr"
        small.prepare(asr)
        tables = {"training": small.TRAINING, "slots": small.SLOTS, "voices": small.VOICES}
        settings = Settings(Sizes(4, 6, 4), **tables, steps=asked.steps or 2, threads=asked.threads)
    else:
        time_words(asr, start.to_time(rows))
    experiment = begin(asr, asked.texts, asked.work, settings)
    print(run(experiment, rows, seeds=asked.seeds))


if __name__ == "__main__":
    main()
