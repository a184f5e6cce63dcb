"""Cells: parts of some takes to test on, each with the takes to train on that share neither speaker nor text with it.

Speakers are dealt into groups, and so are texts; a cell is tested on one group of speakers reading one group of texts,
and trained on all others reading all others. What mixes the two is left out of it. Every take is tested in one cell,
also where everybody has read everything.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalogs.ids import seed_of
from training.probing.pairing import Flags, Places


@dataclass(frozen=True, slots=True)
class Cell:
    """Indices of takes to train on, in which both kinds are, and of those to test on."""

    train: Places
    test: Places


@dataclass(frozen=True, slots=True)
class Grid:
    """Which group the speaker of each take is in, and which one its text (N,), and which takes are synthetic (N,)."""

    speakers: Places
    texts: Places
    is_synthetic: Flags

    @classmethod
    def of(cls, speakers: Sequence[str], texts: Sequence[str], is_synthetic: Flags, *, groups: int) -> "Grid":
        """Deal speakers, those of each kind apart, and texts into so many groups, or fewer if they are fewer."""
        of_speaker: dict[str, int] = {}
        kinds = [
            [s for s, kind in zip(speakers, is_synthetic, strict=True) if kind == which] for which in (False, True)
        ]
        number = max(1, min(groups, *(len(set(kind)) for kind in kinds)))
        for kind in kinds:
            of_speaker = _dealt(kind, number) | of_speaker  # a name of both kinds stays where it was
        of_text = _dealt(texts, min(groups, len(set(texts))))
        return cls(
            np.array([of_speaker[name] for name in speakers], np.int64),
            np.array([of_text[text] for text in texts], np.int64),
            is_synthetic,
        )

    def cells(self) -> list[Cell]:
        """All cells that can be trained; there may be none."""
        found = [
            Cell(np.flatnonzero(outside), np.flatnonzero(inside))
            for speakers in np.unique(self.speakers)
            for texts in np.unique(self.texts)
            for inside in [(self.speakers == speakers) & (self.texts == texts)]
            for outside in [(self.speakers != speakers) & (self.texts != texts)]
        ]
        return [cell for cell in found if len(cell.test) and self._has_both(cell.train)]

    def diagonal(self) -> list[Cell]:
        """Cells of which no two share a group, as few as cover all groups once, with both kinds also in the test."""
        one_each = [cell for cell in self.cells() if self.speakers[cell.test[0]] == self.texts[cell.test[0]]]
        return [cell for cell in one_each if self._has_both(cell.test)]

    def _has_both(self, places: Places) -> bool:
        return bool(self.is_synthetic[places].any() and not self.is_synthetic[places].all())


def text_folds(texts: Sequence[str], is_synthetic: Flags, *, groups: int) -> list[Cell]:
    """Cells (at most ``groups``) that hold out texts alone: for takes of one kind that nobody in particular has spoken.

    Real speakers are then in training and test, so that takes are told apart somewhat better than among strangers.
    """
    of_text = _dealt(texts, min(groups, len(set(texts))))
    group = np.array([of_text[text] for text in texts], np.int64)
    found = [Cell(np.flatnonzero(group != number), np.flatnonzero(group == number)) for number in np.unique(group)]
    return [cell for cell in found if len(set(is_synthetic[cell.train].tolist())) == 2]


def _dealt(names: Sequence[str], groups: int) -> dict[str, int]:
    """Names into groups of about as many takes, those with many first; ties by an order drawn once and for all."""
    counts = Counter(names)
    sizes = [0] * groups
    dealt = {}
    for name in sorted(counts, key=lambda name: (-counts[name], seed_of(name), name)):
        dealt[name] = sizes.index(min(sizes))
        sizes[dealt[name]] += counts[name]
    return dealt
