"""What is measured of a row: two evaluations, which the corpora keep, and answers and perplexity, kept beside it.

What is kept is of weights and of readings, both by content: a row that is trained anew, or questions that others read,
are measured anew.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.jstip.data import HELD_OUT, QUESTIONS, SPOKEN
from benchmarks.slam_asr.rows import TEST
from catalogs.audio import hash_file
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


def measured(folder: Path, kept: Path, *, asr: Path, work: Path, threads: int) -> Measured:
    """Measure what is missing of a training; ``kept`` is the file of its answers and its perplexity.

    Raises:
        RuntimeError: if takes could not be heard.
        DataLeak: if training has had what it is asked.
    """
    torch.set_num_threads(threads)
    orders = _heard(folder, EvaluationConfig(asr / "test", TEST, only_unseen=True))
    biomedical = _heard(folder, EvaluationConfig(work / SPOKEN, "biomedical"))
    answers, texts = work / QUESTIONS, work / HELD_OUT
    of = measured_of(folder, work)
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    if known.get("of") != of:
        answered = ask(folder, work / SPOKEN, ASKED, answers, progress=Progress())
        weighed = perplexity(folder, texts, progress=Progress())
        found = {"of": of, "answered": asdict(answered), "perplexity": asdict(weighed)}
        known = _keep(kept, found)
    return Measured(orders, biomedical, _answered(known["answered"]), Perplexity(**known["perplexity"]))


def measured_of(folder: Path, work: Path) -> Id:
    """What answers and perplexity are of: the weights, who reads the questions, how they are put, and the texts.

    Raises:
        TrainingError: if there is no checkpoint.
        ReleaseError: if nobody has read the questions.
    """
    found = checkpoint.load(folder)
    with Catalog.open(work / SPOKEN) as catalog:
        read = release_named(catalog, ASKED)
    files = [(work / name).read_text(encoding="utf-8") for name in (QUESTIONS, HELD_OUT)]
    weights = hash_file(found.folder / checkpoint.TRAINED)
    return content_id("jstip answers", str(found.provenance["training"]), weights, read.id, TEMPLATE.order, *files)


def _heard(folder: Path, config: EvaluationConfig) -> Id:
    (system,) = evaluate([str(folder)], config, progress=Progress()).systems
    if system.failures:
        raise RuntimeError(f"{folder}: {system.failures[0].message}")
    return system.evaluation_id


def _keep(path: Path, found: Mapping[str, Any]) -> dict[str, Any]:
    """Write as a whole or not at all; gives what a later run will read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1)
    beside = path.with_suffix(".tmp")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)
    read: dict[str, Any] = json.loads(text)
    return read


def _answered(table: Mapping[str, Any]) -> Answered:
    intervals = {key: Interval(**value) for key, value in table.items() if isinstance(value, Mapping)}
    readings = tuple(Reading(**each) for each in table["readings"])
    return Answered(**{**table, **intervals, "readings": readings})
