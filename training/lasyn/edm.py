"""Diffusion as Karras et al. 2022 (EDM) have it: preconditioning, loss weights, noise levels, and Heun's sampler.

A denoiser D(x; s) is told data with Gaussian noise of standard deviation s, and gives its guess of the data:
D = skip x + out F(in x; noise), with F the network. All of this knows nothing of what the data are.

B samples · "…" any further axes
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor], Tensor]
"""Noisy data (B, …) and the noise's standard deviation (B,) to the data as guessed (B, …)."""


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """In training, the logarithm of a noise level is normal, with this ``mean`` and ``spread``.

    ``data`` is the standard deviation of what is learned: that of the autoencoder's codes is 1. The others are those
    of the paper, whose data have 0.5; beside data of 1 its ``mean`` would be -0.5.
    """

    mean: float = -1.2
    spread: float = 1.2
    data: float = 1.0

    def __post_init__(self) -> None:
        if self.spread <= 0 or self.data <= 0:
            raise ValueError("noise.spread and noise.data must be positive")


@dataclass(frozen=True, slots=True)
class SamplerConfig:
    """``steps`` from the ``highest`` noise level to the ``lowest`` and on to none; ``bend`` is the paper's rho.

    The paper takes 18 steps from 80 to 0.002. Of data with a standard deviation of 1 that makes 1.045, 12 steps make
    1.11, and 12 steps from 20 to 0.02, as here, 1.045 again.
    ``guidance`` 1 is the denoiser as it is, more pulls it away from what it would guess without the text.
    """

    steps: int = 12
    highest: float = 20.0
    lowest: float = 0.02
    bend: float = 7.0
    guidance: float = 1.5

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 < self.lowest < self.highest or self.bend <= 0 or self.guidance < 0:
            raise ValueError("sampler: expected steps from 1, 0 < lowest < highest, a positive bend, guidance from 0")


@dataclass(frozen=True, slots=True)
class Preconditioning:
    """What multiplies the noisy data, the network's output and its input, and the level that it is told; each (B,)."""

    skip: Tensor
    out: Tensor
    inside: Tensor
    noise: Tensor


def preconditioning(levels: Tensor, *, data: float) -> Preconditioning:
    """Table 1 of the paper for noise levels (B,): input and target of the network have variance 1 at all of them."""
    total = levels.square() + data**2
    return Preconditioning(
        skip=data**2 / total, out=levels * data / total.sqrt(), inside=total.rsqrt(), noise=levels.log() / 4
    )


def weights(levels: Tensor, *, data: float) -> Tensor:
    """What a squared error of D counts at each level (B,): 1 / out², so that the network's own errors count alike."""
    return (levels.square() + data**2) / (levels * data).square()


def drawn_levels(count: int, config: NoiseConfig) -> Tensor:
    """Noise levels (B,) for training, from the random numbers of the CPU, which the loop seeds at every step."""
    return (config.mean + config.spread * torch.randn(count)).exp()


def precondition(network: Denoise, *, data: float) -> Denoise:
    """A denoiser of a network that is told scaled data and the logarithm of the level, as a fourth of it."""

    def denoise(noisy: Tensor, levels: Tensor) -> Tensor:
        scales = preconditioning(levels, data=data)
        found = network(_by_sample(scales.inside, noisy) * noisy, scales.noise)
        return _by_sample(scales.skip, noisy) * noisy + _by_sample(scales.out, noisy) * found

    return denoise


def squared_errors(denoise: Denoise, clean: Tensor, levels: Tensor, *, data: float) -> Tensor:
    """Weighted squared errors (B, …) of the denoiser on data with noise of these levels (B,)."""
    noise = torch.randn(clean.shape).to(clean)
    guess = denoise(clean + _by_sample(levels, clean) * noise, levels)
    return _by_sample(weights(levels, data=data), clean) * (guess - clean).square()


def guided(told: Denoise, untold: Denoise, *, guidance: float) -> Denoise:
    """Classifier-free guidance (Ho & Salimans 2022): away from what is guessed without the condition."""
    if guidance == 1:
        return told

    def denoise(noisy: Tensor, levels: Tensor) -> Tensor:
        without = untold(noisy, levels)
        return without + guidance * (told(noisy, levels) - without)

    return denoise


def noise_levels(config: SamplerConfig) -> list[float]:
    """The levels of a sampler from the highest to 0, ``steps`` + 1 of them; equation 5 of the paper."""
    ends = [level ** (1 / config.bend) for level in (config.highest, config.lowest)]
    last = max(config.steps - 1, 1)
    return [(ends[0] + step / last * (ends[1] - ends[0])) ** config.bend for step in range(config.steps)] + [0.0]


def sample(denoise: Denoise, noise: Tensor, levels: Sequence[float]) -> Tensor:
    """Solve the probability flow from noise (B, …) of variance 1 to data, by Heun's method (their algorithm 1)."""
    found = levels[0] * noise
    for level, following in pairwise(levels):
        slope = _slope(denoise, found, level)
        euler = found + (following - level) * slope
        if following > 0:
            slope = (slope + _slope(denoise, euler, following)) / 2
        found = found + (following - level) * slope
    return found


def _slope(denoise: Denoise, found: Tensor, level: float) -> Tensor:
    return (found - denoise(found, found.new_full((len(found),), level))) / level


def _by_sample(scale: Tensor, like: Tensor) -> Tensor:
    """(B,) as (B, 1, …, 1)."""
    return scale.to(like).view(-1, *[1] * (like.ndim - 1))
