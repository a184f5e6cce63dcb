"""The processes of one training: one, or as many as `torchrun`, `accelerate launch` or Ray have started."""

import torch
from accelerate import PartialState


def processes() -> PartialState:
    """Which of how many this process is; with others there, gloo or NCCL is set up the first time."""
    return PartialState(cpu=not torch.cuda.is_available())
