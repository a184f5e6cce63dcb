"""The table of SLAM-ASR: one projector, equal steps, and what it is given to hear; tested on real people.

    python -m benchmarks.slam_asr.rows --work corpora/asr --start corpora/asr/models/elsewhere [--seeds 3] [ROW ...]

N is what the real training part says. A row hears N recordings of it, N synthetic readings of the same texts, or a
mixture: "replace" has so many per cent real instead of synthetic, "add" has them beside all synthetic ones. Which
texts are real is drawn by hash, so that a larger share holds the smaller one. Rows that carry a claim have several
seeds. What is trained and heard already stays.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.corpora import freeze
from benchmarks.errors import Errors, errors_of, told
from benchmarks.slam_asr.gap import HEAD, closing_line, less
from catalogs.config import read_toml
from catalogs.progress import Progress
from training.evaluation.report import EvaluationConfig, Report, evaluate
from training.recipe import parse_recipe
from training.session import train

RECIPE = Path(__file__).parent / "recipes" / "row.toml"
SHARES = (10, 25, 50)
ROOMS: Mapping[str, Any] = {
    "variants": 3,
    "steps": [
        {"step": "room", "probability": 0.7, "rt60_s": [0.2, 0.6], "distance_m": [0.3, 2.0]},
        {"step": "noise", "probability": 0.7, "snr_db": [8.0, 25.0]},
        {"step": "codec", "probability": 0.3},
    ],
}
HALF: Mapping[str, Any] = {
    "sampling": {"batch_s": 60.0, "buckets": 2, "real": [0.5]},
    "loop": {"steps": 40, "save_every": 40},
}
"""Every second utterance is a recording, and half as many batches are twice as large, so that a penalty has several of
either kind to compare. Such rows are held against each other, not against those of other steps."""


@dataclass(frozen=True)
class Row:
    """What a row hears: releases, as corpus and name, and tables of its recipe that differ.

    ``behind`` is the row, of the same seed, that it goes on from; None is the start of all.
    """

    data: Sequence[tuple[str, str]]
    tables: Mapping[str, Any] = field(default_factory=dict)
    behind: str | None = None


ON: Mapping[str, Any] = {
    "optim": {"rate": 6e-5, "warmup_steps": 5, "schedule": "linear"},
    "loop": {"steps": 40, "save_every": 40},
}
"""Half as many steps more, at a fifth of the rate: the published ratio of rates of GRPO and of what goes before."""
RAW, REAL = ("twin", "raw"), ("real", "real-100")
CONTROL, PENALISED = "add 25 %, half", "add 25 %, half, penalty"
ROWS: Mapping[str, Row] = {
    "synthetic": Row([RAW]),
    "synthetic, on": Row([RAW], ON, behind="synthetic"),
    "synthetic, on by GRPO": Row([RAW], ON | {"objective": {"method": "grpo"}}, behind="synthetic"),
    "curated": Row([("twin", "curated")]),
    "rooms": Row([RAW], {"augmentation": ROOMS}),
    **{f"replace {n} %": Row([("twin", f"raw-but-{n}"), ("real", f"real-{n}")]) for n in SHARES},
    **{f"add {n} %": Row([RAW, ("real", f"real-{n}")]) for n in SHARES},
    "add 100 %": Row([RAW, REAL]),
    CONTROL: Row([RAW, ("real", "real-25")], HALF),
    PENALISED: Row([RAW, ("real", "real-25")], HALF | {"penalty": {"kind": "mmd", "weight": 1.0}}),
    "real": Row([REAL]),
    "real, rooms": Row([REAL], {"augmentation": ROOMS}),
}
TEST = "test-orders"
"""Orders alone: rows of so few steps find no end of LibriSpeech's sentences, and hearing that takes all the time."""
CLAIMS = ("synthetic", "synthetic, on", "synthetic, on by GRPO", "rooms", "add 25 %", "real", "real, rooms")


def measure(work: Path, start: Path, names: Sequence[str], seeds: int) -> str:
    """Train and evaluate what is missing, first seeds first; the tables, as Markdown."""
    freeze_shares(work)
    reports: dict[str, list[Report]] = {name: [] for name in names}
    for seed in range(seeds):
        for name in names:
            if seed == 0 or name in CLAIMS:
                reports[name].append(tested(trained(name, work, start, seed), work))
                print(_line(name, reports[name]), file=sys.stderr, flush=True)
    lines = [
        f"| | seeds | {' | '.join(COLUMNS)} |",
        "|---|" + "---:|" * (len(COLUMNS) + 1),
        _line("the start", [tested(start, work)]),
        *(_line(name, of_row) for name, of_row in reports.items()),
    ]
    if {"real", "synthetic"} <= reports.keys():
        others = [name for name in reports if name not in (CONTROL, PENALISED, "real")]
        lines += ["", *HEAD, *(_closing(name, reports, work) for name in others)]
    if {CONTROL, PENALISED} <= reports.keys():
        apart = less(*(_heard(reports[name], work) for name in (PENALISED, CONTROL)))
        lines += ["", f"WER with the penalty, less that of its control: {told(apart, '+.1%')}"]
    return "\n".join(lines)


