"""What is measured of a row: two evaluations, which the corpora keep, and answers and perplexity, kept beside it.

What is kept is of weights and of readings, both by content: a row that is trained anew, or questions that others read,
are measured anew.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.jstip.data import HELD_OUT, QUESTIONS, SPOKEN
from benchmarks.kept import kept, weights_of
from benchmarks.slam_asr.rows import TEST
from catalogs.catalog import Catalog
from catalogs.ids import Id, content_id
from catalogs.progress import Progress
from catalogs.release import release_named
from training import checkpoint
from training.evaluation.perplexity import Perplexity, perplexity
from training.evaluation.questions import TEMPLATE, Answered, Reading, ask
from training.evaluation.report import EvaluationConfig, evaluate
from training.evaluation.resampling import Interval

ASKED = "questions"
"""The release whose takes read the questions."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One training: its evaluations on real orders and on biomedical sentences, its answers, and its perplexity."""

    orders: Id
    biomedical: Id
    answered: Answered
    perplexity: Perplexity


def measured(folder: Path, path: Path, *, asr: Path, work: Path, threads: int) -> Measured:
    """Measure what is missing of a training; ``path`` is the file of its answers and its perplexity.

    Raises:
        RuntimeError: if takes could not be heard.
        DataLeak: if training has had what it is asked.
    """
    torch.set_num_threads(threads)
    orders = _heard(folder, EvaluationConfig(asr / "test", TEST, only_unseen=True))
    biomedical = _heard(folder, EvaluationConfig(work / SPOKEN, "biomedical"))
    known = kept(path, measured_of(folder, work), lambda: _answers_of(folder, work))
    return Measured(orders, biomedical, _answered(known["answered"]), Perplexity(**known["perplexity"]))


def measured_of(folder: Path, work: Path) -> Id:
    """What answers and perplexity are of: the weights, who reads the questions, how they are put, and the texts.

    Raises:
        TrainingError: if there is no checkpoint.
        ReleaseError: if nobody has read the questions.
    """
    with Catalog.open(work / SPOKEN) as catalog:
        read = release_named(catalog, ASKED)
    files = [(work / name).read_text(encoding="utf-8") for name in (QUESTIONS, HELD_OUT)]
    training = str(checkpoint.load(folder).provenance["training"])
    return content_id("jstip answers", training, weights_of(folder), read.id, TEMPLATE.order, *files)


def _heard(folder: Path, config: EvaluationConfig) -> Id:
    (system,) = evaluate([str(folder)], config, progress=Progress()).systems
    if system.failures:
        raise RuntimeError(f"{folder}: {system.failures[0].message}")
    return system.evaluation_id


def _answers_of(folder: Path, work: Path) -> dict[str, Any]:
    answered = ask(folder, work / SPOKEN, ASKED, work / QUESTIONS, progress=Progress())
    weighed = perplexity(folder, work / HELD_OUT, progress=Progress())
    return {"answered": asdict(answered), "perplexity": asdict(weighed)}


def _answered(table: Mapping[str, Any]) -> Answered:
    intervals = {key: Interval(**value) for key, value in table.items() if isinstance(value, Mapping)}
    readings = tuple(Reading(**each) for each in table["readings"])
    return Answered(**{**table, **intervals, "readings": readings})
