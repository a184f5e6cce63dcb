"""Latents that are made, pulled to those of real speech: as sets of frames, by their moments or by MMD.

Recognisable latents need not be like real ones: a guide can be pleased in places where no speech lies, which the paper
leaves open. Every channel counts alike, over its spread in the real frames of the batch, since some of Whisper's are a
hundred times as large as others. There are no parameters in it.

B utterances · T frames, padded · N, M frames in a row · D width of the encoder
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.lasyn.autoencoder import heard
from training.penalty import coral, mmd_apart

_FEWEST = 2
"""Frames that have a covariance."""


@dataclass(frozen=True, slots=True)
class MatchingConfig:
    """What is compared, its ``weight`` beside the mean loss of a target, and how many ``frames`` of either at most.

    "mmd" is that of Gretton et al. 2012; "moments" compares means, and covariances as CORAL does (Sun & Saenko 2016).
    """

    kind: Literal["mmd", "moments"] = "mmd"
    weight: float = 1.0
    frames: int = 512

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf") or self.frames < _FEWEST:
            raise ValueError(f"matching: expected a weight from 0, and frames from {_FEWEST}")


def matched(made: Tensor, real: Tensor, config: MatchingConfig) -> Tensor:
    """How far made frames (N, D) are from real ones (M, D), from 0; it is 0 where there are fewer than two of either.

    More than ``frames`` are drawn from, by the random numbers of the CPU, which the loop seeds at every step.
    """
    if min(len(made), len(real)) < _FEWEST:
        return made.new_zeros(())
    ours, theirs = (_drawn(frames, config.frames).float() for frames in (made, real))
    mean, spread = theirs.mean(dim=0), theirs.std(dim=0).clamp(min=1e-4)
    compare = {"mmd": frames_mmd, "moments": moments}[config.kind]
    with torch.autocast(made.device.type, enabled=False):  # products of frames are squared distances, near 0 as well
        return compare((ours - mean) / spread, (theirs - mean) / spread)


def moments(ours: Tensor, theirs: Tensor) -> Tensor:
    """The mean square by which the means of two sets of frames (N, D), (M, D) differ, and `coral` of them."""
    return (ours.mean(dim=0) - theirs.mean(dim=0)).square().mean() + coral(ours, theirs)


def frames_mmd(ours: Tensor, theirs: Tensor) -> Tensor:
    """The MMD of `training.penalty` for sets of many frames (N, D), (M, D), whose differences are never laid out."""
    rows = torch.cat([ours, theirs])
    squares = rows.square().sum(dim=-1)
    apart = squares[:, None] + squares[None] - 2 * rows @ rows.T
    return mmd_apart(apart.clamp(min=0), len(ours))


def heard_frames(latents: Tensor, lengths: Tensor) -> Tensor:
    """The frames (N, D), in a row, of latents (B, T, D) of which the first ``lengths`` (B,) are heard."""
    return latents[heard(latents, lengths)[..., 0] > 0]


def _drawn(frames: Tensor, most: int) -> Tensor:
    if len(frames) <= most:
        return frames
    return frames[torch.randperm(len(frames))[:most].to(frames.device)]
