"""Real and synthetic takes of the same texts: whatever tells them apart, it is not what is said."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.errors import ReleaseError, UsageError
from catalogs.ids import seed_of
from catalogs.records import Release
from catalogs.release import release_named
from catalogs.text import normalise
from training.members import Member, members_in

Places = NDArray[np.int64]
"""Indices of takes."""

Flags = NDArray[np.bool_]
"""Something that takes are or are not."""


@dataclass(frozen=True, slots=True)
class Readings:
    """N takes, the normalised text and the speaker of each, and which are synthetic (N,)."""

    members: tuple[Member, ...]
    texts: tuple[str, ...]
    speakers: tuple[str, ...]
    is_synthetic: Flags

    @property
    def text_numbers(self) -> Places:
        """The text of each take as a number from 0, (N,)."""
        return np.unique(np.asarray(self.texts, dtype=np.str_), return_inverse=True)[1].astype(np.int64)

    def counts(self, *, synthetic: bool) -> tuple[int, int]:
        """How many takes and speakers there are of a kind."""
        of_kind = [name for name, kind in zip(self.speakers, self.is_synthetic, strict=True) if kind == synthetic]
        return len(of_kind), len(set(of_kind))


def release_at(place: str, *, split: str | None) -> tuple[Release, list[Member]]:
    """A release by its corpus and name, written CORPUS/RELEASE, and its takes, or those of one split.

    Raises:
        UsageError: if it is not written so.
        CorpusMissing: if there is no such corpus.
        ReleaseError: if there is no such release, or nothing of the split in it.
    """
    corpus, name = parts_of(place)
    with Catalog.open(corpus) as catalog:
        release = release_named(catalog, name, split=split)
        return release, members_in(catalog, release, split=split)


def parts_of(place: str) -> tuple[Path, str]:
    """The corpus and the name of a release that is written CORPUS/RELEASE.

    Raises:
        UsageError: if it is not written so.
    """
    corpus, _, name = place.rstrip("/").rpartition("/")
    if not corpus or not name:
        raise UsageError(f"{place!r} names no release: expected CORPUS/RELEASE, say corpora/orders/spoken")
    return Path(corpus).expanduser(), name


def paired(real: Sequence[Member], synthetic: Sequence[Member], *, most: int) -> Readings:
    """The real takes among the first and the synthetic ones among the second whose texts both have read.

    At most ``most`` of each kind: one reading of every text, then a second one, and so on, texts and readings in an
    order that is drawn once and for all.

    Raises:
        ReleaseError: if no text has been read by both.
    """
    kinds = [_by_text(m for m in real if not m.is_synthetic), _by_text(m for m in synthetic if m.is_synthetic)]
    shared = sorted(kinds[0].keys() & kinds[1].keys(), key=seed_of)
    if not shared:
        raise ReleaseError(
            f"no text is read by both: {sum(map(len, kinds[0].values())):,} real takes have {len(kinds[0]):,} texts, "
            f"{sum(map(len, kinds[1].values())):,} synthetic ones {len(kinds[1]):,} others; a probe needs real and "
            "synthetic readings of the same texts: synthesise the texts of the real release"
        )
    chosen = [list(_in_turns([readings[text] for text in shared]))[:most] for readings in kinds]
    members = [member for part in chosen for member in part]
    return Readings(
        members=tuple(members),
        texts=tuple(_text(member) for member in members),
        speakers=tuple(member.speaker for member in members),
        is_synthetic=np.array([member.is_synthetic for member in members]),
    )


def _by_text(members: Iterator[Member]) -> Mapping[str, list[Member]]:
    found: dict[str, list[Member]] = defaultdict(list)
    for member in sorted(members, key=lambda m: (seed_of(m.take_id), m.take_id)):
        if text := _text(member):
            found[text].append(member)
    return found


def _text(member: Member) -> str:
    return normalise(member.spoken, member.language)


def _in_turns(readings: Sequence[Sequence[Member]]) -> Iterator[Member]:
    for turn in range(max(map(len, readings))):
        yield from (of_text[turn] for of_text in readings if turn < len(of_text))
