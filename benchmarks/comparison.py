"""Recognisers of several methods side by side, on the same real orders by people whom none of them has heard.

    python -m benchmarks.comparison --asr corpora/asr NAME=FOLDER[,FOLDER...] [NAME=FOLDER ...]

Several folders are a row's models of several seeds, whose mean errors are told; intervals draw speakers. What a model
was given is added up over its whole lineage: trainings that it went on from, and models it was merged of.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.errors import errors_of, misspelt_of, told
from benchmarks.figures import share_right, wer
from benchmarks.slam_asr.rows import TEST, freeze_test
from catalogs.progress import Progress
from training import checkpoint
from training.checkpoint import Checkpoint
from training.curve import rows_of
from training.evaluation.baseline import BASELINE
from training.evaluation.leaks import data_of, lineage, members_had
from training.evaluation.report import EvaluationConfig, evaluate
from training.members import Member

COLUMNS = (
    *("seeds", "takes", "WER", "slot recall", "slot error", "repeats itself"),
    *("real h", "synthetic h", "texts alone", "steps", "minutes"),
)


@dataclass(frozen=True, slots=True)
class Given:
    """What went into a model: hours of either kind, texts that nobody read, steps and minutes of all its trainings.

    A merge takes no step of its own. Minutes are those of steps on the machine that took them, without encoding; None
    if a training did not note them.
    """

    real_h: float = 0.0
    synthetic_h: float = 0.0
    texts: float = 0
    steps: float = 0
    spent_s: float | None = 0.0

    def text(self) -> str:
        """Cells of a table."""
        minutes = "–" if self.spent_s is None else f"{self.spent_s / 60:.0f}"
        return f"{self.real_h:.2f} | {self.synthetic_h:.2f} | {self.texts:,.0f} | {self.steps:,.0f} | {minutes}"


def given_to(folder: Path) -> Given:
    """What a checkpoint and all that went into it were trained on."""
    members: dict[str, Member] = {}
    steps = 0
    spent_s: list[float | None] = []
    for found in lineage(checkpoint.load(folder)):
        if "merge" not in found.provenance:
            steps += found.position.step
            spent_s.append(_spent_s(found))
        for config, release_id in data_of(found):
            members |= {member.take_id: member for member in members_had(found, config, release_id)}
    heard = [member for member in members.values() if member.place is not None]
    hours = {kind: sum(m.duration_s for m in heard if m.is_synthetic is kind) / 3600 for kind in (False, True)}
    known = [each for each in spent_s if each is not None]
    whole_s = sum(known) if len(known) == len(spent_s) else None
    return Given(hours[False], hours[True], len(members) - len(heard), steps, whole_s)


def mean_of(given: Sequence[Given]) -> Given:
    """What models of several seeds were given on the mean."""
    spent_s = [each.spent_s for each in given if each.spent_s is not None]
    return Given(
        mean(each.real_h for each in given),
        mean(each.synthetic_h for each in given),
        mean(each.texts for each in given),
        mean(each.steps for each in given),
        mean(spent_s) if len(spent_s) == len(given) else None,
    )


def _spent_s(found: Checkpoint) -> float | None:
    """How long the steps of a training took, up to a checkpoint; None if they did not note it.

    Steps behind the last note, fewer than one note is of, were noted by no earlier version: they are as long as those
    before.
    """
    rows = [row for row in rows_of(found.folder.parent) if row["step"] <= found.position.step]
    if not rows or not all("spent_s" in row for row in rows):
        return None
    noted, each = rows[-1]["step"], rows[0]["step"]
    is_noted = found.position.step - noted < each
    return sum(row["spent_s"] for row in rows) * found.position.step / noted if is_noted else None


def row(name: str, models: Sequence[str], asr: Path) -> str:
    """The line of a table of one row's models, one for each seed: what they come to, and are given, on the mean."""
    corpus = asr / "test"
    heard = [evaluate([m], EvaluationConfig(corpus, TEST, only_unseen=True), progress=Progress()) for m in models]
    ids = [report.systems[0].evaluation_id for report in heard]
    words = errors_of(corpus, ids)
    figures = [
        wer(words),
        share_right(errors_of(corpus, ids, of="slots")),
        wer(misspelt_of(corpus, ids, of="slots")),
        wer(errors_of(corpus, ids, of="repeats")),
    ]
    given = mean_of([Given() if model == BASELINE else given_to(Path(model)) for model in models])
    cells = [f"{len(models)}", f"{len(words.takes)}", *(told(figure, ".1%") for figure in figures), given.text()]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="+", metavar="NAME=FOLDER[,FOLDER...]")
    parser.add_argument("--asr", type=Path, required=True, help="where the corpora of SLAM-ASR lie")
    asked = parser.parse_args()
    freeze_test(asked.asr)
    print(f"| | {' | '.join(COLUMNS)} |")
    print("|---|" + "---:|" * len(COLUMNS))
    for each in asked.rows:
        name, _, folders = each.partition("=")
        print(row(name, folders.split(","), asked.asr), flush=True)
