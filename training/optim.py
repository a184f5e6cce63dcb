"""The optimiser and its learning rates."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import cos, pi
from typing import Any, Literal

from torch import nn
from torch.optim import AdamW

from catalogs.errors import TrainingError

SHARE = "share"
"""What of the learning rate of a step a group of the optimiser's parameters has."""


@dataclass(frozen=True, slots=True)
class OptimConfig:
    """AdamW with warm-up, then a constant, linear or cosine rate; ``clip`` bounds the norm of the gradient, 0 does not.

    SLAM-ASR's paper keeps the rate constant after 1,000 steps of warm-up, its code lets it fall to 0 in a line.

    ``rates`` are those of some parameters, by a part of their names, as in ``{ projector = 1e-4, lora = 2e-5 }``; the
    rest have ``rate``, and all of them the same warm-up and schedule. A key begins at the start of a name or behind a
    dot, and ends at its end or before a dot or an underscore: "lora" is ``lm.layers.0.q_proj.lora_A.weight``, and
    "layers.1" no ``layers.10``. Where two keys fit, the longer must begin with the other, and counts.
    """

    rate: float = 1e-4
    warmup_steps: int = 100
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 1.0
    rates: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("optim.rate must be positive")
        if self.warmup_steps < 0 or self.weight_decay < 0 or self.clip < 0:
            raise ValueError("optim.warmup_steps, weight_decay and clip must not be negative")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"optim.betas = {list(self.betas)}: expected two numbers from 0 to below 1")
        for key, rate in (self.rates or {}).items():
            if not key or not 0 < rate < float("inf"):
                raise ValueError(f"optim.rates: {key!r} = {rate}: expected a part of a name, and a rate above 0")

    def rate_at(self, step: int, *, of: int) -> float:
        """The learning rate of a step, counted from 0, of so many in all: up to ``rate`` in a line, then as asked."""
        if step < self.warmup_steps:
            return self.rate * (step + 1) / self.warmup_steps
        done = min(1.0, (step - self.warmup_steps) / max(1, of - self.warmup_steps))
        factor = {"constant": 1.0, "linear": 1.0 - done, "cosine": (1 + cos(pi * done)) / 2}[self.schedule]
        return self.rate * factor

    def rates_of(self, names: Iterable[str]) -> dict[str, float]:
        """The learning rate of each of some parameters, after warm-up and before it falls.

        Raises:
            TrainingError: for rates that fit none of them, or one that two rates fit.
        """
        names = list(names)
        keys = {name: [key for key in self.rates or {} if _fits(key, name)] for name in names}
        if unused := sorted({*(self.rates or {})} - {key for found in keys.values() for key in found}):
            parts = sorted({part for name in names for part in name.split(".") if not part.isdigit()})
            raise TrainingError(
                f"optim.rates: {unused[0]!r} is in the name of nothing that is trained; there are {', '.join(parts)}"
            )
        return {name: self._rate_of(name, sorted(found, key=len)) for name, found in keys.items()}

    def build(self, parameters: Mapping[str, nn.Parameter]) -> AdamW:
        """The optimiser, one tensor at a time: fused kernels would round differently on other machines.

        Its groups have one learning rate each; raises as `rates_of` does.
        """
        groups: dict[float, list[nn.Parameter]] = {}
        for name, rate in self.rates_of(parameters).items():
            groups.setdefault(rate, []).append(parameters[name])
        told: list[dict[str, Any]] = [{"params": group, SHARE: rate / self.rate} for rate, group in groups.items()]
        return AdamW(told, lr=self.rate, betas=self.betas, weight_decay=self.weight_decay, foreach=False, fused=False)

    def _rate_of(self, name: str, keys: list[str]) -> float:
        """By the longest of the keys that fit."""
        if not self.rates or not keys:
            return self.rate
        if other := [key for key in keys if not keys[-1].startswith(key)]:
            raise TrainingError(
                f"optim.rates: {other[0]!r} and {keys[-1]!r} both fit {name}: leave one out, or write the rest of the "
                "name behind the one that it belongs to"
            )
        return self.rates[keys[-1]]


def _fits(key: str, name: str) -> bool:
    """Whether a key is a part of a parameter's name."""
    return re.search(rf"(?:^|\.){re.escape(key)}(?:$|[._])", name) is not None
