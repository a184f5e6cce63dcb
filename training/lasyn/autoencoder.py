"""Latents made small for diffusion: an autoencoder over time, whose codes have mean 0 and variance 1 in every frame.

What it may lose is nothing that is heard: with a guide, what this loses on latents that were rebuilt counts as well,
which the paper does not have. A share of their variance says little of that.

B utterances · T frames of latents, padded · D their width · N codes, one for ``stride`` frames · C channels of a code
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, pad

from training.lasyn.guides import Guide
from training.objective import Batch, Loss, Utterance
from training.padding import pad_features
from training.positions import sinusoids


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """``channels`` of a code, ``hidden`` ones on the way, ``stride`` frames a code, and the ``kernel`` in frames.

    ``positions`` is whether it knows where frames stand, which latents of a Transformer carry, so that no code has to.
    """

    channels: int = 32
    hidden: int = 256
    stride: int = 4
    kernel: int = 5
    positions: bool = False

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
        self.places = nn.Linear(width, width, bias=False) if config.positions else None
        if self.places is not None:
            nn.init.zeros_(self.places.weight)

    def num_codes(self, lengths: Tensor) -> Tensor:
        """How many codes so many frames (B,) become: the last one may stand for fewer than ``stride``."""
        return -(-lengths // self.stride)

    def encode(self, latents: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Codes, with zeros behind, and how many of them count (B,)."""
        latents = pad(latents, (0, 0, 0, -latents.shape[1] % self.stride))
        placeless = latents - self._of_places(latents)
        frames = gelu(_along_time(self.enter, self.norm(placeless) * heard(latents, lengths)))
        codes = self.normal(_along_time(self.shrink, frames * heard(frames, lengths)))
        numbers = self.num_codes(lengths)
        return codes * heard(codes, numbers), numbers

    def decode(self, codes: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Latents, with zeros behind, and how many of them count (B,): a multiple of ``stride``."""
        frames = gelu(_along_time(self.begin, self.normal(codes) * heard(codes, numbers)))
        frames = gelu(_along_time(self.grow, frames * heard(frames, numbers)))
        lengths = numbers * self.stride
        frames = gelu(_along_time(self.smooth, frames * heard(frames, lengths)))
        latents = self.out(frames)
        return (latents + self._of_places(latents)) * heard(frames, lengths), lengths

    def normal(self, codes: Tensor) -> Tensor:
        """Codes of mean 0 and variance 1; those that are so stay as they are."""
        return layer_norm(codes, (self.channels,))

    def _of_places(self, latents: Tensor) -> Tensor:
        """What of latents (B, T, D) is where they stand, (T, D); 0 if that is not known."""
        return latents.new_zeros(()) if self.places is None else self.places(sinusoids(latents).to(latents))


class Autoencoding:
    """The objective; see `Objective`. It takes features; its targets are frames.

    Every channel counts alike: squared errors are over its variance in the batch, so that 1 a frame is what the mean
    alone would lose. With a ``guide`` that is ``heard`` what it loses on the text, a mean over its targets, counts as
    much as ``weight`` of that.
    """

    def __init__(
        self, autoencoder: Autoencoder, *, split: int, guide: Guide | None = None, weight: float = 1.0
    ) -> None:
        self.autoencoder = autoencoder
        self.split = split
        self._guide, self._weight = guide, weight
        # alone it is what it always was: a training is known by the names of its weights, too
        self.module: nn.Module = autoencoder if guide is None else nn.ModuleList([autoencoder, guide.module])

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The autoencoder."""
        return dict(self.autoencoder.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Latents and their lengths, and what a guide is to hear in them.

        Raises:
            TrainingError: for an utterance without features, or a text that the guide cannot write.
        """
        tensors = pad_features(utterances)
        num_frames = int(tensors["lengths"].sum())
        if self._guide is not None:
            tensors |= self._guide.targets(utterances, tensors["lengths"].tolist())
        return Batch(tensors, num_frames, [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """The share of variance that is lost, summed over frames, and as often what a guide loses.

        That share is watched as ``lost`` then, and what the guide loses as ``unheard``.
        """
        latents, lengths = batch.tensors["features"][:, -1].float(), batch.tensors["lengths"]
        rebuilt = self.autoencoder.decode(*self.autoencoder.encode(latents, lengths))[0][:, : latents.shape[1]]
        is_heard = heard(latents, lengths)[..., 0] > 0
        variance = latents[is_heard].var(dim=0, correction=0).clamp(min=1e-6)
        lost = ((rebuilt - latents)[is_heard].square() / variance).mean(dim=-1).sum()
        if self._guide is None:
            return Loss(lost)
        answer = self._guide.decode_high(rebuilt, lengths, batch).total / batch.tensors["num_targets"].sum()
        unheard = batch.num_targets * answer
        return Loss(lost + self._weight * unheard, {"lost": lost.detach(), "unheard": unheard.detach()})


def heard(frames: Tensor, lengths: Tensor) -> Tensor:
    """1 for the first ``lengths`` (B,) of frames (B, T, …), 0 for padding, as (B, T, 1)."""
    return (torch.arange(frames.shape[1], device=frames.device) < lengths[:, None])[..., None].to(frames.dtype)


def _along_time(convolve: nn.Module, frames: Tensor) -> Tensor:
    found: Tensor = convolve(frames.transpose(1, 2)).transpose(1, 2)
    return found
