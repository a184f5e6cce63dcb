"""Adapters of LoRA as the differences that they stand for, and back.

An adapter adds ``gain * B @ A`` to a weight that stays frozen, gain = alpha / r. A and B mean nothing apart from each
other: the mean of two A times the mean of two B is not the mean of their products. So arithmetic is done on the
products, (out, in), and what comes of it is split again into the best pair of a rank (Eckart and Young 1936).

r rank · out, in the sides of the adapted weight
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from training.merging.vectors import Weights, norm

_PAIR = re.compile(r"^(?P<place>.+)\.lora_(?P<side>[AB])(?P<adapter>\.\w+)?\.weight$")


@dataclass(frozen=True, slots=True)
class Pair:
    """The names of an adapter's parameters: A (r, in) and B (out, r)."""

    a: str
    b: str


@dataclass(frozen=True, slots=True)
class Split:
    """A model's weights with its adapters split again, and what of them was lost: a share of their norm."""

    weights: dict[str, Tensor]
    lost: float


def pairs_in(weights: Weights) -> dict[str, Pair]:
    """The adapters of a model, by the name that their product gets.

    Raises:
        TrainingError: for an A without its B, or a B without its A.
    """
    sides: dict[str, dict[str, str]] = {}
    for name in sorted(weights):
        if found := _PAIR.match(name):
            sides.setdefault(f"{found['place']}.weight", {})[found["side"]] = name
    for product, found_sides in sides.items():
        if len(found_sides) < 2 or product in weights:
            raise TrainingError(f"{next(iter(found_sides.values()))} is half of an adapter; the checkpoint is damaged")
    return {product: Pair(found["A"], found["B"]) for product, found in sides.items()}


def dense(weights: Weights, gain: float) -> dict[str, Tensor]:
    """A model's weights in float32, with the product gain * B @ A, (out, in), in the place of every adapter."""
    pairs = pairs_in(weights)
    halves = {half for pair in pairs.values() for half in (pair.a, pair.b)}
    found = {name: tensor.float() for name, tensor in weights.items() if name not in halves}
    products = {name: gain * (weights[p.b].float() @ weights[p.a].float()) for name, p in pairs.items()}
    return found | products


def split(merged: Weights, like: Weights, *, before: Weights, rank: int | None, gain: float) -> Split:
    """Split every product again into a pair of this rank, for the same gain; None is the rank that ``like`` has.

    ``like`` is the model whose adapters they were, ``before`` the same with its products. An adapter of which nothing
    has changed is kept as it is, with zeros for the ranks that it gets more.
    """
    pairs = pairs_in(like)
    found = {name: tensor for name, tensor in merged.items() if name not in pairs}
    whole: dict[str, Tensor] = {}
    lost: dict[str, Tensor] = {}
    for product, pair in pairs.items():
        size = rank or len(like[pair.a])
        if torch.equal(merged[product], before[product]) and size >= len(like[pair.a]):
            a, b = _widened(like[pair.a], like[pair.b], size)
        else:
            a, b = best_pair(merged[product], rank=size, gain=gain)
        whole[product], lost[product] = merged[product], merged[product] - gain * (b.float() @ a.float())
        found |= {pair.a: a, pair.b: b}
    of_all = norm(whole)
    return Split(found, norm(lost) / of_all if of_all else 0.0)


def best_pair(product: Tensor, *, rank: int, gain: float) -> tuple[Tensor, Tensor]:
    """A (r, in) and B (out, r) whose product, times gain, is the nearest there is of this rank; of like norms."""
    u, values, v = torch.linalg.svd(product.double(), full_matrices=False)
    roots = (values[:rank] / gain).sqrt()
    a, b = roots[:, None] * v[:rank], u[:, :rank] * roots
    return _widened(a.float(), b.float(), rank)


def gain_of(table: Mapping[str, float] | None) -> float:
    """What the product of an adapter is multiplied by, by its table: alpha / r; 1 without one."""
    return table["alpha"] / table["r"] if table else 1.0


def _widened(a: Tensor, b: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The same pair with so many ranks, of zeros."""
    more = rank - len(a)
    if more <= 0:
        return a, b
    return torch.cat([a, a.new_zeros(more, a.shape[1])]), torch.cat([b, b.new_zeros(b.shape[0], more)], dim=1)
