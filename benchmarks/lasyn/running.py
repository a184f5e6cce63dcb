"""All rows, trained and heard side by side, and then the tables."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks.corpora import freeze
from benchmarks.errors import Errors, Of, errors_of
from benchmarks.lasyn import cost, latents
from benchmarks.lasyn.models import CLAIMS, REAL, ROWS, Experiment
from benchmarks.lasyn.noisy import make_noisy
from benchmarks.lasyn.telling import Scored, table
from benchmarks.side_by_side import side_by_side
from benchmarks.slam_asr.rows import TEST, freeze_test
from catalogs.ids import Id
from catalogs.progress import Progress
from training.evaluation.report import EvaluationConfig, evaluate

READ = "test-libri"


@dataclass(frozen=True)
class Test:
    """A test, by what a table calls it; the first is what the rows are held against each other on."""

    name: str
    corpus: Path
    release: str


Heard: TypeAlias = Mapping[str, Id]
"""The evaluation of a recogniser on each test."""


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
    todo = [(name, seed) for seed in range(seeds) for name in names if seed == 0 or name in CLAIMS]
    made_by = _train(experiment, todo, tests, jobs)
    rows = {"the guide": [heard(guide, tests)]}
    for name, seed in todo:
        rows.setdefault(name, []).append(heard(experiment.row(name, seed=seed), tests))
    costs = cost.measure(experiment.asr / "orders.jsonl", made_by, split=experiment.recogniser.split)
    alike = latents.measure(made_by, guide, f"{experiment.work / 'said'}/said")
    return "\n".join([*table(scored(rows, tests)), "", *alike, "", *costs])


def _train(experiment: Experiment, todo: Sequence[tuple[str, int]], tests: Sequence[Test], jobs: int) -> list[Path]:
    """Train what makes latents, beside the rows that need none, and then those that do; every row is heard."""
    together = partial(side_by_side, jobs=jobs, threads=experiment.threads)
    of_texts = [(name, seed) for name, seed in todo if ROWS[name].made]
    kinds = sorted({str(ROWS[name].made) for name, _ in of_texts})  # diffusion takes longest, and comes first
    made_by = [partial(experiment.synthesiser, kind) for kind in kinds]
    rows = {each: partial(_row, experiment, *each, tests) for each in todo}
    synthesisers = together([*made_by, *(row for each, row in rows.items() if each not in of_texts)])[: len(kinds)]
    together([rows[each] for each in of_texts])
    return synthesisers


def _row(experiment: Experiment, name: str, seed: int, tests: Sequence[Test]) -> Path:
    model = experiment.row(name, seed=seed)
    heard(model, tests)
    return model


def heard(model: Path, tests: Sequence[Test]) -> Heard:
    """The evaluations of a recogniser; it hears what it has not."""
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
