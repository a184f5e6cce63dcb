"""What is computed from a model once and kept beside it: the same weights in another format."""

import errno
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from catalogs.errors import DiskFull
from catalogs.models.fetching import locked
from catalogs.models.hashing import cache_root, read_stamps, stamp, write_stamps

_STAMPS = ".derived.json"


def derived(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache that ``make`` fills when it is not there, or no longer holds what was made.

    The name says all that the files depend on: a model, the hash of its weights, a version of the code. The folder
    appears by a rename once it is whole, with the hash of every file; later a file is read again only when its size
    or time has changed. Many processes may ask at once: one makes it.

    Raises:
        DiskFull: if the cache has no room for it.
    """
    folder = cache_root() / "derived" / name
    if _is_intact(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            if not _is_intact(folder):
                _make(folder, make)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(f"no room left for {folder}; make room, or set SYNTHGEN_CACHE to another disk") from error
        raise
    return folder


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    for left in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)  # of a process that died while it held the lock
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "files"
        fresh.mkdir()
        make(fresh)
        write_stamps(fresh / _STAMPS, {path.name: stamp(path) for path in sorted(fresh.iterdir())})
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def _is_intact(folder: Path) -> bool:
    """Whether every file is what was made; one that was only touched is stamped anew."""
    stamps = read_stamps(folder / _STAMPS)
    touched = {name for name, known in stamps.items() if not known.fits(folder / name)}
    if not stamps or any(not (folder / name).is_file() for name in touched):
        return False
    again = {name: stamp(folder / name) for name in touched}
    if any(again[name].sha256 != stamps[name].sha256 for name in touched):
        return False
    if again:
        write_stamps(folder / _STAMPS, stamps | again)
    return True
