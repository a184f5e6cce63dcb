"""Load weights as data: safetensors, or pickles of tensors alone. Code in a checkpoint is never run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from catalogs.errors import EngineError, ModelMissing
from catalogs.models.pretrained import told_plainly


def load_tensors(path: Path, *, inert: Sequence[Any] = ()) -> Any:
    """Read a ``.safetensors`` file, or a PyTorch pickle that holds nothing but tensors and plain values.

    ``inert`` are further classes that may occur, by PyTorch's rules for safe globals: plain records.

    Raises:
        ModelMissing: if it is not there.
        EngineError: if it holds code, or is damaged.
    """
    with told_plainly(path):
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals(list(inert)):
            return torch.load(path, map_location="cpu", weights_only=True)


def weights_file(folder: Path) -> Path:
    """The weights among the files of a Coqui checkpoint, which name them in many ways: the largest file.

    Raises:
        ModelMissing: if there are none.
    """
    files = [path for path in folder.iterdir() if path.suffix in (".safetensors", ".pth")]
    if not files:
        raise ModelMissing(f"{folder} holds no weights (.safetensors or .pth)")
    return max(sorted(files), key=lambda path: path.stat().st_size)


def check_rate(path: Path, *, found_hz: int, table_hz: int) -> None:
    """Hold a table to the sampling rate of its checkpoint, which its cards have already promised.

    Raises:
        EngineError: if they differ, with the line to write.
    """
    if found_hz != table_hz:
        raise EngineError(f"{path} speaks at {found_hz} Hz, not {table_hz}: set sample_rate_hz = {found_hz}")
