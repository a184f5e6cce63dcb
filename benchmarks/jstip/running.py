"""All rows, trained and measured side by side, and then the tables."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.jstip.measuring import Measured, measured
from benchmarks.jstip.telling import START, report
from benchmarks.jstip.trainings import ROWS, Experiment, prepare_slots, trained
from benchmarks.side_by_side import side_by_side


def run(experiment: Experiment, names: Sequence[str], *, seeds: int, jobs: int) -> str:
    """Train and measure what is missing, first seeds first; the tables.

    Rows that hear the domain itself are what the others are to come near to, and have one seed.
    """
    prepare_slots(experiment, names)
    parts = [(name, seed) for seed in range(seeds) for name in names if seed == 0 or not ROWS[name].has_pairs]
    begun = [partial(_measured, experiment, experiment.start, "start")]
    rows = [partial(_measured_row, experiment, name, seed) for name, seed in parts]
    start, *of_rows = side_by_side([*begun, *rows], jobs=jobs, threads=experiment.threads)
    found: dict[str, list[Measured]] = {START: [start]}
    for (name, _), measures in zip(parts, of_rows, strict=True):
        found.setdefault(name, []).append(measures)
    return report(experiment.asr, experiment.work, found)


def _measured_row(experiment: Experiment, name: str, seed: int) -> Measured:
    found = _measured(experiment, trained(experiment, name, seed), f"{name}-{seed}")
    print(f"{name}, seed {seed}: measured", file=sys.stderr, flush=True)
    return found


def _measured(experiment: Experiment, folder: Path, name: str) -> Measured:
    kept = experiment.kept / "measured" / f"{name}.json"
    return measured(folder, kept, asr=experiment.asr, work=experiment.work, threads=experiment.threads)
