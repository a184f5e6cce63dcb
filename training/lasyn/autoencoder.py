"""Latents made small for diffusion: an autoencoder over time, whose codes have mean 0 and variance 1 in every frame.

B utterances · T frames of latents, padded · D their width · N codes, one for ``stride`` frames · C channels of a code
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, pad

from training.objective import Batch, Loss, Utterance
from training.padding import pad_features


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """``channels`` of a code, ``hidden`` ones on the way, ``stride`` frames a code, and the ``kernel`` in frames."""

    channels: int = 32
    hidden: int = 256
    stride: int = 4
    kernel: int = 5

    def __post_init__(self) -> None:
        if min(self.hidden, self.stride, self.kernel) < 1 or self.kernel % 2 == 0 or self.channels < 2:
            raise ValueError("autoencoder: channels from 2, hidden and stride from 1, and an odd kernel are expected")

    def build(self, *, width: int, seed: int) -> "Autoencoder":
        """A new one, for latents of this width."""
        torch.manual_seed(seed)
        return Autoencoder(self, width)


class Autoencoder(nn.Module):
    """Latents (B, T, D) to codes (B, N, C) and back; neither depends on the others of a batch."""

    def __init__(self, config: AutoencoderConfig, width: int) -> None:
        super().__init__()
        self.stride, self.channels = config.stride, config.channels
        hidden, kernel = config.hidden, config.kernel
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Conv1d(width, hidden, kernel, padding="same")
        self.shrink = nn.Conv1d(hidden, config.channels, config.stride, stride=config.stride)
        self.begin = nn.Conv1d(config.channels, hidden, kernel, padding="same")
        self.grow = nn.ConvTranspose1d(hidden, hidden, config.stride, stride=config.stride)
        self.smooth = nn.Conv1d(hidden, hidden, kernel, padding="same")
        self.out = nn.Linear(hidden, width)

    def num_codes(self, lengths: Tensor) -> Tensor:
        """How many codes so many frames (B,) become: the last one may stand for fewer than ``stride``."""
        return -(-lengths // self.stride)

    def encode(self, latents: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, with zeros behind, and how many of them count (B,)."""
        latents = pad(latents, (0, 0, 0, -latents.shape[1] % self.stride))
        frames = gelu(_along_time(self.enter, self.norm(latents) * heard(latents, lengths)))
        codes = self.normal(_along_time(self.shrink, frames * heard(frames, lengths)))
        numbers = self.num_codes(lengths)
        return codes * heard(codes, numbers), numbers

    def decode(self, codes: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Latents, with zeros behind, and how many of them count (B,): a multiple of ``stride``."""
        frames = gelu(_along_time(self.begin, self.normal(codes) * heard(codes, numbers)))
        frames = gelu(_along_time(self.grow, frames * heard(frames, numbers)))
        lengths = numbers * self.stride
        frames = gelu(_along_time(self.smooth, frames * heard(frames, lengths)))
        return self.out(frames) * heard(frames, lengths), lengths

    def normal(self, codes: Tensor) -> Tensor:
        """Codes of mean 0 and variance 1; those that are so stay as they are."""
        return layer_norm(codes, (self.channels,))


class Autoencoding:
    """The objective; see `Objective`. It takes features, and looks at no text; its targets are frames.

    Every channel counts alike: squared errors are over its variance in the batch, so that 1 a frame is what the mean
    alone would lose.
    """

    def __init__(self, module: Autoencoder, *, split: int) -> None:
        self.module = module
        self.split = split

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All of it."""
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Latents and their lengths.

        Raises:
            TrainingError: for an utterance without features.
        """
        tensors = pad_features(utterances)
        return Batch(tensors, int(tensors["lengths"].sum()), [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """The share of variance that is lost, summed over frames."""
        latents, lengths = batch.tensors["features"][:, -1].float(), batch.tensors["lengths"]
        rebuilt, _ = self.module.decode(*self.module.encode(latents, lengths))
        is_heard = heard(latents, lengths)[..., 0] > 0
        variance = latents[is_heard].var(dim=0, correction=0).clamp(min=1e-6)
        errors = (rebuilt[:, : latents.shape[1]] - latents)[is_heard].square() / variance
        return Loss(errors.mean(dim=-1).sum())


def heard(frames: Tensor, lengths: Tensor) -> Tensor:
    """1 for the first ``lengths`` (B,) of frames (B, T, …), 0 for padding, as (B, T, 1)."""
    return (torch.arange(frames.shape[1], device=frames.device) < lengths[:, None])[..., None].to(frames.dtype)


def _along_time(convolve: nn.Module, frames: Tensor) -> Tensor:
    found: Tensor = convolve(frames.transpose(1, 2)).transpose(1, 2)
    return found
