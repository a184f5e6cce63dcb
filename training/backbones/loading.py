"""Load weights as data, for a device and a precision. Code in a checkpoint is never run."""

import hashlib
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers.utils import logging

from catalogs.errors import EngineError, ModelMissing
from training.backbones.encoders import Device, Dtype

FILES = ("*.json", "*.safetensors", "*.bin", "*.txt", "*.model")
"""What a checkpoint on a hub is made of."""


def load_pretrained(model_class: Any, folder: Path, *, dtype: Dtype, spare: tuple[str, ...] = ()) -> Any:
    """Load a `transformers` model from a folder on the CPU, frozen, in inference mode.

    ``spare`` are weights that may be missing, because nothing here needs them.

    Raises:
        ModelMissing: if a file of it is not there.
        EngineError: if its files are not a whole checkpoint of this class, or hold code.
    """
    with told_plainly(folder), quiet():
        model, report = model_class.from_pretrained(
            folder,
            local_files_only=True,
            weights_only=True,
            dtype=getattr(torch, dtype),
            output_loading_info=True,
        )
    missing = sorted(set(report["missing_keys"]) & {name for name, _ in model.named_parameters()} - set(spare))
    if missing:
        raise EngineError(
            f"{folder} is no whole {model_class.__name__}: "
            f"{len(missing)} of its weights are missing, {missing[0]} first"
        )
    return freeze(model)


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
        raise EngineError(f"{path} is damaged, or no checkpoint of this model: {_first_line(error)}") from error


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of a seed; those that the program draws elsewhere stay what they would have been."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Without the progress bars of `transformers`: progress is the driver's to tell."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers types it not
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # nor this


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
