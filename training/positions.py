"""Where in a sequence something stands, as numbers that are added to it."""

import torch
from torch import Tensor

_LONGEST_WAVE = 10_000.0


def sinusoids(like: Tensor) -> Tensor:
    """Positions (T, D) for frames (B, T, D): sines in the first half, cosines in the second, as in Whisper."""
    _, length, width = like.shape
    count = width // 2
    steps = torch.arange(count, device=like.device) / max(count - 1, 1)
    angles = torch.arange(length, device=like.device)[:, None] * _LONGEST_WAVE**-steps
    return torch.nn.functional.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width - 2 * count))
