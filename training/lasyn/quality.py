"""How good made latents are: whether they are heard as their text, and whether they are like real ones.

Of real takes of texts that training has not had, the texts are made into latents, and both are held against each other.

<checkpoint>/latents/<release>[-<split>]-<the first eight digits of its id>/
latents.json    what was measured with what
figures.jsonl   a row for each figure of each kind of latents

What was heard by another guide, or made of other takes or texts, has another id, and so another folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from catalogs.audio import hash_file
from catalogs.errors import DataLeak, ReleaseError
from catalogs.ids import Id, content_id, seed_of
from catalogs.progress import Progress
from catalogs.records import Release
from catalogs.text import normalise
from training import checkpoint
from training.checkpoint import TRAINED, Checkpoint
from training.data import TextsConfig, read_data
from training.evaluation.leaks import Marks, had_by, overlaps, refuse
from training.lasyn.likeness import QualityRow, errors_of, likeness
from training.lasyn.pairs import guide_of, maker_of, reader_of
from training.lasyn.recogniser import GUIDE_FROM
from training.members import Member
from training.probing.keeping import keep_about, keep_rows
from training.probing.pairing import release_at

ABOUT, FIGURES = "latents.json", "figures.jsonl"
VERSION = 3
"""Raised whenever the same takes and texts give other rows than before."""

FEWEST = 4
"""Texts without which there are no two halves with a spread."""


@dataclass(frozen=True, slots=True)
class QualityConfig:
    """A release of real takes, written CORPUS/RELEASE, or one split of it; at most ``takes`` are heard, each of a text.

    ``texts`` is a file of further ones, as `training.data` reads it; ``guide`` the folder of a guide, None the one of
    the training. Texts are dealt into ``groups`` for the probe.
    """

    real: str
    split: str | None = None
    texts: Path | None = None
    guide: Path | None = None
    takes: int = 200
    only_unseen: bool = False
    groups: int = 5
    replicates: int = 1000

    def __post_init__(self) -> None:
        if self.takes < FEWEST or self.groups < 2 or self.replicates < 1:
            raise ValueError(f"latents: expected takes from {FEWEST}, groups from 2, and replicates from 1")


@dataclass(frozen=True, slots=True)
class About:
    """What was measured with what.

    ``left_out`` takes and ``left_out_texts`` of the file were known from training, ``unread`` of both have no
    pronunciation.
    """

    id: Id
    checkpoint: str
    step: int
    training: Id
    method: str
    guide: str
    guide_training: Id
    real: Id
    split: str | None
    num_takes: int
    num_speakers: int
    num_texts: int
    hears_voices: bool
    left_out: int
    left_out_texts: int
    unread: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it, and the folder it is kept in."""

    folder: Path
    about: About
    rows: tuple[QualityRow, ...]


def quality(folder: Path, config: QualityConfig, *, progress: Progress) -> Report:
    """Measure the latents that the synthesiser of a checkpoint, or of the last one of a training, makes.

    Raises:
        TrainingError: if it is no synthesiser's, or something is not in English.
        UsageError: if a release is not written CORPUS/RELEASE, or nobody is there to hear.
        ReleaseError: if there is no such release, or too few real takes in it.
        DataLeak: if training, or that of the guide, has had takes, speakers or texts of it, or nobody can tell.
    """
    found = checkpoint.load(folder)
    guide = guide_of(found, config.guide)
    asked = _asked(found, config, progress)
    maker = maker_of(found, guide, key="--guide" if config.guide else f"{GUIDE_FROM} of {found.folder}")
    progress.note(maker.reader.look_over([*asked.takes, *asked.texts]))
    pairs = maker.pairs(asked.takes, progress)
    rows = list(likeness(maker, pairs, groups=config.groups, number=config.replicates))
    if texts := asked.texts:
        voices = torch.stack([pairs[place % len(pairs)].real.mean(dim=0) for place in range(len(texts))])
        rows += errors_of("texts", texts, maker.answers(texts, maker.made(texts, voices)), number=config.replicates)
    guiding = checkpoint.load(Path(guide))
    about = About(
        id=_id(found, guiding, asked, config),
        checkpoint=str(found.folder), step=found.position.step, training=found.provenance["training"],
        method=found.provenance["recipe"]["objective"]["method"], hears_voices=maker.hears_voices,
        guide=guide, guide_training=guiding.provenance["training"], real=asked.release.id, split=config.split,
        num_takes=len(asked.takes), num_speakers=len({m.speaker for m in asked.takes}), num_texts=len(texts),
        left_out=asked.left_out, left_out_texts=asked.left_out_texts, unread=asked.unread,
    )  # fmt: skip
    name = "-".join(filter(None, (asked.release.name, config.split, about.id[:8])))
    report = Report(found.folder / "latents" / name, about, tuple(rows))
    keep_about(report.folder / ABOUT, about)
    keep_rows(report.folder / FIGURES, rows)
    return report


