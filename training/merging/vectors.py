"""Weights by name, in float32: differences of models, their sums, norms and angles.

A vector is all parameters of a model taken together; a parameter that a model has twice (tied weights) is in it once,
and buffers are not in it, as in a checkpoint.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import hypot
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Weights: TypeAlias = Mapping[str, Tensor]
"""Parameters by name."""

_AT_ONCE = 2**20
"""Entries of a parameter that products are computed of at once."""
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks|block)\.(\d+)(?:\.|$)")
_KINDS = (
    ("projector", re.compile(r"^projector\.")),
    ("norm", re.compile(r"norm|\bln_")),
    ("attention", re.compile(r"attn|attention")),
    ("mlp", re.compile(r"mlp|\bfc\d|feed_forward")),
    ("embedding", re.compile(r"embed|\bwte\b|\bwpe\b")),
    ("convolution", re.compile(r"conv")),
)
"""Kinds of parameters, and what is in their names; the first that fits is it."""


def difference(of: Weights, less: Weights) -> dict[str, Tensor]:
    """The one less the other, by name in order, float32."""
    return {name: of[name].float() - less[name].float() for name in sorted(of)}


def total(vectors: Sequence[Weights]) -> dict[str, Tensor]:
    """Their sum, in the order given: in float32 that of a sum makes a difference."""
    found = {name: tensor.clone() for name, tensor in vectors[0].items()}
    for vector in vectors[1:]:
        for name, tensor in found.items():
            tensor += vector[name]
    return found


def scaled(vector: Weights, by: float) -> dict[str, Tensor]:
    """Every parameter times a number."""
    return {name: tensor * by for name, tensor in vector.items()}


def norm(vector: Weights, names: Iterable[str] | None = None) -> float:
    """The Euclidean norm of all parameters together, or of those named; sums are float64."""
    chosen = vector if names is None else names
    return hypot(*(float(torch.linalg.vector_norm(vector[name], dtype=torch.float64)) for name in chosen))


def inner_products(vectors: Sequence[Weights]) -> dict[str, NDArray[np.float64]]:
    """The inner products of N vectors with each other, parameter by parameter: (N, N), in float64."""
    found = {}
    for name in vectors[0]:
        flat = [vector[name].reshape(-1) for vector in vectors]
        products = torch.zeros(len(flat), len(flat), dtype=torch.float64)
        for start in range(0, len(flat[0]), _AT_ONCE):
            piece = torch.stack([each[start : start + _AT_ONCE].double() for each in flat])
            products += piece @ piece.T
        found[name] = products.numpy()
    return found


def orthogonal(vector: Weights, to: Weights) -> dict[str, Tensor]:
    """A vector without its part along another, of all parameters taken together, float32; as it is, if that is 0."""
    length = norm(to)
    if not length:
        return dict(vector)
    share = sum(float((vector[name].double() * to[name].double()).sum()) for name in to) / length / length
    return {name: (tensor.double() - share * to[name].double()).float() for name, tensor in vector.items()}


def layer_of(name: str) -> str:
    """The layer that a parameter belongs to, stack and number ("model.decoder.layers.3"), or the module's own name."""
    found = _LAYER.search(name)
    return name[: found.end(1)] if found else name.rpartition(".")[0] or name


def index_of(name: str) -> int | None:
    """The number of the layer that a parameter belongs to, from 0; None if it belongs to none."""
    found = _LAYER.search(name)
    return int(found[1]) if found else None


def kind_of(name: str) -> str:
    """What a parameter does: "attention", "mlp", "norm", "embedding", "convolution", "projector" or "other"."""
    return next((kind for kind, pattern in _KINDS if pattern.search(name)), "other")


def grouped(names: Iterable[str], by: str) -> dict[str, list[str]]:
    """Names of parameters by "layer" or by "kind", in the order in which these first come."""
    part_of = {"layer": layer_of, "kind": kind_of}[by]
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(part_of(name), []).append(name)
    return found


def is_finite(vector: Weights) -> bool:
    """Whether all numbers in it are some."""
    ends = [end for tensor in vector.values() if tensor.numel() for end in torch.aminmax(tensor)]
    return all(bool(torch.isfinite(end)) for end in ends)
