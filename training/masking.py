"""SpecAugment on what is heard (Park et al. 2019): blocks of frames and of channels are hidden while it trains.

What is hidden is set to the utterance's mean of its layer and channel, as in the paper, whose features are normalised
to a mean of 0: some channels of Whisper lie so far from 0 that nothing else of theirs is as large. All layers of an
encoder hide the same, or one would give away what another lacks. Warping in time is left out: the paper finds that it
does least, and kept frames have heard their neighbours.

B utterances · L encoder layers · T frames · D channels
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Tensor, nn

from catalogs.errors import RecipeError
from training.objective import Batch, Heard, Loss, Objective, Utterance
from training.tables import OnFeatures, OnHeard, OnWaves


@dataclass(frozen=True, slots=True)
class MaskingConfig:
    """How much is hidden of an utterance each time that it is heard.

    ``times`` blocks of frames are, each of any length up to a share ``longest`` of its own, so that it means the same
    for every encoder, and ``channels`` blocks of channels, each of up to a share ``widest`` of them. Blocks may
    overlap. The paper hides two of up to 1 s, and two of up to 27 of 80 bands.
    """

    times: int = 2
    longest: float = 0.1
    channels: int = 2
    widest: float = 0.1

    def __post_init__(self) -> None:
        if min(self.times, self.channels) < 0 or not self.times + self.channels:
            raise ValueError("masking.times and channels must not be negative, nor both 0; leave masking out for none")
        for name, share in (("longest", self.longest), ("widest", self.widest)):
            if not (isfinite(share) and 0 < share <= 1):
                raise ValueError(f"masking.{name} = {share}: expected a share above 0, and 1 at most")

    def around(self, objective: Objective, hears: Heard) -> "Masked":
        """The objective, from which some of what it hears is hidden."""
        return Masked(objective, self, hears)


class Masked:
    """An objective that hears less while it trains, and everything at rest; see `Objective`.

    Everything else is the objective's own. A batch of which nothing is heard is left alone.
    """

    def __init__(self, objective: Objective, config: MaskingConfig, hears: Heard) -> None:
        self._objective, self._config, self._hears = objective, config, hears
        self.module: nn.Module = objective.module

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What the objective trains."""
        return self._objective.trained()

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """The objective's batch, whole."""
        return self._objective.collate(utterances)

    def loss(self, batch: Batch) -> Loss:
        """The objective's, of a batch of which some is hidden if its module is in training."""
        hears = self._hears
        if not self.module.training or hears.values not in batch.tensors:
            return self._objective.loss(batch)
        frames = batch.tensors[hears.values].movedim((hears.time, hears.channels), (-2, -1))
        hidden = masked(frames, batch.tensors[hears.lengths], self._config)
        values = hidden.movedim((-2, -1), (hears.time, hears.channels))
        return self._objective.loss(replace(batch, tensors={**batch.tensors, hears.values: values}))


def hears_of(table: OnFeatures | OnWaves) -> Heard:
    """Where the batches of a method have what it hears.

    Raises:
        RecipeError: for a method that learns from texts, or to make what it hears.
    """
    if isinstance(table, OnHeard):
        return table.hears
    raise RecipeError(
        f"objective.masking hides what is heard, and {table.method} learns from texts, or to make what is heard: "
        "leave it out"
    )


def masked(frames: Tensor, lengths: Tensor, config: MaskingConfig) -> Tensor:
    """Frames (B, T, D) or (B, L, T, D), of which some of the first ``lengths`` (B,) are hidden; the rest is padding.

    What is hidden is drawn by the random numbers of the CPU, which the loop seeds at every step.
    """
    length, width = frames.shape[-2:]
    is_heard = torch.arange(length, device=frames.device) < lengths[:, None]  # (B, T)
    in_time = blocks(lengths, length, count=config.times, share=config.longest)  # (B, T)
    in_channels = blocks(torch.full_like(lengths, width), width, count=config.channels, share=config.widest)  # (B, D)
    is_hidden = (in_time[..., None] | in_channels[:, None]) & is_heard[..., None]  # (B, T, D)
    between = (slice(None), *(None for _ in frames.shape[3:]))  # the layers, where there are any
    total = frames.masked_fill(~is_heard[..., None][between], 0.0).sum(dim=-2, keepdim=True)
    mean = total / lengths.clamp(min=1).view(-1, *(1 for _ in frames.shape[1:]))
    return torch.where(is_hidden[between], mean, frames)


def blocks(sizes: Tensor, size: int, *, count: int, share: float) -> Tensor:
    """Which of so many places lie in blocks, (B, size): ``count`` of them among the first ``sizes`` (B,) of each row.

    The length of a block is drawn from 0 to a share of its row's size, and where it begins from where it fits.
    """
    drawn = torch.rand(2, len(sizes), count, dtype=torch.float64).to(sizes.device)
    lengths = (drawn[0] * ((share * sizes).floor() + 1)[:, None]).long()  # (B, count)
    starts = (drawn[1] * (sizes[:, None] - lengths + 1)).long()
    places = torch.arange(size, device=sizes.device)
    inside = (places >= starts[..., None]) & (places < (starts + lengths)[..., None])  # (B, count, size)
    return inside.any(dim=1)