def _closing(name: str, reports: Mapping[str, Sequence[Report]], work: Path) -> str:
    """What a row closes of the gap; synthetic and real speech are heard with as many seeds as it has."""
    seeds = len(reports[name])
    synthetic, mitigated, real = (_heard(reports[each][:seeds], work) for each in ("synthetic", name, "real"))
    return closing_line(name, seeds, synthetic, mitigated, real)


def _heard(reports: Sequence[Report], work: Path) -> Errors:
    return errors_of(work / "test", [report.systems[0].evaluation_id for report in reports])


def freeze_shares(work: Path) -> None:
    """Releases of so many per cent of the texts: one recording of each, or a reading of all others; and the test."""
    percent = "('0x' || md5(text)[:6])::INTEGER % 100"
    recording = "take_id IN (SELECT min(take_id) FROM takes GROUP BY text)"
    reading = (
        "take_id IN (SELECT arg_min(take_id, md5(take_id::VARCHAR)) FROM takes WHERE temperature = 1 GROUP BY text)"
    )
    freeze(work / "real", {f"real-{n}": f"{percent} < {n} AND {recording}" for n in (*SHARES, 100)})
    left = {f"raw-but-{n}": f"{percent} >= {n} AND {reading}" for n in SHARES}
    freeze(work / "twin", {"raw": reading, **left})
    freeze_test(work)


def freeze_test(work: Path) -> None:
    """The release of real orders that rows are tested on."""
    freeze(work / "test", {TEST: "domain = 'orders'"})


def trained(name: str, work: Path, start: Path, seed: int) -> Path:
    """Train a row, or what is missing of it and of the row it goes on from; gives its folder."""
    row, recipe = ROWS[name], dict(read_toml(RECIPE))
    folder = folder_of(name, work, seed)
    tables = dict(row.tables)
    objective = recipe["objective"] | tables.pop("objective", {})
    if row.behind is None:
        objective["projector_from"] = str(start)
    else:
        recipe["start_from"] = str(trained(row.behind, work, start, seed))
    if penalty := tables.pop("penalty", None):
        objective["penalty"] = penalty
    recipe |= tables | {
        "name": folder.name,
        "folder": str(folder),
        "data": [{"corpus": str(work / corpus), "release": release} for corpus, release in row.data],
        "loop": {**recipe["loop"], **tables.get("loop", {}), "seed": seed},
        "objective": objective,
    }
    train(parse_recipe(recipe, source=str(RECIPE)), progress=Progress())
    return folder


def folder_of(name: str, work: Path, seed: int) -> Path:
    """Where a row is trained."""
    return work / "models" / f"{name.replace(' %', '').replace(', ', '-').replace(' ', '-')}-{seed}"


def tested(folder: Path, work: Path) -> Report:
    """The evaluation of a training on real people."""
    config = EvaluationConfig(work / "test", TEST, only_unseen=True)
    return evaluate([str(folder)], config, progress=Progress())


COLUMNS = ("WER", "slot recall", "repeats itself")
_FIGURES = ("wer", "slot_recall", "looping")


def _line(name: str, reports: Sequence[Report]) -> str:
    """Means over seeds, and the least and the greatest of them."""
    cells = []
    for figure in _FIGURES:
        values = [figure_of(report, figure) for report in reports]
        spread = f" ({min(values):.1%}–{max(values):.1%})" if len(values) > 1 else ""
        cells.append(f"{mean(values):.1%}{spread}")
    return f"| {name} | {len(reports)} | {' | '.join(cells)} |"


def figure_of(report: Report, figure: str) -> float:
    """One figure of all takes, such as the WER."""
    (system,) = report.systems
    return next(f.value for f in system.subsets[0].figures if f.name == figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3, help="of rows that carry a claim; others have one")
    asked = parser.parse_args()
    if unknown := [name for name in asked.rows if name not in ROWS]:
        parser.error(f"there is no row {', '.join(map(repr, unknown))}; there are: {', '.join(ROWS)}")
    print(measure(asked.work, asked.start, asked.rows, asked.seeds))
