"""What a session of DuckDB writes for itself alone: a folder, which ends with it.

DuckDB gives what it spills the same names in every session, and a session that closes deletes all files of these names:
two in one folder destroy each other's. A folder is held by a lock of the kernel's as long as its session lives; what a
killed one has left is removed by the next.
"""

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

_PREFIX = "synthgen-"


class Scratch:
    """A new ``folder`` within another, which is made if need be, or where the system has its temporary ones."""

    def __init__(self, within: Path | None) -> None:
        if within is None:
            self.folder, held = _begun(None)
        else:
            within.mkdir(parents=True, exist_ok=True)
            with _alone_in(within):  # a folder is swept if nobody holds it, which a new one is for a moment
                _sweep(within)
                self.folder, held = _begun(within)
        self._end = weakref.finalize(self, _remove, self.folder, held)

    def close(self) -> None:
        """Remove it; nothing happens if it is gone already."""
        self._end()


def _begun(within: Path | None) -> tuple[Path, int]:
    """A new folder, and what holds it."""
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=within))
    held = os.open(folder, os.O_RDONLY)
    flock(held, LOCK_EX | LOCK_NB)
    return folder, held


@contextmanager
def _alone_in(within: Path) -> Iterator[None]:
    """Keep other sessions that begin here waiting."""
    held = os.open(within, os.O_RDONLY)
    try:
        flock(held, LOCK_EX)
        yield
    finally:
        os.close(held)


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
