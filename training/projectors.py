"""Projectors: the frames of a speech encoder become slots of a language model, several frames a slot.

B utterances · L encoder layers · T frames · D their width · k frames a slot · N = T // k slots · W width of the
language model
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalogs.errors import TrainingError
from training.q_former import Querying

Lengths = TypeVar("Lengths", int, Tensor)

_LAYERS, _HEADS = 2, 8


@dataclass(frozen=True, slots=True)
class Widths:
    """What a projector stands between: layers and width of the encoder's frames, width and size of text embeddings.

    ``text_rms`` is the root mean square of the entries of the language model's text embeddings.
    """

    layers: int
    frame: int
    text: int
    text_rms: float = 1.0


@dataclass(frozen=True, slots=True)
class ProjectorConfig:
    """Settings of a projector.

    ``kind`` "concat_linear" stacks ``frames`` frames a slot and drops those that are left over; "conv" is a strided
    convolution, in which a slot also hears its neighbours: ``kernel`` frames in all, by default three slots' worth.
    Both have one hidden layer of ``hidden`` units. In "q_former" a query attends to the frames of a slot, or to
    ``kernel`` of them, in ``layers`` that are ``hidden`` wide with ``heads`` heads; SALMONN has 2 of 768 for 17 frames.

    ``mix`` learns which encoder layers to listen to. ``norm`` puts a LayerNorm behind the projector, which starts at
    the size of text embeddings; ``dropout`` is the share of its outputs that training leaves out.
    """

    kind: Literal["concat_linear", "conv", "q_former"] = "concat_linear"
    frames: int = 5
    hidden: int = 2048
    kernel: int | None = None
    layers: int = _LAYERS
    heads: int = _HEADS
    mix: bool = False
    norm: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.frames < 1 or self.hidden < 1:
            raise ValueError("projector.frames and projector.hidden must be at least 1")
        if not (isfinite(self.dropout) and 0 <= self.dropout < 1):
            raise ValueError("projector.dropout must be from 0 to below 1")
        if self.kernel is not None and self.kind == "concat_linear":
            raise ValueError("projector.kernel belongs to conv and q_former; concat_linear hears its own frames only")
        if self.kernel is not None and self.kernel < self.frames:
            raise ValueError(
                f"projector.kernel must be at least projector.frames ({self.frames}), or frames are unheard"
            )
        self._check_layers()

    def _check_layers(self) -> None:
        if self.kind != "q_former" and (self.layers, self.heads) != (_LAYERS, _HEADS):
            raise ValueError(f"projector.layers and heads belong to q_former; {self.kind} has none")
        if self.layers < 1 or self.heads < 1:
            raise ValueError("projector.layers and projector.heads must be at least 1")
        if self.kind == "q_former" and self.hidden % self.heads:
            raise ValueError(
                f"projector.hidden = {self.hidden} is to be shared by {self.heads} heads: make it a multiple of them"
            )

    def build(self, widths: Widths, *, seed: int) -> "Projector":
        """A projector with random weights, the same ones for the same seed; the global generator is left alone.

        Raises:
            TrainingError: for several encoder layers without ``mix``.
        """
        if widths.layers > 1 and not self.mix:
            raise TrainingError(
                f"the features have {widths.layers} encoder layers and nothing mixes them; set projector.mix = true, "
                f"or cache one layer"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Projector(self, widths)


class LayerMix(nn.Module):
    """A learned mean of encoder layers: gamma * sum of softmax(w)_l * LN(h_l).

    The LayerNorm has no weights of its own: the projector behind it is linear in them. It starts as the plain mean.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))
        self.gamma = nn.Parameter(torch.ones(()))

    def forward(self, features: Tensor) -> Tensor:
        """(B, L, T, D) to (B, T, D)."""
        normed = functional.layer_norm(features, features.shape[-1:])
        return self.gamma * torch.einsum("l,bltd->btd", self.weights.softmax(0), normed)


class Stacking(nn.Module):
    """Stacks k frames into one and projects them; frames that are left over are dropped."""

    def __init__(self, config: ProjectorConfig, width: int) -> None:
        super().__init__()
        self.every = config.frames
        self.linear = nn.Linear(config.frames * width, config.hidden)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, D) to (B, T // k, hidden)."""
        batch, length, width = frames.shape
        slots = length // self.every
        stacked = frames[:, : slots * self.every].reshape(batch, slots, self.every * width)
        return functional.relu(self.linear(stacked))


class Striding(nn.Module):
    """A convolution of stride k over frames, with as many zeros around them as make it give T // k slots."""

    def __init__(self, config: ProjectorConfig, width: int) -> None:
        super().__init__()
        kernel = config.kernel or 3 * config.frames
        around = kernel - config.frames
        self.around = (around // 2, around - around // 2)
        self.conv = nn.Conv1d(width, config.hidden, kernel, stride=config.frames)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, D) to (B, T // k, hidden)."""
        padded = functional.pad(frames.transpose(1, 2), self.around)  # (B, D, T + kernel - k)
        return functional.relu(self.conv(padded).transpose(1, 2))


def _querying(config: ProjectorConfig, width: int) -> Querying:
    kernel = config.kernel or config.frames
    return Querying(width, config.hidden, every=config.frames, kernel=kernel, layers=config.layers, heads=config.heads)


_KINDS: Mapping[str, Callable[[ProjectorConfig, int], nn.Module]] = {
    "concat_linear": Stacking,
    "conv": Striding,
    "q_former": _querying,
}


class Projector(nn.Module):
    """Encoder features in, slots of a language model out. What lies beyond an utterance's length changes nothing."""

    def __init__(self, config: ProjectorConfig, widths: Widths) -> None:
        super().__init__()
        self.widths = widths
        self.frames_per_slot = config.frames
        self.mix = LayerMix(widths.layers) if config.mix else None
        self.reduce = _KINDS[config.kind](config, widths.frame)
        self.out = nn.Linear(config.hidden, widths.text)
        self.norm = nn.LayerNorm(widths.text) if config.norm else None
        if self.norm is not None:
            nn.init.constant_(self.norm.weight, widths.text_rms)
        self.dropout = nn.Dropout(config.dropout)

    def output_lengths(self, lengths: Lengths) -> Lengths:
        """How many slots so many frames become, exactly: N = T // k."""
        return lengths // self.frames_per_slot

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Project features (B, L, T, D), of which the first ``lengths`` (B,) frames are heard, to slots (B, N, W).

        Slots beyond an utterance's ``output_lengths`` hold no meaning.
        """
        features = features.to(self.out.weight.dtype)
        frames = features[:, 0] if self.mix is None else self.mix(features)  # (B, T, D)
        beyond = torch.arange(frames.shape[1], device=frames.device) >= lengths[:, None]
        frames = frames.masked_fill(beyond[..., None], 0.0)
        slots = self.out(self.reduce(frames))  # (B, N, W)
        slots = slots if self.norm is None else self.norm(slots)
        projected: Tensor = self.dropout(slots)
        return projected
