"""The evaluation of a recogniser on a release: leaks refused, what is missing heard, all of it in figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalogs.catalog import Catalog
from catalogs.errors import DataLeak, ReleaseError
from catalogs.ids import Id
from catalogs.progress import Progress
from catalogs.records import Failure, Release
from catalogs.release import release_named
from training.evaluation.comparing import Answers, Comparison, compare_systems
from training.evaluation.figures import Subset, subsets
from training.evaluation.hearing import Heard, hear
from training.evaluation.leaks import had_by, overlaps, refuse
from training.evaluation.naming import checkpoint_folder, recogniser_named
from training.evaluation.references import Reference, references_of
from training.evaluation.resampling import REPLICATES


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What to evaluate on: a release, or one split of it; ``by`` are columns of ``takes`` to slice by.

    ``only_unseen`` leaves out what training has had, where otherwise there would be no evaluation.
    """

    corpus: Path
    release: str
    split: str | None = None
    by: tuple[str, ...] = ()
    beams: int = 1
    only_unseen: bool = False
    replicates: int = REPLICATES

    def __post_init__(self) -> None:
        if self.beams < 1 or self.replicates < 1:
            raise ValueError("evaluation.beams and evaluation.replicates must be at least 1")


@dataclass(frozen=True, slots=True)
class System:
    """One recogniser: its evaluation in the catalog, its figures, and the takes that it could not hear.

    ``is_guarded``: it is known what it was trained on, and that is not in the figures.
    """

    name: str
    evaluation_id: Id
    recogniser_id: Id
    decoding: str
    is_guarded: bool
    subsets: tuple[Subset, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it; ``left_out`` takes were known from training."""

    release: str
    release_id: Id
    split: str | None
    num_takes: int
    left_out: int
    systems: tuple[System, ...]
    comparison: Comparison | None


def evaluate(names: Sequence[str], config: EvaluationConfig, *, progress: Progress) -> Report:
    """Evaluate one recogniser, or two that are compared: checkpoints' folders, or the baseline's name.

    Raises:
        DataLeak: if training has had takes, speakers or texts of the release, or nobody can tell.
        ReleaseError: if there is no such release, or nothing in the split.
        SynthgenError: if a recogniser is not to be had.
    """
    with Catalog.open(config.corpus) as catalog:  # there must be one
        release = release_named(catalog, config.release, split=config.split)
        references = references_of(catalog, release, split=config.split, by=config.by)
    if not references:
        raise ReleaseError(f"release {config.release!r} in {config.corpus} has no takes")
    unseen = _unseen(names, references, config)
    heard = [_heard(name, unseen, release, config=config, progress=progress) for name in names]
    comparison = None
    if len(heard) == 2:
        first, second = (Answers(each.hypotheses, each.understandings) for each in heard)
        comparison = compare_systems(unseen, first, second, number=config.replicates)
    return Report(
        release=release.name,
        release_id=release.id,
        split=config.split,
        num_takes=len(unseen),
        left_out=len(references) - len(unseen),
        systems=tuple(_system(name, each, unseen, config=config) for name, each in zip(names, heard, strict=True)),
        comparison=comparison,
    )


def _unseen(names: Sequence[str], references: list[Reference], config: EvaluationConfig) -> list[Reference]:
    """The references that no recogniser has had in training, which must be all of them unless it is asked otherwise."""
    for name in names:
        folder = checkpoint_folder(name)
        if folder is None:
            continue
        found = overlaps([reference.member for reference in references], had_by(folder))
        if not config.only_unseen:
            refuse(found, release=config.release, num_takes=len(references))
        leaked = {take_id for overlap in found for take_id in overlap.take_ids}
        kept = [reference for reference in references if reference.member.take_id not in leaked]
        if not kept:
            raise DataLeak(
                f"all {len(references):,} takes of release {config.release!r} are known from the training of {name}: "
                "nothing is unseen; evaluate on other texts by other speakers"
            )
        references = kept
    return references


def _heard(
    name: str, references: Sequence[Reference], release: Release, *, config: EvaluationConfig, progress: Progress
) -> Heard:
    """Rows of hypotheses are added as they are heard; that asks for no right to write the corpus alone."""
    recogniser = recogniser_named(name, beams=config.beams)
    with Catalog.create(config.corpus) as catalog:
        return hear(recogniser, references, catalog=catalog, release=release, progress=progress)


def _system(name: str, heard: Heard, references: Sequence[Reference], *, config: EvaluationConfig) -> System:
    by_take = {row.take_id: row for row in heard.hypotheses}
    there = [reference for reference in references if reference.member.take_id in by_take]
    rows = [by_take[reference.member.take_id] for reference in there]
    found = (
        subsets(there, rows, number=config.replicates, by=config.by, understood=heard.understandings) if rows else []
    )
    evaluation = heard.evaluation
    return System(
        evaluation.recogniser,
        evaluation.id,
        evaluation.recogniser_id,
        evaluation.decoding,
        is_guarded=checkpoint_folder(name) is not None,
        subsets=tuple(found),
        failures=tuple(heard.failures),
    )
