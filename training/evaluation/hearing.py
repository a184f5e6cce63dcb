"""What a recogniser hears in a release: hypotheses, kept in its corpus. The same command hears only what is missing."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalogs.catalog import Catalog
from catalogs.errors import AudioError
from catalogs.lake import query
from catalogs.progress import Progress
from catalogs.records import Evaluation, Failure, Hypothesis, Release, Slot, Understanding
from catalogs.stage import Outcome, batched, one_by_one
from catalogs.text import NORMALISER
from training.answering import Answer
from training.evaluation.recogniser import Recogniser
from training.evaluation.references import Reference
from training.evaluation.scoring import score
from training.evaluation.understanding import understanding
from training.labels import Labels
from training.members import Wave, waves_of

STAGE = "evaluate"
BATCH_S, BATCH_TAKES = 600.0, 32
"""What is heard at once: seconds of audio, padding included, and takes. A model's weights are read once for all."""
FLUSH_S = 15.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An evaluation, its hypotheses by the order of their references, and what could not be heard.

    ``understandings`` are those of all takes, if the recogniser answers with labels.
    """

    evaluation: Evaluation
    hypotheses: list[Hypothesis]
    failures: list[Failure]
    understandings: list[Understanding]


def hear(
    recogniser: Recogniser, references: Sequence[Reference], *, catalog: Catalog, release: Release, progress: Progress
) -> Heard:
    """Hear what was not heard yet; a take that cannot be heard is a failure, and is tried again next time.

    What was heard when errors were counted with another normaliser is held against its reference once more.

    Raises:
        SynthgenError: if the recogniser cannot be prepared.
    """
    evaluation = Evaluation.new(
        recogniser_id=recogniser.id,
        recogniser=recogniser.name,
        release_id=release.id,
        decoding=recogniser.decoding,
        normaliser=NORMALISER,
    )
    catalog.add([evaluation])
    _keep(catalog, *_scored_anew(catalog, evaluation, references))
    known = {row.take_id for row in hypotheses_of(catalog, evaluation)}
    missing = [reference for reference in references if reference.member.take_id not in known]
    failures: list[Failure] = []
    if missing:
        sound, failures = _prepared(recogniser, missing, progress)
        catalog.add(failures)
        progress.start(f"{recogniser.name} hears", len(sound))
        failures += _hear(recogniser, sound, evaluation=evaluation, catalog=catalog, progress=progress)
        progress.finish()
    stored = {row.take_id: row for row in hypotheses_of(catalog, evaluation)}
    asked = [reference.member.take_id for reference in references]
    hypotheses = [stored[take_id] for take_id in asked if take_id in stored]
    return Heard(evaluation, hypotheses, failures, understandings_of(catalog, evaluation))


def hypotheses_of(catalog: Catalog, evaluation: Evaluation) -> list[Hypothesis]:
    """All hypotheses of an evaluation, by take."""
    rows = catalog.lake.table(query("evaluation_hypotheses"), evaluation_id=evaluation.id).to_pylist()
    lists = ("missed_slots", "missed_entities")
    return [Hypothesis(**row | {name: tuple(row[name]) for name in lists}) for row in rows]


def understandings_of(catalog: Catalog, evaluation: Evaluation) -> list[Understanding]:
    """All understandings of an evaluation, by take; none of a recogniser that transcribes alone."""
    rows = catalog.lake.table(query("evaluation_understandings"), evaluation_id=evaluation.id).to_pylist()
    return [Understanding(**row | {"found": tuple(Slot(**each) for each in row["found"])}) for row in rows]


def batches(references: Sequence[Reference]) -> Iterator[list[Reference]]:
    """References of like length, at least one and at most as many as may be heard at once."""
    batch: list[Reference] = []
    for reference in sorted(references, key=lambda r: (r.member.duration_s, r.member.take_id)):
        is_full = len(batch) == BATCH_TAKES or (len(batch) + 1) * reference.member.duration_s > BATCH_S
        if batch and is_full:
            yield batch
            batch = []
        batch.append(reference)
    if batch:
        yield batch


def _prepared(
    recogniser: Recogniser, references: Sequence[Reference], progress: Progress
) -> tuple[list[Reference], list[Failure]]:
    """Prepare a recogniser for all, or, if the audio of some is missing or damaged, for the others."""
    try:
        recogniser.prepare([reference.member for reference in references], progress)
    except AudioError:
        sound: list[Reference] = []
        failures: list[Failure] = []
        for batch in batched(references, BATCH_TAKES):
            found, failed = one_by_one(_waves, batch, stage=STAGE, subject=lambda reference: reference.member.take_id)
            sound += [reference for reference, _ in found]
            failures += failed
        recogniser.prepare([reference.member for reference in sound], progress)
        return sound, failures
    return list(references), []


def _waves(references: Sequence[Reference]) -> list[Wave]:
    return waves_of([reference.member for reference in references])


def _scored_anew(
    catalog: Catalog, evaluation: Evaluation, references: Sequence[Reference]
) -> tuple[list[Hypothesis], list[Understanding]]:
    known = {row.take_id for row in hypotheses_of(catalog, evaluation)}
    rows = catalog.lake.table(query("evaluation_answers_before"), evaluation_id=evaluation.id).to_pylist()
    before = {row["take_id"]: _answer(row) for row in rows if row["take_id"] not in known}
    there = [(each, before[each.member.take_id]) for each in references if each.member.take_id in before]
    understood = [understanding(evaluation.id, reference.member, answer) for reference, answer in there]
    return [score(evaluation.id, *each) for each in there], [row for row in understood if row]


def _answer(row: Mapping[str, Any]) -> Answer:
    labels = Labels(row["intent"], tuple(Slot(**each) for each in row["found"])) if row["is_understood"] else None
    return Answer(row["take_id"], row["text"], 0, hit_limit=row["hit_limit"], labels=labels)


def _hear(
    recogniser: Recogniser,
    missing: Sequence[Reference],
    *,
    evaluation: Evaluation,
    catalog: Catalog,
    progress: Progress,
) -> list[Failure]:
    by_take = {reference.member.take_id: reference for reference in missing}
    pending: list[Hypothesis] = []
    understood: list[Understanding] = []
    failures: list[Failure] = []
    since = time.monotonic()
    for batch in batches(missing):
        members = [reference.member for reference in batch]
        found, failed = one_by_one(recogniser.transcribe, members, stage=STAGE, subject=lambda member: member.take_id)
        pending += [score(evaluation.id, by_take[member.take_id], answer) for member, answer in found]
        understood += [row for member, answer in found if (row := understanding(evaluation.id, member, answer))]
        failures += failed
        progress.receive(Outcome(items=len(batch), failures=failed))
        if time.monotonic() - since > FLUSH_S:
            _keep(catalog, pending, understood)
            pending, understood, since = [], [], time.monotonic()
    _keep(catalog, pending, understood)
    catalog.add(failures)
    return failures


def _keep(catalog: Catalog, hypotheses: Sequence[Hypothesis], understood: Sequence[Understanding]) -> None:
    """Understandings come first: what has a hypothesis is not heard again."""
    catalog.add(understood)
    catalog.add(hypotheses)
