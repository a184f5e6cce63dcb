"""Frozen models on a device: loaded, seeded, and known by their weights."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from catalogs.errors import EngineError
from training.backbones.encoders import Device

FILES = ("*.json", "*.safetensors", "*.bin", "*.txt", "*.model")
"""What a checkpoint on a hub is made of."""


def freeze(module: Any) -> Any:
    """The same module, in inference mode, with no parameter that wants a gradient."""
    return module.eval().requires_grad_(False)


def device_of(wanted: Device) -> torch.device:
    """The device a table asks for; "auto" is a CUDA device where there is one.

    Raises:
        EngineError: if CUDA is asked for and there is none.
    """
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise EngineError('device = "cuda", but PyTorch sees no CUDA device here; use "auto" or "cpu"')
    return torch.device("cuda" if found and wanted != "cpu" else "cpu")


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
