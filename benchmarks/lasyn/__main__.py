"""LaSyn on orders of coffee: every row trained and heard, and what texts cost; its tables, as Markdown.

    python -m benchmarks.lasyn --speech FOLDER --asr corpora/asr --work corpora/lasyn [--recogniser whisper]
        [--seeds 3] [ROW ...]

What is trained and heard already stays in WORK: killed anywhere, the same command goes on.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.corpora import freeze, ingest, write
from benchmarks.errors import Errors, errors_of, on_common_takes, told
from benchmarks.figures import mean_reduction, wer
from benchmarks.lasyn import cost, latents
from benchmarks.lasyn.models import CLAIMS, REAL, RECOGNISERS, ROWS, Experiment
from benchmarks.lasyn.noisy import make_noisy
from benchmarks.slam_asr.data import parts
from benchmarks.slam_asr.rows import TEST, freeze_test
from catalogs.ids import Id
from catalogs.progress import Progress
from training.evaluation.report import EvaluationConfig, evaluate
from training.evaluation.resampling import Interval

READ = "test-libri"
SLOT_RECALL, SLOT_F1 = "slot_recall", "slot_f1"
RELEASES = {"real": {"real": "true", "real-libri": "domain = 'libri'"}, "said": {"said": "domain = 'orders'"}}
"""Those of real speech, by corpus: all of it, or what is no order; and the orders of the test."""


@dataclass(frozen=True)
class Test:
    """A test, by what a table calls it; the first is what the rows are held against each other on."""

    name: str
    corpus: Path
    release: str


@dataclass(frozen=True)
class Heard:
    """What a recogniser came to on each test: its evaluation, and its figures."""

    evaluations: Mapping[str, Id]
    figures: Mapping[str, Mapping[str, float | None]]


def prepare(speech: Path, work: Path) -> None:
    """Real speech with texts as they are said, to train on and to hold latents against: letters are no digits."""
    work.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("real", "said"), parts(speech, as_said=True), strict=True):
        write(work / f"{name}.jsonl", rows)
        ingest(work / f"{name}.jsonl", work / name)
        freeze(work / name, RELEASES[name])


def run(experiment: Experiment, names: Sequence[str], *, seeds: int) -> str:
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
    rows: dict[str, list[Heard]] = {"the guide": [heard(experiment.guide(), tests)]}
    for seed in range(seeds):
        for name in names:
            if seed == 0 or name in CLAIMS:
                rows.setdefault(name, []).append(heard(experiment.row(name, seed=seed), tests))
                print(f"{name}: {rows[name][-1].figures}", file=sys.stderr, flush=True)
    kinds = dict.fromkeys(ROWS[name].made for name in names)
    made_by = [experiment.synthesiser(kind) for kind in kinds if kind]
    costs = cost.measure(experiment.asr / "orders.jsonl", made_by, split=experiment.recogniser.split)
    alike = latents.measure(made_by, experiment.guide(), f"{experiment.work / 'said'}/said")
    return "\n".join([*table(rows, tests), "", *alike, "", *costs])


def heard(model: Path, tests: Sequence[Test]) -> Heard:
    """Let a recogniser hear the tests, as far as it has not."""
    evaluations, figures = {}, {}
    for test in tests:
        report = evaluate(
            [str(model)], EvaluationConfig(test.corpus, test.release, only_unseen=True), progress=Progress()
        )
        (system,) = report.systems
        evaluations[test.name] = system.evaluation_id
        figures[test.name] = {figure.name: figure.value for figure in system.subsets[0].figures}
    return Heard(evaluations, figures)


def table(rows: Mapping[str, Sequence[Heard]], tests: Sequence[Test]) -> list[str]:
    """WER on every test, figures of slots on the first, and how much of the errors of real speech alone is gone there.

    Recall is of slots in the text, F1 of those that a recogniser writes that understands, clean and in noise.
    A row is held against as many seeds of real speech as it has itself.
    """
    errors = {name: [_errors(test, of_row) for test in tests] for name, of_row in rows.items()}
    slots = [(SLOT_RECALL, tests[0].name), *((SLOT_F1, test.name) for test in tests[:2])]
    slots = [each for each in slots if any(_mean(of_row, *each) is not None for of_row in rows.values())]
    told_slots = [f"{figure.replace('_', ' ')}, {test}" for figure, test in slots]
    head = ["seeds", *(f"WER, {test.name}" for test in tests), *told_slots, "fewer errors than `real`"]
    lines = [f"| | {' | '.join(head)} |", "|---|" + "---:|" * len(head)]
    for name, of_row in rows.items():
        cells = [told(wer(found), ".1%") for found in errors[name]]
        cells += ["" if (found := _mean(of_row, *each)) is None else f"{found:.1%}" for each in slots]
        is_held = REAL in errors and name != REAL
        gone = _gone(errors[name][0], _errors(tests[0], rows[REAL][: len(of_row)])) if is_held else None
        lines.append(f"| {name} | {len(of_row)} | {' | '.join(cells)} | {told(gone, '+.1%')} |")
    return lines


def _mean(rows: Sequence[Heard], figure: str, test: str) -> float | None:
    """That of a figure over seeds; None if one of them has none."""
    found = [row.figures[test].get(figure) for row in rows]
    values = [value for value in found if value is not None]
    return mean(values) if len(values) == len(found) else None


def _gone(row: Errors, base: Errors) -> Interval | None:
    """How much of the errors of a base are gone, on what both have heard: models of texts are not asked all of them."""
    both = on_common_takes({"row": row, "base": base})
    return mean_reduction([(both["row"], both["base"])])


def _errors(test: Test, rows: Sequence[Heard]) -> Errors:
    return errors_of(test.corpus, [row.evaluations[test.name] for row in rows])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="all that the recogniser has recipes for, if none is named")
    parser.add_argument("--speech", type=Path, required=True, help="folder of sets of real speech")
    parser.add_argument("--asr", type=Path, required=True, help="where the corpora of SLAM-ASR lie")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--recogniser", choices=RECOGNISERS, default="ctc")
    parser.add_argument("--seeds", type=int, default=3, help="of rows that carry a claim; others have one")
    parser.add_argument("--threads", type=int, default=2, help="of trainings; another number is another model")
    asked = parser.parse_args()
    known = RECOGNISERS[asked.recogniser].rows()
    if unknown := [name for name in asked.rows if name not in known]:
        parser.error(f"there is no row {', '.join(map(repr, unknown))} of {asked.recogniser}; there are: {known}")
    prepare(asked.speech, asked.work)
    experiment = Experiment(asked.asr, asked.work, RECOGNISERS[asked.recogniser], asked.threads)
    print(run(experiment, asked.rows or known, seeds=asked.seeds))
