"""Load weights as data: safetensors, or pickles of tensors alone. Code in a checkpoint is never run."""

import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers.utils import logging

from catalogs.errors import EngineError, ModelMissing
from synthgen.voices.torch_table import Dtype


def load_pretrained(model_class: Any, folder: Path, *, dtype: Dtype) -> Any:
    """Load a `transformers` model from a folder, in inference mode, on the CPU.

    Raises:
        ModelMissing: if a file of it is not there.
        EngineError: if its files are not a whole checkpoint of this class, or hold code.
    """
    with told_plainly(folder), _no_progress_bar():
        model, report = model_class.from_pretrained(
            folder,
            local_files_only=True,
            weights_only=True,
            dtype=getattr(torch, dtype),
            output_loading_info=True,
        )
    missing = sorted(set(report["missing_keys"]) & {name for name, _ in model.named_parameters()})
    if missing:
        raise EngineError(
            f"{folder} is no whole {model_class.__name__}: "
            f"{len(missing)} of its weights are missing, {missing[0]} first"
        )
    return model.eval()


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


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Where a checkpoint is read: what goes wrong becomes one sentence.

    Raises:
        ModelMissing: if a file is not there.
        EngineError: if it holds code, is damaged, or belongs to another model.
    """
    try:
        yield
    except pickle.UnpicklingError as error:
        raise EngineError(
            f"{path} holds pickled code, which is never run here; convert its weights to safetensors"
        ) from error
    except OSError as error:
        raise ModelMissing(f"the checkpoint {path} cannot be read: {_first_line(error)}") from error
    except (SafetensorError, EOFError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise EngineError(f"{path} is damaged, or no checkpoint of this engine: {_first_line(error)}") from error


def check_rate(path: Path, *, found_hz: int, table_hz: int) -> None:
    """Hold a table to the sampling rate of its checkpoint, which its cards have already promised.

    Raises:
        EngineError: if they differ, with the line to write.
    """
    if found_hz != table_hz:
        raise EngineError(f"{path} speaks at {found_hz} Hz, not {table_hz}: set sample_rate_hz = {found_hz}")


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Progress is the driver's to tell; `transformers` would draw a bar for every actor."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers types it not
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # nor this


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
