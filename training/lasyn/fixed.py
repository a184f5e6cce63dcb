"""The fixed projection: convolutions that give a text one sequence of latents, and always the same.

Four of them over phones, as the paper has it. What it does not say is our choice: each phone is repeated, so that a CTC
guide has a frame for every character, and sinusoids are added at the end, by a weight that is learned: Whisper's own
latents carry them too. Slots of a language model do not, and the weight begins at 0.

B texts · P phones, padded · T frames, padded · D width of the guide's latents
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.lasyn.phones import NUM_SYMBOLS, PADDING
from training.positions import sinusoids


@dataclass(frozen=True, slots=True)
class FixedProjectionConfig:
    """``filters`` of each of the ``layers``, ``kernel`` in frames, and how many frames a phone becomes."""

    filters: int = 512
    layers: int = 4
    kernel: int = 5
    frames_per_phone: int = 4

    def __post_init__(self) -> None:
        if min(self.filters, self.layers, self.frames_per_phone) < 1 or self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError("synthesiser: filters, layers and frames_per_phone from 1, and an odd kernel are expected")

    def build(self, *, width: int, seed: int, has_positions: bool = True) -> "FixedProjection":
        """A new one, for latents of this width, which carry where they stand or do not."""
        torch.manual_seed(seed)
        return FixedProjection(self, width, sway=float(has_positions))


class FixedProjection(nn.Module):
    """Phones (B, P) to latents (B, T, D), which do not depend on the other texts of the batch."""

    def __init__(self, config: FixedProjectionConfig, width: int, *, sway: float) -> None:
        super().__init__()
        self._repeats = config.frames_per_phone
        self.embedding = nn.Embedding(NUM_SYMBOLS, config.filters, padding_idx=PADDING)
        shape = (config.filters, config.filters, config.kernel)
        self.layers = nn.ModuleList(nn.Conv1d(*shape, padding="same") for _ in range(config.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(config.filters) for _ in self.layers)
        self.out = nn.Linear(config.filters, width)
        self.sway = nn.Parameter(torch.tensor(sway))

    def output_lengths(self, num_phones: Tensor) -> Tensor:
        """How many frames so many phones become."""
        return num_phones * self._repeats

    def forward(self, phones: Tensor, num_phones: Tensor) -> tuple[Tensor, Tensor]:
        """Latents, and how many frames of each count (B,)."""
        lengths = self.output_lengths(num_phones)
        frames = self.embedding(phones).repeat_interleave(self._repeats, dim=1)  # (B, T, filters)
        heard = (torch.arange(frames.shape[1], device=frames.device) < lengths[:, None])[..., None]
        for convolve, norm in zip(self.layers, self.norms, strict=True):
            frames = norm(torch.relu(convolve((frames * heard).transpose(1, 2)).transpose(1, 2)))
        latents = self.out(frames)
        return (latents + self.sway * sinusoids(latents)) * heard, lengths
