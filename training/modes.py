"""What drops some of what it computes, and when: in training, where something is trained, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


def begin_training(module: nn.Module) -> None:
    """Let it train; a part of which nothing is trained stays as it is used, without dropout.

    A frozen layer whose activations are to be computed twice, to save memory, asks for training, as gradients go
    through it; one with a dropout of its own is left alone.
    """
    module.train()
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            part.eval()
    for part in module.modules():
        if getattr(part, "gradient_checkpointing", False) and not getattr(part, "dropout", 0.0):
            part.training = True


@contextmanager
def at_rest(module: nn.Module) -> Iterator[None]:
    """The module without dropout; afterwards each part of it is again as it was."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
