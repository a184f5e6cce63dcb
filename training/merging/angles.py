"""Angles between task vectors: of all of a vector, of single layers, of single kinds of parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

from torch import Tensor

from catalogs.errors import SynthgenError
from catalogs.records import TaskVector
from training.merging.registry import vectors_in, weights_of
from training.merging.vectors import Weights, cosine, grouped


@dataclass(frozen=True, slots=True)
class CosineRow:
    """The cosine between a part of two vectors, known by their names and ids; None if either part is 0.

    ``part`` is "" for all, "layer=..." or "kind=...".
    """

    part: str
    one: str
    one_id: str
    other: str
    other_id: str
    cosine: float | None


@dataclass(frozen=True, slots=True)
class Registered:
    """The vectors of a corpus, the cosines of every two of one base, and which cannot be computed any more, and why."""

    vectors: tuple[TaskVector, ...]
    cosines: tuple[CosineRow, ...]
    gone: Mapping[str, str]


def registered(corpus: Path, *, models_in: Path | None = None) -> Registered:
    """The vectors of a corpus, and how they lie to each other; their models are loaded, those of a difference once.

    All vectors are in memory at once. ``models_in`` leaves only differences of models in that folder.

    Raises:
        CorpusMissing: if there is none.
    """
    known = [row for row in vectors_in(corpus) if models_in is None or _is_between_models_in(models_in, row)]
    found: dict[str, dict[str, Tensor]] = {}
    gone: dict[str, str] = {}
    for row in known:
        try:
            found[row.id] = weights_of(row, known, found)
        except SynthgenError as error:
            gone[row.name] = str(error)
    rows = [row for row in known if row.id in found]
    return Registered(tuple(known), tuple(cosines(rows, found)), gone)


def _is_between_models_in(folder: Path, row: TaskVector) -> bool:
    return row.real is not None and Path(row.real).resolve().is_relative_to(folder.resolve())


def cosines(rows: Sequence[TaskVector], weights: Mapping[str, Weights]) -> list[CosineRow]:
    """A row for every two vectors of one base, and each with itself: all, then layer by layer, then kind by kind."""
    found = []
    for part_of in ("", "layer", "kind"):
        for one, other in combinations_with_replacement(rows, 2):
            if one.base_id == other.base_id:
                found += _between(one, other, weights, by=part_of)
    return found


def _between(one: TaskVector, other: TaskVector, weights: Mapping[str, Weights], *, by: str) -> list[CosineRow]:
    ours, theirs = weights[one.id], weights[other.id]
    parts = {f"{by}={name}": names for name, names in grouped(ours, by).items()} if by else {"": list(ours)}
    return [
        CosineRow(part, one.name, one.id, other.name, other.id, cosine(ours, theirs, names))
        for part, names in parts.items()
    ]
