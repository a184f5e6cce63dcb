"""The fixed projection: convolutions that give a text one sequence of latents, and always the same.

Four of them over phones, as the paper has it. What it does not say is our choice: each phone is repeated, so that a CTC
guide has a frame for every character, and sinusoids are added at the end, by a weight that is learned: Whisper's own
latents carry them too. Slots of a language model do not, and the weight begins at 0.

B texts · P phones, padded · T frames, padded · D width of the guide's latents
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

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
        self._repeats, self._gap = config.frames_per_phone, config.kernel // 2
        self.embedding = nn.Embedding(NUM_SYMBOLS, config.filters, padding_idx=PADDING)
        shape = (config.filters, config.filters, config.kernel)
        self.layers = nn.ModuleList(_Convolution(*shape) for _ in range(config.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(config.filters) for _ in self.layers)
        self.out = nn.Linear(config.filters, width)
        self.sway = nn.Parameter(torch.tensor(sway))

    def output_lengths(self, num_phones: Tensor) -> Tensor:
        """How many frames so many phones become."""
        return num_phones * self._repeats

    def forward(self, phones: Tensor, num_phones: Tensor) -> tuple[Tensor, Tensor]:
        """Latents, and how many frames of each count (B,).

        Texts go through the convolutions end to end in one row, as far apart as a kernel sees to one side: what is
        padding in a batch, often half of it, costs nothing.
        """
        lengths = self.output_lengths(num_phones)
        repeated = phones.repeat_interleave(self._repeats, dim=1)  # (B, T)
        frame = torch.arange(repeated.shape[1], device=phones.device)
        is_heard = frame < lengths[:, None]
        taken = lengths + self._gap
        at = (frame + (taken.cumsum(0) - taken)[:, None])[is_heard]
        row = phones.new_full((int(taken.sum()),), PADDING).index_put((at,), repeated[is_heard])
        is_said = (row != PADDING)[:, None]
        frames = self.embedding(row)
        for convolve, norm in zip(self.layers, self.norms, strict=True):
            frames = norm(torch.relu(convolve(frames * is_said)))
        said = self.out(frames[at])
        latents = said.new_zeros(*repeated.shape, said.shape[1]).index_put((is_heard,), said)
        return (latents + self.sway * sinusoids(latents)) * is_heard[..., None], lengths


class _Convolution(nn.Conv1d):
    """A convolution over frames (T, C): as a picture one dot high whose channels lie side by side, in half the time."""

    def forward(self, frames: Tensor) -> Tensor:
        """As many frames, with as much silence around them as a kernel sees."""
        image, weight = (
            part.contiguous(memory_format=torch.channels_last)
            for part in (frames.T[None, :, None], self.weight[:, :, None])
        )
        return conv2d(image, weight, self.bias, padding=(0, self.kernel_size[0] // 2))[0, :, 0].T
