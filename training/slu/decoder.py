"""A small Transformer decoder (Vaswani et al. 2017): it hears frames, and writes characters up to an end.

Positions are sinusoids, of characters and of frames: latents that are made need not carry any of their own.

B utterances · T frames, padded · D their width · U characters · W width of the decoder · V characters and the end
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from training.positions import sinusoids
from training.slu.attending import Layer, Seen

END = 0
"""What ends a sequence, and what stands before its first character."""


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """So many ``layers`` of this ``width``, with ``heads`` and ``dropout``. The paper's has 6 of 256."""

    layers: int = 2
    width: int = 256
    heads: int = 4
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if min(self.layers, self.heads) < 1 or self.width < 1 or self.width % self.heads:
            raise ValueError("decoder: layers and heads from 1, and a width that is a multiple of heads are expected")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"decoder.dropout = {self.dropout}: expected a share from 0 to below 1")


@dataclass(slots=True)
class Written:
    """What decoding has come to: what is heard, as each layer knows it, and what each has seen of characters."""

    heard: list[tuple[Tensor, Tensor]]
    is_heard: Tensor
    seen: list[Seen]
    length: int = 0

    def keep(self, rows: Tensor) -> None:
        """Go on with these ``rows`` (R,) of utterances alone."""
        self.heard = [(keys[rows], values[rows]) for keys, values in self.heard]
        self.is_heard = self.is_heard[rows]
        for seen in self.seen:
            seen.keep(rows)


class Decoder(nn.Module):
    """Frames (B, T, D) and characters (B, U) to scores (B, U, V) of the characters after each."""

    def __init__(self, config: DecoderConfig, *, width: int, num_characters: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.hear = nn.Linear(width, config.width)
        self.embedding = nn.Embedding(num_characters + 1, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Layer(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.last = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, num_characters + 1)
        nn.init.normal_(self.embedding.weight, std=config.width**-0.5)

    def begin(self, frames: Tensor, lengths: Tensor) -> Written:
        """Hear frames, of which the first ``lengths`` (B,) count, before anything is written."""
        states = gelu(self.hear(self.norm(frames)))
        states = states + sinusoids(states)
        is_heard = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]
        heard = [layer.frames.known(states) for layer in _layers(self)]
        return Written(heard, is_heard, [Seen() for _ in self.layers])

    def forward(self, characters: Tensor, written: Written) -> Tensor:
        """Scores (B, N, V) of what comes after each of N further characters (B, N), which are noted as written."""
        before, length = written.length, written.length + characters.shape[1]
        embedded = self.embedding(characters)
        states = embedded * embedded.shape[-1] ** 0.5
        states = self.dropout(states + sinusoids(states.new_empty(1, length, states.shape[-1]))[before:])
        for layer, heard, seen in zip(_layers(self), written.heard, written.seen, strict=True):
            states = layer(states, heard, written.is_heard, seen)
        written.length = length
        scores: Tensor = self.out(self.last(states))
        return scores


def likeliest(decoder: Decoder, written: Written, limits: Sequence[int]) -> list[list[int]]:
    """The likeliest characters, one after the other, up to an end, which is kept, or to a limit for each utterance.

    An utterance that is done is not gone on with, so that the longest of a batch costs no more than alone.
    """
    device = written.is_heard.device
    rows: list[list[int]] = [[] for _ in limits]
    going = list(range(len(limits)))
    last = torch.full((len(limits), 1), END, device=device)
    while going:
        last = decoder(last, written)[:, -1:].argmax(dim=-1)  # (R, 1)
        for row, number in zip(going, last[:, 0].tolist(), strict=True):
            rows[row].append(number)
        on = [place for place, row in enumerate(going) if rows[row][-1] != END and len(rows[row]) < limits[row]]
        if len(on) < len(going):
            kept = torch.tensor(on, dtype=torch.long, device=device)
            written.keep(kept)
            last, going = last[kept], [going[place] for place in on]
    return rows


def _layers(decoder: Decoder) -> list[Layer]:
    return [layer for layer in decoder.layers if isinstance(layer, Layer)]
