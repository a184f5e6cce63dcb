"""What a session of DuckDB writes for itself alone: a folder, which ends with it.

DuckDB gives what it spills the same names in every session, and a session that closes deletes all files of these names:
two in one folder destroy each other's. A folder is held by a lock of the kernel's as long as its session lives; what a
killed one has left is removed by the next.
"""

import os
import shutil
import tempfile
import weakref
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

_PREFIX = "synthgen-"


class Scratch:
    """A new ``folder`` within another, which is made if need be, or where the system has its temporary ones."""

    def __init__(self, within: Path | None) -> None:
        if within is not None:
            within.mkdir(parents=True, exist_ok=True)
            _sweep(within)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
        held = os.open(self.folder, os.O_RDONLY)
        flock(held, LOCK_EX | LOCK_NB)
        self._end = weakref.finalize(self, _remove, self.folder, held)

    def close(self) -> None:
        """Remove it; nothing happens if it is gone already."""
        self._end()


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


def _sweep(within: Path) -> None:
    """Remove the folders that nobody holds."""
    for folder in within.glob(f"{_PREFIX}*"):
        try:
            left = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # somebody else was faster
            continue
        try:
            flock(left, LOCK_EX | LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:  # its session lives
            pass
        finally:
            os.close(left)
