"""A layer of a decoder: attention to what was written before and to what is heard, whose keys and values are kept.

B utterances · U characters so far · N new ones · T frames, padded · W width of the decoder
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


@dataclass(slots=True)
class Seen:
    """Keys and values (B, heads, U, W / heads) of what a layer has read, none at first; they grow as it goes on."""

    keys: Tensor | None = None
    values: Tensor | None = None

    def grow(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """All of them, with those of new characters behind."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat([self.keys, keys], dim=2), torch.cat([self.values, values], dim=2)
        self.keys, self.values = keys, values
        return keys, values

    def keep(self, rows: Tensor) -> None:
        """Forget all utterances but these ``rows`` (R,)."""
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys[rows], self.values[rows]


class Attention(nn.Module):
    """Heads of scaled dot products (Vaswani et al. 2017)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # which would change no weight of attention
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def known(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, M, W / heads) of states (B, M, W)."""
        return self._apart(self.key(states)), self._apart(self.value(states))

    def forward(self, states: Tensor, known: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """What states (B, N, W) find in what is known, where the mask (…, N, M) is true."""
        found = scaled_dot_product_attention(self._apart(self.query(states)), *known, attn_mask=mask)
        together: Tensor = self.out(found.transpose(1, 2).flatten(start_dim=2))
        return together

    def _apart(self, states: Tensor) -> Tensor:
        rows, length, width = states.shape
        return states.view(rows, length, self._heads, width // self._heads).transpose(1, 2)


class Layer(nn.Module):
    """Self-attention, attention to frames, and a feed-forward part of four times the width, each normalised before."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.itself, self.frames = Attention(width, heads), Attention(width, heads)
        self.enter, self.leave = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, heard: tuple[Tensor, Tensor], is_heard: Tensor, seen: Seen) -> Tensor:
        """States (B, N, W) of new characters, which see those before them, and frames where ``is_heard`` (B, T)."""
        normed = self.norms[0](states)
        keys, values = seen.grow(*self.itself.known(normed))
        new, all_of_them = states.shape[1], keys.shape[2]
        before = torch.ones(new, all_of_them, dtype=torch.bool, device=states.device).tril(all_of_them - new)
        states = states + self.dropout(self.itself(normed, (keys, values), before))
        states = states + self.dropout(self.frames(self.norms[1](states), heard, is_heard[:, None, None]))
        inner = self.dropout(gelu(self.enter(self.norms[2](states))))
        found: Tensor = states + self.dropout(self.leave(inner))
        return found
