"""Several task vectors become one, and one is added to a model. No operator looks at the order of the vectors.

add     their mean (Ilharco et al. 2023, "Editing models with task arithmetic"; Su et al. 2024 for ensembles)
ties    the largest entries of each, signs elected by their sum, the mean of those that agree (Yadav et al. 2023)
dare    entries dropped at random, the others made larger, then the mean (Yu et al. 2024)
tsv     the largest singular parts of each matrix, made orthogonal to each other, then summed (Gargiulo et al. 2025)
slerp   their mean, along the arc between the model and its sum with it (Shoemake 1985), parameter by parameter
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from catalogs.ids import seed_of
from training.merging.vectors import Weights, norm, scaled, total

Name: TypeAlias = Literal["add", "ties", "dare", "tsv", "slerp"]

_OF = {"ties": ("keep",), "dare": ("drop", "seed")}
"""Settings by the operator that has them."""
_DEFAULTS = {"keep": 0.2, "drop": 0.5, "seed": 0}
_STRAIGHT = 1e-6
"""Below this sine of the angle between two models an arc is a line."""


@dataclass(frozen=True, slots=True)
class OperatorConfig:
    """How vectors become one.

    ``norms`` "matched" first brings all to the mean of their norms. ``keep`` is the share of entries of largest
    magnitude that TIES keeps of each vector; ``drop`` the probability with which DARE drops an entry, drawn by
    ``seed``. A setting of another operator is refused.
    """

    name: Name = "add"
    norms: Literal["kept", "matched"] = "kept"
    keep: float | None = None
    drop: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        mine = _OF.get(self.name, ())
        for key, default in _DEFAULTS.items():
            if key not in mine and getattr(self, key) is not None:
                raise ValueError(f"operator.{key} does nothing with {self.name!r}; leave it out")
            if key in mine and getattr(self, key) is None:
                object.__setattr__(self, key, default)
        if self.keep is not None and not 0 < self.keep <= 1:
            raise ValueError(f"operator.keep = {self.keep}: expected a share above 0, at most 1")
        if self.drop is not None and not 0 <= self.drop < 1:
            raise ValueError(f"operator.drop = {self.drop}: expected a probability from 0 to below 1")


def combined(vectors: Mapping[str, Weights], config: OperatorConfig) -> dict[str, Tensor]:
    """One vector of several, which are known by their content: its hash decides what DARE drops, and all orders."""
    keys = sorted(vectors)
    found = [dict(vectors[key]) for key in keys]
    if config.norms == "matched":
        found = matched(found)
    if config.name == "ties":
        return _elected([trimmed(vector, keep=config.keep or 1.0) for vector in found])
    if config.name == "tsv":
        return {name: _apart([vector[name] for vector in found]) for name in found[0]}
    if config.name == "dare":
        drop, seed = config.drop or 0.0, config.seed or 0
        found = [dropped(vector, key=key, drop=drop, seed=seed) for key, vector in zip(keys, found, strict=True)]
    return scaled(total(found), 1 / len(found))


def matched(vectors: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """The vectors with the mean of their norms, so that none drowns the others; one that is 0 stays so."""
    norms = [norm(vector) for vector in vectors]
    mean = sum(norms) / len(norms)
    return [scaled(vector, mean / own) if own else vector for vector, own in zip(vectors, norms, strict=True)]


def trimmed(vector: Weights, *, keep: float) -> dict[str, Tensor]:
    """A vector with its entries of largest magnitude, over all parameters together; the others are 0.

    Entries as large as the smallest one that is kept are kept as well.
    """
    sizes = torch.cat([tensor.abs().flatten() for tensor in vector.values()])
    kept = max(1, round(keep * len(sizes)))
    least = sizes.kthvalue(len(sizes) - kept + 1).values
    return {name: torch.where(tensor.abs() >= least, tensor, 0.0) for name, tensor in vector.items()}


def dropped(vector: Weights, *, key: str, drop: float, seed: int) -> dict[str, Tensor]:
    """A vector without some of its entries, the others divided by the share that stays.

    What is dropped of a parameter depends on the seed, the vector's key and the parameter's name, on nothing else.
    """
    found = {}
    for name, tensor in vector.items():
        random = torch.Generator().manual_seed(seed_of("dare", seed, key, name))
        stays = torch.rand(tensor.shape, generator=random) >= drop
        found[name] = torch.where(stays, tensor / (1 - drop), 0.0)
    return found


def added(model: Weights, vector: Weights, *, scale_of: Callable[[str], float], arc: bool) -> dict[str, Tensor]:
    """A model with a vector added, each parameter of it times its lambda, in float32; ``arc`` is how slerp adds.

    A parameter to which nothing is added stays as it is, bit by bit; straight on, so does a single number.
    """
    found = {}
    for name, tensor in model.items():
        start, scale, way = tensor.float(), scale_of(name), vector[name]
        if not scale or not way.any():
            found[name] = tensor
        elif arc:
            found[name] = _along(start, start + way, share=scale)
        else:
            found[name] = torch.where(way == 0, start, start + scale * way)
    return found


def _along(start: Tensor, end: Tensor, *, share: float) -> Tensor:
    """A point of the arc from one tensor to another, both taken as vectors; their lengths blend as directions do."""
    lengths = start.double().norm() * end.double().norm()
    cosine = ((start.double() * end.double()).sum() / lengths).clamp(-1, 1) if lengths else torch.tensor(1.0)
    angle = torch.arccos(cosine)
    if torch.sin(angle) < _STRAIGHT:
        return start + share * (end - start)
    shares = (torch.sin((1 - share) * angle) / torch.sin(angle), torch.sin(share * angle) / torch.sin(angle))
    return shares[0].float() * start + shares[1].float() * end


def _apart(tensors: list[Tensor]) -> Tensor:
    """TSV-M for one parameter: each of n matrices gives 1/n of the ranks; what is no matrix is averaged."""
    if len(tensors) == 1 or tensors[0].ndim != 2:
        return torch.stack(tensors).sum(dim=0) / len(tensors)
    kept = max(1, min(tensors[0].shape) // len(tensors))
    parts = [torch.linalg.svd(tensor.double(), full_matrices=False) for tensor in tensors]
    left = _orthogonal(torch.cat([u[:, :kept] for u, _, _ in parts], dim=1))
    right = _orthogonal(torch.cat([v[:kept] for _, _, v in parts]))
    return ((left * torch.cat([values[:kept] for _, values, _ in parts])) @ right).float()


def _orthogonal(matrix: Tensor) -> Tensor:
    """The nearest matrix with orthogonal columns, or rows if it has fewer (Procrustes)."""
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found: Tensor = u @ v
    return found


def _elected(vectors: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Entry by entry the mean of those whose sign is that of the sum; 0 where signs weigh the same."""
    signs = {name: tensor.sign() for name, tensor in total(vectors).items()}
    found = {}
    for name, sign in signs.items():
        agreeing = [torch.where(vector[name].sign() == sign, vector[name], 0.0) for vector in vectors]
        counts = torch.stack([(entry != 0).float() for entry in agreeing]).sum(dim=0)
        found[name] = torch.stack(agreeing).sum(dim=0) / counts.clamp(min=1)
    return found
