"""Frozen models on a device: loaded, seeded, and known by their weights."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

FILES = ("*.json", "*.safetensors", "*.bin", "*.txt", "*.model")
"""What a checkpoint on a hub is made of."""


def freeze(module: Any) -> Any:
    """The same module, in inference mode, with no parameter that wants a gradient."""
    return module.eval().requires_grad_(False)


def sha256_of_weights(module: nn.Module) -> str:
    """Hash the names, types, shapes and bytes of a module's state; for models small enough to be read again."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of a seed; those that the program draws elsewhere stay what they would have been."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
