"""The network of the denoiser: a U-Net over time, small on purpose, so that it makes latents while others train.

It has the paper's shape: as many channels at every level, one residual block each, dropout, and self-attention where
time is a half and a quarter as fine; there it also attends to the text.

B utterances · N codes, padded · P phones, padded · C channels of a code · W channels of the network
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, silu

from training.lasyn.autoencoder import heard

_HEADS = 4


@dataclass(frozen=True, slots=True)
class UnetConfig:
    """``width`` channels at each of the ``levels``, of which each halves time; ``attention`` names them, 0 is codes."""

    width: int = 256
    levels: int = 4
    attention: tuple[int, ...] = (1, 2)
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width < _HEADS or self.width % _HEADS or self.levels < 1:
            raise ValueError(f"denoiser.width must be a multiple of {_HEADS}, and levels at least 1")
        if not all(0 <= level < self.levels for level in self.attention) or not 0 <= self.dropout < 1:
            raise ValueError("denoiser.attention must name levels, from 0, and dropout be from 0 to below 1")


@dataclass(frozen=True, slots=True)
class Condition:
    """What the network is told: ``whole`` (B, W) of the utterance, and the text's states (B, P, W), ``said`` (B, P)."""

    whole: Tensor
    states: Tensor
    said: Tensor


class Unet(nn.Module):
    """Codes (B, N, C) beside what is aligned with them (B, N, W), to codes; padding neither counts nor is counted."""

    def __init__(self, config: UnetConfig, channels: int) -> None:
        super().__init__()
        width = config.width
        self._shrinks = 2 ** (config.levels - 1)
        self.enter = nn.Linear(channels + width, width)
        self.down = nn.ModuleList(_Level(config, level, width) for level in range(config.levels))
        self.up = nn.ModuleList(_Level(config, level, 2 * width) for level in reversed(range(config.levels - 1)))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, codes: Tensor, aligned: Tensor, numbers: Tensor, condition: Condition) -> Tensor:
        """As many codes as there were, of which the first ``numbers`` (B,) count."""
        length = codes.shape[1]
        frames = self.enter(torch.cat([codes, aligned], dim=-1))
        frames = pad(frames, (0, 0, 0, -length % self._shrinks))
        passed: list[tuple[Tensor, Tensor]] = []
        for level in self.down:
            if passed:
                frames, numbers = _halved(frames, numbers), -(-numbers // 2)
            frames = level(frames, heard(frames, numbers), condition)
            passed.append((frames, numbers))
        for level, (before, count) in zip(self.up, passed[-2::-1], strict=True):
            doubled = torch.cat([frames.repeat_interleave(2, dim=1), before], dim=-1)
            frames = level(doubled, heard(before, count), condition)
        found: Tensor = self.out(silu(self.norm(frames)))[:, :length]
        return found


class _Level(nn.Module):
    """A residual block, and attention to itself and to the text where there is to be some."""

    def __init__(self, config: UnetConfig, level: int, entering: int) -> None:
        super().__init__()
        width = config.width
        self.enter = nn.Linear(entering, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 3, padding="same") for _ in range(2))
        self.told = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.dropout)
        has_attention = level in config.attention
        self.attention = nn.ModuleList(_Attention(width) for _ in range(2 if has_attention else 0))

    def forward(self, frames: Tensor, is_heard: Tensor, condition: Condition) -> Tensor:
        frames = self.enter(frames)
        inner = self._convolved(0, frames, is_heard) + self.told(condition.whole)[:, None]
        frames = frames + self._convolved(1, self.dropout(inner), is_heard)
        if len(self.attention):
            frames = self.attention[0](frames, frames, is_heard[..., 0] > 0)
            frames = self.attention[1](frames, condition.states, condition.said)
        return frames * is_heard

    def _convolved(self, number: int, frames: Tensor, is_heard: Tensor) -> Tensor:
        active = silu(self.norms[number](frames)) * is_heard
        found: Tensor = self.convolutions[number](active.transpose(1, 2)).transpose(1, 2)
        return found


class _Attention(nn.Module):
    """Frames (B, N, W), and what they find in others (B, M, W) where ``known`` (B, M)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, _HEADS, batch_first=True)

    def forward(self, frames: Tensor, others: Tensor, known: Tensor) -> Tensor:
        found: Tensor
        found, _ = self.attention(self.norm(frames), others, others, key_padding_mask=~known, need_weights=False)
        return frames + found


def _halved(frames: Tensor, numbers: Tensor) -> Tensor:
    """The means of pairs of frames, of those that count."""
    is_heard = heard(frames, numbers)
    counted = frames * is_heard
    return (counted[:, ::2] + counted[:, 1::2]) / (is_heard[:, ::2] + is_heard[:, 1::2]).clamp(min=1)
