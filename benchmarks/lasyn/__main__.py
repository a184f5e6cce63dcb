"""LaSyn on orders of coffee: every row trained and heard, and what texts cost; its tables, as Markdown.

    python -m benchmarks.lasyn --speech FOLDER --texts FOLDER --asr corpora/asr --work corpora/lasyn
        [--recogniser whisper] [--seeds 3] [--jobs 2] [ROW ...]

``--speech`` has sets of real speech, ``--texts`` has sets of texts; ``--asr`` holds the corpora of
docs/results/slam_asr.md, which other experiments share: what is missing of them is made. What is read, trained and
heard already stays: killed anywhere, the same command goes on.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks.corpora import freeze, ingest, write
from benchmarks.errors import Errors, Of, errors_of
from benchmarks.ground import Ground
from benchmarks.lasyn import cost, latents
from benchmarks.lasyn.models import CLAIMS, REAL, RECOGNISERS, ROWS, Experiment
from benchmarks.lasyn.noisy import make_noisy
from benchmarks.lasyn.telling import Scored, table
from benchmarks.side_by_side import side_by_side
from benchmarks.slam_asr.data import parts
from benchmarks.slam_asr.rows import TEST, freeze_test
from catalogs.ids import Id
from catalogs.progress import Progress
from training.evaluation.report import EvaluationConfig, evaluate

READ = "test-libri"
RELEASES = {"real": {"real": "true", "real-libri": "domain = 'libri'"}, "said": {"said": "domain = 'orders'"}}
"""Those of real speech, by corpus: all of it, or what is no order; and the orders of the test."""


@dataclass(frozen=True)
class Test:
    """A test, by what a table calls it; the first is what the rows are held against each other on."""

    name: str
    corpus: Path
    release: str


Heard: TypeAlias = Mapping[str, Id]
"""The evaluation of a recogniser on each test."""


def prepare(speech: Path, work: Path) -> None:
    """Real speech with texts as they are said, to train on and to hold latents against: letters are no digits."""
    work.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("real", "said"), parts(speech, as_said=True), strict=True):
        write(work / f"{name}.jsonl", rows)
        ingest(work / f"{name}.jsonl", work / name)
        freeze(work / name, RELEASES[name])


def run(experiment: Experiment, names: Sequence[str], *, seeds: int, jobs: int) -> str:
    """All that is missing, first seeds first, and then the tables."""
    corpus = experiment.asr / "test"
    freeze_test(experiment.asr)
    freeze(corpus, {READ: "domain = 'libri'"})
    make_noisy(corpus, TEST, experiment.work / "noisy")
    tests = [
        Test("orders", corpus, TEST),
        Test("orders in noise", experiment.work / "noisy", TEST),
        Test("LibriSpeech", corpus, READ),
    ]
    guide = experiment.guide()
    made_by = [experiment.synthesiser(kind) for kind in dict.fromkeys(ROWS[name].made for name in names) if kind]
    todo = [(name, seed) for seed in range(seeds) for name in names if seed == 0 or name in CLAIMS]
    of_rows = [partial(_row, experiment, name, seed, tests) for name, seed in todo]
    of_guide, *found = side_by_side([partial(heard, guide, tests), *of_rows], jobs=jobs, threads=experiment.threads)
    rows: dict[str, list[Heard]] = {"the guide": [of_guide]}
    for (name, _), of_row in zip(todo, found, strict=True):
        rows.setdefault(name, []).append(of_row)
    costs = cost.measure(experiment.asr / "orders.jsonl", made_by, split=experiment.recogniser.split)
    alike = latents.measure(made_by, guide, f"{experiment.work / 'said'}/said")
    return "\n".join([*table(scored(rows, tests)), "", *alike, "", *costs])


def _row(experiment: Experiment, name: str, seed: int, tests: Sequence[Test]) -> Heard:
    return heard(experiment.row(name, seed=seed), tests)


def heard(model: Path, tests: Sequence[Test]) -> Heard:
    """Let a recogniser hear the tests, as far as it has not."""
    found = {}
    for test in tests:
        report = evaluate(
            [str(model)], EvaluationConfig(test.corpus, test.release, only_unseen=True), progress=Progress()
        )
        (system,) = report.systems
        found[test.name] = system.evaluation_id
        rate = next(figure.value for figure in system.subsets[0].figures if figure.name == "wer")
        print(f"{model.name}: WER {rate:.1%}, {test.name}", file=sys.stderr, flush=True)
    return found


def scored(rows: Mapping[str, Sequence[Heard]], tests: Sequence[Test]) -> dict[str, Scored]:
    """The errors of every row: of words on every test, of slots in the first, and of labels there and in noise.

    Slots are values of the text that were heard, labels those that a recogniser wrote which understands. A row is held
    against as many seeds of real speech as it has itself.
    """
    first, found = tests[0], {}
    for name, of_row in rows.items():
        words = {test.name: _errors(test, of_row) for test in tests}
        values = {f"slot recall, {first.name}": _errors(first, of_row, of="slots")}
        values |= {f"slot F1, {test.name}": _errors(test, of_row, of="labels") for test in tests[:2]}
        base = _errors(first, rows[REAL][: len(of_row)]) if REAL in rows and name != REAL else None
        found[name] = Scored(len(of_row), words, values, base)
    return found


def _errors(test: Test, rows: Sequence[Heard], *, of: Of = "words") -> Errors:
    return errors_of(test.corpus, [row[test.name] for row in rows], of=of)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="all that the recogniser has recipes for, if none is named")
    parser.add_argument("--speech", type=Path, required=True, help="folder of sets of real speech")
    parser.add_argument("--texts", type=Path, required=True, help="folder of sets of texts")
    parser.add_argument("--asr", type=Path, required=True, help="the corpora that experiments share")
    parser.add_argument("--work", type=Path, required=True, help="where all else is kept")
    parser.add_argument("--recogniser", choices=RECOGNISERS, default="whisper")
    parser.add_argument("--seeds", type=int, default=3, help="of rows that carry a claim; others have one")
    parser.add_argument("--jobs", type=int, default=2, help="rows that are trained at once")
    parser.add_argument("--threads", type=int, default=1, help="of a training; another number is another model")
    asked = parser.parse_args()
    known = RECOGNISERS[asked.recogniser].rows()
    if unknown := [name for name in asked.rows if name not in known]:
        parser.error(f"there is no row {', '.join(map(repr, unknown))} of {asked.recogniser}; there are: {known}")
    Ground(asked.asr, asked.speech, asked.texts).corpora(["orders", "general", "long"])
    prepare(asked.speech, asked.work)
    experiment = Experiment(asked.asr, asked.work, RECOGNISERS[asked.recogniser], asked.threads)
    print(run(experiment, asked.rows or known, seeds=asked.seeds, jobs=asked.jobs))
