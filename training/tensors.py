"""Files of tensors, as safetensors: written as any other file is, and read, or refused in one sentence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from catalogs.errors import TrainingError


def write_tensors(tensors: Mapping[str, Tensor], to: Path) -> None:
    """Write them to a new file that whom the umask lets may read; safetensors' own is for its owner alone."""
    to.unlink(missing_ok=True)
    to.touch()
    mode = to.stat().st_mode
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, to)
    to.chmod(mode)


@contextmanager
def readable(path: Path, *, what: str, missing: str, damaged: str) -> Iterator[None]:
    """Read a file in here. ``what`` is expected in it; ``missing`` and ``damaged`` say what to do if it is not.

    Raises:
        TrainingError: if it is not there, or damaged.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise TrainingError(f"{path} is missing: expected {what}; {missing}") from error
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): expected {what} as safetensors; {damaged}") from error
