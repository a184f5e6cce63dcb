"""The optimiser and its learning rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, pi
from typing import Literal

from torch import nn
from torch.optim import AdamW


@dataclass(frozen=True, slots=True)
class OptimConfig:
    """AdamW with warm-up, then a constant, linear or cosine rate; ``clip`` bounds the norm of the gradient, 0 does not.

    SLAM-ASR's paper keeps the rate constant after 1,000 steps of warm-up, its code lets it fall to 0 in a line.
    """

    rate: float = 1e-4
    warmup_steps: int = 100
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("optim.rate must be positive")
        if self.warmup_steps < 0 or self.weight_decay < 0 or self.clip < 0:
            raise ValueError("optim.warmup_steps, weight_decay and clip must not be negative")

    def rate_at(self, step: int, *, of: int) -> float:
        """The learning rate of a step, counted from 0, of so many in all: up to ``rate`` in a line, then as asked."""
        if step < self.warmup_steps:
            return self.rate * (step + 1) / self.warmup_steps
        done = min(1.0, (step - self.warmup_steps) / max(1, of - self.warmup_steps))
        factor = {"constant": 1.0, "linear": 1.0 - done, "cosine": (1 + cos(pi * done)) / 2}[self.schedule]
        return self.rate * factor

    def build(self, parameters: Iterable[nn.Parameter]) -> AdamW:
        """The optimiser, one tensor at a time: fused kernels would round differently on other machines."""
        return AdamW(
            parameters, lr=self.rate, betas=self.betas, weight_decay=self.weight_decay, foreach=False, fused=False
        )
