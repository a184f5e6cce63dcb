"""What training knows of a release's takes before it hears them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.audio import AudioStore, Place
from catalogs.catalog import Catalog
from catalogs.errors import AudioError, TrainingError
from catalogs.flac import decode
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Release
from catalogs.release import release_named
from catalogs.signal import resample, to_float32
from training.labels import UNLABELLED, Labels, labels_in

RATE_HZ = 16_000

Wave: TypeAlias = NDArray[np.float32]
"""Mono samples (n,) at 16 kHz, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class Member:
    """One take of a release: where its audio lies, what is said in it and meant by it, and whose it is.

    A text alone has no ``place``, and no hash of samples; see `training.data`.
    """

    take_id: Id
    text: str
    spoken: str
    language: str
    is_synthetic: bool
    speaker: str
    domain: str
    split: str
    pcm_sha256: str
    duration_s: float
    corpus: Path
    place: Place | None
    labels: Labels = UNLABELLED


@dataclass(frozen=True, slots=True)
class DataConfig:
    """A release to train on, or one split of it (None is all of it); takes longer than ``max_s`` are left out."""

    corpus: str
    release: str
    split: str | None = "train"
    max_s: float = 30.0

    def __post_init__(self) -> None:
        if self.max_s <= 0:
            raise ValueError("data.max_s must be positive")

    def __str__(self) -> str:
        """What it is, for people."""
        return f"release {self.release!r} of {self.corpus}"


def members_of(config: DataConfig) -> tuple[Release, list[Member]]:
    """The release and those of its members that are asked for, in the order of their ids.

    Raises:
        CorpusMissing: if there is no such corpus.
        ReleaseError: if there is no such release, or nothing of the split in it.
        TrainingError: if nothing is left of it.
    """
    release, found = all_members_of(config)
    return release, short_enough(found, config)


def all_members_of(config: DataConfig) -> tuple[Release, list[Member]]:
    """The same, whatever their length. Raises as `members_of` does, but for what is too long."""
    with Catalog.open(Path(config.corpus).expanduser()) as catalog:
        release = release_named(catalog, config.release, split=config.split)
        return release, members_in(catalog, release, split=config.split)


def short_enough(members: Sequence[Member], config: DataConfig) -> list[Member]:
    """Those of a table's members that are not too long for it.

    Raises:
        TrainingError: if there are none.
    """
    fit = [member for member in members if member.duration_s <= config.max_s]
    if not members:
        raise TrainingError(f"the {config} has no takes: there is nothing to hear")
    if not fit:
        of_split = f" of split {config.split!r}" if config.split else ""
        raise TrainingError(
            f"the {config} has {len(members):,} takes{of_split}, and none of at most max_s = {config.max_s:g} s: there "
            "is nothing to hear"
        )
    return fit


def members_in(catalog: Catalog, release: Release, *, split: str | None) -> list[Member]:
    """The members of a release, or those of one split, in the order of their ids; there may be none."""
    rows = catalog.lake.table(query("training_members"), release_id=release.id, split=split).to_pylist()
    return [_member(row, catalog.folder) for row in rows]


def members_streamed(catalog: Catalog, release: Release, *, split: str | None) -> Iterator[Member]:
    """The same, one after the other in flat memory."""
    rows = catalog.stream(query("training_members"), release_id=release.id, split=split)
    return (_member(row, catalog.folder) for row in rows)


def _member(row: Mapping[str, Any], corpus: Path) -> Member:
    return Member(
        take_id=row["take_id"],
        text=row["text"],
        spoken=row["spoken"] or row["text"],
        language=row["language"],
        is_synthetic=row["origin"] == "synthetic",
        speaker=row["voice"],
        domain=row["domain"] or "",
        split=row["split"],
        pcm_sha256=row["pcm_sha256"],
        duration_s=row["num_samples"] / row["sample_rate_hz"],
        corpus=corpus,
        place=Place(row["shard"], row["offset"], row["num_bytes"]),
        labels=labels_in(row["intent"], row["slots"], row["entities"]),
    )


def waves_of(members: Sequence[Member]) -> list[Wave]:
    """The audio of some members, mono float32 at 16 kHz.

    Raises:
        AudioError: if a take's audio is missing or damaged.
        TrainingError: for a text alone.
    """
    stores = {folder: AudioStore(folder / "audio") for folder in {member.corpus for member in members}}
    waves = []
    for member in members:
        if member.place is None:
            raise TrainingError(f"{member.text[:60]!r} is a text alone, and this method needs to hear it")
        try:
            pcm, rate_hz = decode(stores[member.corpus].read(member.place))
        except AudioError as error:
            raise AudioError(f"take {member.take_id} of {member.corpus}: {error}") from error
        waves.append(resample(to_float32(pcm), from_hz=rate_hz, to_hz=RATE_HZ))
    return waves
