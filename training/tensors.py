"""Files of tensors, as safetensors: written as any other file is, and read, or refused in one sentence."""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from catalogs.errors import DiskFull, TrainingError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def write_tensors(tensors: Mapping[str, Tensor], to: Path) -> None:
    """Write them to a new file that whom the umask lets may read; safetensors' own is for its owner alone.

    Raises:
        DiskFull: if the disk has no room for them.
        OSError: if it refuses them for another reason.
    """
    to.unlink(missing_ok=True)
    to.touch()
    mode = to.stat().st_mode
    try:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, to)
    except SafetensorError as error:
        refused = _OS_ERROR.search(str(error))  # safetensors has no other word for what the system has answered
        if refused is None:
            raise
        raise _refusal(int(refused[1]), to) from error
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


def _refusal(number: int, to: Path) -> Exception:
    if number in _NO_ROOM:
        return DiskFull(f"{to}: {os.strerror(number)}; free some space and run the same command again")
    return OSError(number, os.strerror(number), str(to))
