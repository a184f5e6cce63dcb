"""The table of SLAM-ASR: one projector, equal steps, and what it is given to hear; tested on real people.

    python -m benchmarks.slam_asr.rows --work corpora/asr --start models/ood [--seeds 3] [ROW ...]

N is what the real training part says. A row hears N recordings of it, N synthetic readings of the same texts, or a
mixture: "replace" has so many per cent real instead of synthetic, "add" has them beside all synthetic ones. Which
texts are real is drawn by hash, so that a larger share holds the smaller one. What is trained and heard already stays.

G is the WER of "synthetic" less that of "real"; speakers are drawn again for its interval, the same for both.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

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


@dataclass(frozen=True)
class Row:
    """What a row hears: releases, as corpus and name, and tables of its recipe that differ."""

    data: Sequence[tuple[str, str]]
    tables: Mapping[str, Any] = field(default_factory=dict)


TWIN, REAL = ("twin", "twin"), ("real", "real-100")
ROWS: Mapping[str, Row] = {
    "synthetic": Row([TWIN]),
    "curated": Row([("curated", "curated")]),
    "rooms": Row([TWIN], {"augmentation": ROOMS}),
    **{f"replace {n} %": Row([("twin", f"twin-but-{n}"), ("real", f"real-{n}")]) for n in SHARES},
    **{f"add {n} %": Row([TWIN, ("real", f"real-{n}")]) for n in SHARES},
    "add 100 %": Row([TWIN, REAL]),
    "add 25 %, penalty": Row([TWIN, ("real", "real-25")], {"penalty": {"kind": "coral", "weight": 0.1}}),
    "real": Row([REAL]),
    "real, rooms": Row([REAL], {"augmentation": ROOMS}),
}


def measure(work: Path, start: Path, names: Sequence[str], seeds: int) -> str:
    """Train and evaluate what is missing; the table, as Markdown."""
    freeze_shares(work)
    lines = [
        f"| | {' | '.join(COLUMNS)} |",
        "|---|" + "---:|" * len(COLUMNS),
        _line("the start", [_tested(start, work)]),
    ]
    folders: dict[str, list[Path]] = {}
    for name in names:
        folders[name] = [_trained(name, work, start, seed) for seed in range(seeds)]
        lines.append(_line(name, [_tested(folder, work) for folder in folders[name]]))
        print(lines[-1], file=sys.stderr, flush=True)
    lines += ["", *(_gap(name, folders, work) for name in names if name != "real" and "real" in folders)]
    return "\n".join(lines)


def freeze_shares(work: Path) -> None:
    """Releases of so many per cent of the texts: one real recording of each, and the readings of all others."""
    percent = "('0x' || md5(text)[:6])::INTEGER % 100"
    one_each = "take_id IN (SELECT min(take_id) FROM takes GROUP BY text)"
    for n in (*SHARES, 100):
        _freeze(work / "real", f"real-{n}", f"{percent} < {n} AND {one_each}")
    for n in SHARES:
        _freeze(work / "twin", f"twin-but-{n}", f"{percent} >= {n}")


def _freeze(corpus: Path, release: str, where: str) -> None:
    command = [Path(sys.executable).parent / "synthgen", "freeze", release, "-c", corpus, "--where", where]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _trained(name: str, work: Path, start: Path, seed: int) -> Path:
    row, table = ROWS[name], dict(read_toml(RECIPE))
    slug = f"{name.replace(' %', '').replace(', ', '-').replace(' ', '-')}-{seed}"
    tables = dict(row.tables)
    objective = table["objective"] | {"projector_from": str(start)}
    if penalty := tables.pop("penalty", None):
        objective["penalty"] = penalty
    data = [{"corpus": str(work / corpus), "release": release} for corpus, release in row.data]
    folder = work / "models" / slug
    changes = {"name": slug, "folder": str(folder), "data": data, "loop": table["loop"] | {"seed": seed}}
    recipe = parse_recipe(table | tables | changes | {"objective": objective}, source=str(RECIPE))
    train(recipe, progress=Progress())
    return folder


def _tested(folder: Path, work: Path) -> Report:
    config = EvaluationConfig(work / "test", "test", by=("domain",))
    return evaluate([str(folder)], config, progress=Progress())


COLUMNS = ("WER, orders", "slot recall", "WER, LibriSpeech", "repeats itself")
_FIGURES = (("domain=orders", "wer"), ("domain=orders", "slot_recall"), ("domain=libri", "wer"), ("", "looping"))


def _line(name: str, reports: Sequence[Report]) -> str:
    """Means over seeds, and the least and the greatest of them."""
    cells = []
    for subset, figure in _FIGURES:
        values = [_value(report, subset, figure) for report in reports]
        spread = f" ({min(values):.1%}–{max(values):.1%})" if len(values) > 1 else ""
        cells.append(f"{mean(values):.1%}{spread}")
    return f"| {name} | {' | '.join(cells)} |"


def _value(report: Report, subset: str, figure: str) -> float:
    (system,) = report.systems
    return next(f.value for s in system.subsets if s.name == subset for f in s.figures if f.name == figure)


def _gap(name: str, folders: Mapping[str, Sequence[Path]], work: Path) -> str:
    """How far a row's first seed is from the real one's, with its interval."""
    pair = [str(folders[which][0]) for which in (name, "real")]
    compared = evaluate(pair, EvaluationConfig(work / "test", "test"), progress=Progress()).comparison
    assert compared is not None, "both have heard the test"
    d = compared.difference
    return f"- {name} less real: {d.value:+.1%} ({d.low:+.1%} to {d.high:+.1%}), over {compared.num_groups} speakers"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", default=list(ROWS))
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    print(measure(asked.work, asked.start, asked.rows, asked.seeds))
