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
    made_by, recognisers = _train(experiment, todo, tests, jobs)
    rows = {"the guide": [heard(guide, tests)]}
    for name, seed in todo:
        rows.setdefault(name, []).append(heard(recognisers[name, seed], tests))
    costs = cost.measure(experiment.asr / "orders.jsonl", made_by, split=experiment.recogniser.split)
    alike = latents.measure(made_by, guide, f"{experiment.work / 'said'}/said")
    return "\n".join([*table(scored(rows, tests)), "", *alike, "", *costs])


def _train(
    experiment: Experiment, todo: Sequence[tuple[str, int]], tests: Sequence[Test], jobs: int
) -> tuple[list[Path], dict[tuple[str, int], Path]]:
    """What makes latents, trained beside the rows that need none, and all recognisers, which have heard the tests."""
    together = partial(side_by_side, jobs=jobs, threads=experiment.threads)
    rows = {each: partial(_row, experiment, *each, tests) for each in todo}
    first = [each for each in todo if ROWS[each[0]].made is None]
    then = [each for each in todo if each not in first]
    kinds = sorted({str(ROWS[name].made) for name, _ in then})
    kinds.sort(key=lambda kind: "diffusion" not in kind)  # what takes longest comes first
    found = together([partial(experiment.synthesiser, kind) for kind in kinds] + [rows[each] for each in first])
    made_by, of_first = found[: len(kinds)], found[len(kinds) :]
    of_then = together([rows[each] for each in then])
    return made_by, dict(zip([*first, *then], [*of_first, *of_then], strict=True))


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
