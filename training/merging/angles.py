"""Angles between task vectors: of all of a vector, of single layers, of single kinds of parameters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalogs.errors import SynthgenError
from catalogs.ids import Id
from catalogs.records import TaskVector
from training.merging.registry import vectors_in, weights_of
from training.merging.vectors import Weights, grouped, inner_products


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
    """The vectors of a corpus, the cosines of every two of one base, and which cannot be computed any more, and why.

    Those that are ``gone`` are known by their ids: a model that was trained anew has left another of its name.
    """

    vectors: tuple[TaskVector, ...]
    cosines: tuple[CosineRow, ...]
    gone: Mapping[Id, str]


def registered(corpus: Path, *, models_in: Path | None = None) -> Registered:
    """The vectors of a corpus, and how they lie to each other; their models are loaded, those of a difference once.

    All vectors are in memory at once. ``models_in`` leaves only differences of models in that folder.

    Raises:
        CorpusMissing: if there is none.
    """
    known = [row for row in vectors_in(corpus) if models_in is None or _is_between_models_in(models_in, row)]
    found: dict[str, dict[str, Tensor]] = {}
    gone: dict[Id, str] = {}
    for row in known:
        try:
            found[row.id] = weights_of(row, known, found)
        except SynthgenError as error:
            gone[row.id] = str(error)
    rows = [row for row in known if row.id in found]
    return Registered(tuple(known), tuple(cosines(rows, found)), gone)


def _is_between_models_in(folder: Path, row: TaskVector) -> bool:
    return row.real is not None and Path(row.real).resolve().is_relative_to(folder.resolve())


def cosines(rows: Sequence[TaskVector], weights: Mapping[str, Weights]) -> list[CosineRow]:
    """A row for every two vectors of one base and of the same parameters, and each with itself.

    Rows of all parameters come first, then those layer by layer, then those kind by kind.
    """
    alike: dict[tuple[Id, frozenset[tuple[str, torch.Size]]], list[TaskVector]] = {}
    for row in rows:
        shapes = frozenset((name, tensor.shape) for name, tensor in weights[row.id].items())
        alike.setdefault((row.base_id, shapes), []).append(row)
    products = [inner_products([weights[row.id] for row in group]) for group in alike.values()]
    return [
        CosineRow(part, group[one].name, group[one].id, group[other].name, group[other].id, found)
        for by in ("", "layer", "kind")
        for group, inner in zip(alike.values(), products, strict=True)
        for part, (one, other), found in _parts(inner, by)
    ]


def _parts(products: Mapping[str, NDArray[np.float64]], by: str) -> Iterator[tuple[str, tuple[int, int], float | None]]:
    """Part of the vectors, the places of two of them, and the cosine of what they have there."""
    parts = {f"{by}={name}": names for name, names in grouped(products, by).items()} if by else {"": list(products)}
    for part, names in parts.items():
        inner = np.sum([products[name] for name in names], axis=0)
        lengths = np.sqrt(np.diag(inner))
        for one, other in combinations_with_replacement(range(len(inner)), 2):
            both = float(lengths[one] * lengths[other])
            yield part, (one, other), max(-1.0, min(1.0, float(inner[one, other]) / both)) if both else None
