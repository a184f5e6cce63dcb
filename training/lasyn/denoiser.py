"""The denoiser of codes: a U-Net that is told the text, the level of the noise and, if asked for, whose voice it is.

Of the text it has states, one a phone, and how many codes each phone is expected to last; codes are aligned with phones
by these durations, scaled to the length at hand. They are learned from lengths of whole utterances alone.

B utterances · P phones, padded · N codes, padded · C channels of a code · D width of latents · W of the network
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from training.lasyn.autoencoder import heard
from training.lasyn.phones import NUM_SYMBOLS, PADDING
from training.lasyn.unet import Condition, Unet, UnetConfig
from training.positions import sinusoids

_TONES = 32
_EXPECTED = 2.0
"""Codes a phone, before anything is learned: 160 ms."""


class Told(NamedTuple):
    """A text as read: states (B, P, W), durations in codes (B, P), and which positions are phones (B, P)."""

    states: Tensor
    durations: Tensor
    said: Tensor

    def num_codes(self) -> Tensor:
        """The expected length (B,) of the whole, not rounded."""
        return self.durations.sum(dim=1)


@dataclass(frozen=True, slots=True)
class TextEncoderConfig:
    """``convolutions`` over phones, then ``layers`` of a transformer, as wide as the denoiser."""

    convolutions: int = 2
    layers: int = 2
    kernel: int = 5
    dropout: float = 0.1

    def __post_init__(self) -> None:
        is_odd = self.kernel > 0 and self.kernel % 2 == 1
        if self.convolutions < 0 or self.layers < 0 or not is_odd or not 0 <= self.dropout < 1:
            raise ValueError("text_encoder: expected convolutions and layers from 0, an odd kernel, dropout below 1")


class TextEncoder(nn.Module):
    """Phones (B, P) to `Told`."""

    def __init__(self, config: TextEncoderConfig, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(NUM_SYMBOLS, width, padding_idx=PADDING)
        convolutions = (nn.Conv1d(width, width, config.kernel, padding="same") for _ in range(config.convolutions))
        self.convolutions = nn.ModuleList(convolutions)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(config.convolutions))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 4 * width, config.dropout, batch_first=True, norm_first=True)
            for _ in range(config.layers)
        )
        self.duration = nn.Linear(width, 1)
        nn.init.zeros_(self.duration.weight)
        nn.init.constant_(self.duration.bias, torch.tensor(_EXPECTED).expm1().log().item())

    def forward(self, phones: Tensor, num_phones: Tensor) -> Told:
        """Read texts, of which the first ``num_phones`` (B,) count."""
        states = self.embedding(phones)
        is_said = heard(states, num_phones)
        for convolve, norm in zip(self.convolutions, self.norms, strict=True):
            states = states + norm(relu(convolve((states * is_said).transpose(1, 2)).transpose(1, 2)))
        states = states + sinusoids(states)
        said = is_said[..., 0] > 0
        for layer in self.layers:
            states = layer(states, src_key_padding_mask=~said)
        durations = softplus(self.duration(states)[..., 0].float()) * is_said[..., 0]
        return Told(states * is_said, durations, said)


class Denoiser(nn.Module):
    """Codes with noise to what the U-Net makes of them; text and voice may be left out, each utterance by itself."""

    def __init__(self, config: UnetConfig, text: TextEncoderConfig, *, channels: int, width: int) -> None:
        super().__init__()
        self.text = TextEncoder(text, config.width)
        self.unet = Unet(config, channels)
        self.tones = nn.Linear(2 * _TONES, config.width)
        self.voice = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.width))
        self.no_text = nn.Parameter(torch.zeros(config.width))
        self.no_voice = nn.Parameter(torch.zeros(config.width))

    def forward(self, noisy: Tensor, noise: Tensor, numbers: Tensor, told: Told, voices: Tensor) -> Tensor:
        """Codes (B, N, C) of levels told as (B,), for a text and the states (B, W) of voices."""
        aligned = align(told, numbers, noisy.shape[1])
        whole = torch.nn.functional.silu(self.tones(_waves(noise)) + voices)
        found: Tensor = self.unet(noisy, aligned, numbers, Condition(whole, told.states, told.said))
        return found

    def without_text(self, told: Told, kept: Tensor) -> Told:
        """The same with states that say nothing where an utterance is not ``kept`` (B,); lengths are known still."""
        states = torch.where(kept[:, None, None], told.states, self.no_text)
        return told._replace(states=states)

    def voice_states(self, voices: Tensor | None, kept: Tensor) -> Tensor:
        """States (B, W) of voices, mean latents (B, D), or that of no voice where there is none or it is not kept."""
        if voices is None:
            return self.no_voice.expand(len(kept), -1)
        return torch.where(kept[:, None], self.voice(voices), self.no_voice)


def align(told: Told, numbers: Tensor, length: int) -> Tensor:
    """The state of the phone that each of so many codes belongs to, (B, length, W).

    A phone gets its share of an utterance's ``numbers`` (B,) of codes. No gradient reaches the durations from here.
    """
    ends = told.durations.detach().cumsum(dim=1)
    ends = (ends / ends[:, -1:].clamp(min=1e-6)).contiguous()
    middles = (torch.arange(length, device=ends.device) + 0.5) / numbers.clamp(min=1)[:, None]  # (B, N)
    last = told.said.sum(dim=1, keepdim=True) - 1
    owners = torch.searchsorted(ends, middles.contiguous()).minimum(last.clamp(min=0))
    return torch.gather(told.states, 1, owners[..., None].expand(-1, -1, told.states.shape[-1]))


def _waves(noise: Tensor) -> Tensor:
    """Sines and cosines (B, 2 _TONES) of (B,), from slow to fast."""
    rates = torch.logspace(-1, 2, _TONES, device=noise.device)
    angles = noise[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
