"""Load checkpoints as data, whoever asks: what goes wrong is one sentence, and code in a checkpoint is never run.

Nothing here is heavy until it is called, by those who have PyTorch loaded already.
"""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from catalogs.errors import EngineError, ModelMissing

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]
"""Where a table asks for something to run."""


def load_pretrained(model_class: Any, folder: Path, *, dtype: str, spare: tuple[str, ...] = ()) -> Any:
    """Load a model of `transformers` from a folder on the CPU, in inference mode.

    ``dtype`` is PyTorch's name of one; ``spare`` are weights that may be missing, because nobody needs them.

    Raises:
        ModelMissing: if a file of it is not there.
        EngineError: if its files are not a whole checkpoint of this class, or hold code.
    """
    with told_plainly(folder), quiet():
        model, report = model_class.from_pretrained(
            folder, local_files_only=True, weights_only=True, dtype=dtype, output_loading_info=True
        )
    missing = sorted(set(report["missing_keys"]) & {name for name, _ in model.named_parameters()} - set(spare))
    if missing:
        raise EngineError(
            f"{folder} is no whole {model_class.__name__}: "
            f"{len(missing)} of its weights are missing, {missing[0]} first"
        )
    return model.eval()


def device_of(wanted: Device) -> "torch.device":
    """The device a table asks for; "auto" is a CUDA device where there is one.

    Raises:
        EngineError: if CUDA is asked for and there is none.
    """
    import torch

    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        raise EngineError('device = "cuda", but PyTorch sees no CUDA device here; use "auto" or "cpu"')
    return torch.device("cuda" if found and wanted != "cpu" else "cpu")


@contextmanager
def packages(of: str, *, extra: str) -> Iterator[None]:
    """Where the packages of something are imported that one of our extras installs.

    Raises:
        EngineError: if one is not installed, with the command that gets it.
    """
    try:
        yield
    except ImportError as error:
        raise EngineError(
            f"{of} needs the package {error.name or error}, which is not installed; "
            f"get it with `pip install 'synthgen-studio[{extra}]'`"
        ) from error


@contextmanager
def told_plainly(path: Path) -> Iterator[None]:
    """Where a checkpoint is read: what goes wrong becomes one sentence.

    Raises:
        ModelMissing: if a file is not there.
        EngineError: if it holds code, is damaged, or belongs to another model.
    """
    from safetensors import SafetensorError

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
def quiet() -> Iterator[None]:
    """Without the progress bars of `transformers`, one for every process: progress is the driver's to tell."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers types it not
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]  # nor this


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