class _Asked(NamedTuple):
    """The release, its takes and the further texts to make latents of, and how many were left out; see `About`."""

    release: Release
    takes: list[Member]
    texts: list[Member]
    left_out: int
    left_out_texts: int
    unread: int


def _asked(found: Checkpoint, config: QualityConfig, progress: Progress) -> _Asked:
    """What there is to be measured with; what has no pronunciation is noted."""
    release, members = release_at(config.real, split=config.split)
    had = [had_by(found.folder), *([had_by(config.guide)] if config.guide else [])]
    unseen, left_out = _unseen(members, had, release, config)
    unseen_texts, left_out_texts = _texts(config.texts, had)
    reader = reader_of(found)
    (takes, untold), (texts, untold_texts) = reader.pronounced(unseen), reader.pronounced(unseen_texts)
    for told in filter(None, (untold, untold_texts)):
        progress.note(told)
    unread = len(unseen) - len(takes) + len(unseen_texts) - len(texts)
    return _Asked(release, _chosen(takes, release, config), texts, left_out, left_out_texts, unread)


def _id(found: Checkpoint, guide: Checkpoint, asked: _Asked, config: QualityConfig) -> Id:
    """The hash of all that the rows depend on: synthesiser, guide, the takes and the further texts, and settings."""
    made_with = [(each.provenance["training"], hash_file(each.folder / TRAINED)) for each in (found, guide)]
    heard = ([take.take_id for take in asked.takes], [text.spoken for text in asked.texts])
    return content_id(
        "latents", VERSION, made_with, (asked.release.id, config.split, *heard), config.groups, config.replicates
    )


def one_a_text(members: Sequence[Member], *, most: int) -> list[Member]:
    """One take of each text, at most so many; takes and texts in an order that is drawn once and for all."""
    by_text: dict[str, Member] = {}
    for member in sorted(members, key=lambda m: (seed_of(m.take_id), m.take_id)):
        if text := normalise(member.spoken, member.language):
            by_text.setdefault(text, member)
    return [by_text[text] for text in sorted(by_text, key=lambda text: (seed_of(text), text))[:most]]


def _unseen(
    members: Sequence[Member], had: Sequence[Marks], release: Release, config: QualityConfig
) -> tuple[list[Member], int]:
    """The real takes that training has not had, and how many were left out because it has had them."""
    real = [member for member in members if not member.is_synthetic]
    found = [overlap for marks in had for overlap in overlaps(real, marks)]
    if not config.only_unseen:
        refuse(found, release=release.name, num_takes=len(real))
    leaked = {take_id for overlap in found for take_id in overlap.take_ids}
    return [member for member in real if member.take_id not in leaked], len(leaked)


def _chosen(unseen: Sequence[Member], release: Release, config: QualityConfig) -> list[Member]:
    """The real takes to hear, of those that training has not had and that can be read."""
    chosen = one_a_text(unseen, most=config.takes)
    if len(chosen) < FEWEST:
        raise ReleaseError(
            f"release {release.name!r} has {len(unseen):,} real takes, and {len(chosen)} texts of them, that can be "
            f"read and that training has not had: expected {FEWEST} at least, and some dozens for figures that mean "
            "something"
        )
    return chosen


def _texts(file: Path | None, had: Sequence[Marks]) -> tuple[list[Member], int]:
    """The texts of a file, each once, and how many were left out because training has had them.

    Raises:
        TrainingError: if there is no such file, or no text in it.
        DataLeak: if training has had them all.
    """
    if file is None:
        return [], 0
    _, read = read_data(TextsConfig(str(file)))
    members = list({member.take_id: member for member in read}.values())
    leaked = {take_id for marks in had for overlap in overlaps(members, marks) for take_id in overlap.take_ids}
    if len(leaked) == len(members):
        raise DataLeak(f"all {len(members):,} texts of {file} are known from training; name a file of other ones")
    return [member for member in members if member.take_id not in leaked], len(leaked)
