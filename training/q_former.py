"""A window-level Q-Former: a learned query asks a window of frames what is said in it, once for each slot.

BLIP-2's queries (Li et al. 2023) attend to all frames at once, so that an utterance of any length becomes as many
slots. Here every slot has a window of its own, as in SALMONN (Tang et al. 2024), and one query, the same for all. Of
queries that are alone in their window there is nothing for self-attention to see, so there is none.

Beyond both papers frames are told their places in the window, and normalised before each part rather than after.

B utterances · T frames · D their width · k frames a slot · K frames a window · N = T // k slots · H hidden width
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.slu.attending import Attention

_SPREAD = 0.02
"""Standard deviation of queries and places at the start, as in BERT and BLIP-2."""


class QueryLayer(nn.Module):
    """Attention to frames, and a feed-forward part of four times the width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.frames = Attention(width, heads)
        self.enter, self.leave = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, states: Tensor, frames: Tensor) -> Tensor:
        """States (windows, 1, H) that have looked at their frames (windows, K, H)."""
        states = states + self.frames(self.norms[0](states), self.frames.known(frames), None)
        found: Tensor = states + self.leave(functional.gelu(self.enter(self.norms[1](states))))
        return found


class Querying(nn.Module):
    """Frames (B, T, D) to what a query finds in the window of each slot, (B, T // k, H).

    A window has ``kernel`` frames, those of the slot in its middle; where it reaches beyond the ends there are zeros.
    """

    def __init__(self, width: int, hidden: int, *, every: int, kernel: int, layers: int, heads: int) -> None:
        super().__init__()
        self.every, self.kernel = every, kernel
        around = kernel - every
        self.around = (around // 2, around - around // 2)
        self.norm = nn.LayerNorm(width)
        self.enter = nn.Linear(width, hidden)
        self.query = nn.Parameter(_SPREAD * torch.randn(hidden))
        self.places = nn.Parameter(_SPREAD * torch.randn(kernel, hidden))
        self.layers = nn.ModuleList(QueryLayer(hidden, heads) for _ in range(layers))
        self.out_norm = nn.LayerNorm(hidden)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, D) to (B, T // k, H)."""
        padded = functional.pad(frames, (0, 0, *self.around))  # (B, T + K - k, D)
        windows = self.enter(self.norm(padded)).unfold(1, self.kernel, self.every).movedim(-1, -2)  # (B, N, K, H)
        told = (windows + self.places).flatten(end_dim=1)  # (B * N, K, H)
        states = self.query.expand(len(told), 1, -1)
        for layer in self.layers:
            states = layer(states, told)
        found: Tensor = self.out_norm(states[:, 0]).unflatten(0, windows.shape[:2])
        return found
