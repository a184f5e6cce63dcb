"""A folder that appears under its name only when it is whole, with the hash of every file in it."""

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from catalogs.errors import DiskFull, ReleaseError, UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SUMS = "SHA256SUMS"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BUFFER_BYTES = 1 << 20


class HashedFile(io.RawIOBase):
    """A binary file that hashes what it is given.

    After `discard` it swallows what it is given: compressors and the like still write when they are finalised.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Create the file; it must not be there yet."""
        self.path = path
        self.name = name
        self.num_bytes = 0
        self._file: BinaryIO = path.open("xb", buffering=_BUFFER_BYTES)
        self._hash = hashlib.sha256()
        self._is_discarded = False

    def writable(self) -> bool:
        """It is written, from the first byte to the last."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write all of ``data``."""
        size = memoryview(data).nbytes
        if self._is_discarded:
            return size
        self._hash.update(data)
        self._file.write(data)
        self.num_bytes += size
        return size

    def tell(self) -> int:
        """The number of bytes written so far."""
        return self.num_bytes

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        """Close the file; it may be closed again."""
        self._file.close()
        super().close()

    def sync(self) -> None:
        """Wait until the bytes are on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def discard(self) -> None:
        """Close the file whatever becomes of it."""
        self._is_discarded = True
        with contextlib.suppress(OSError):  # a full disk fails again when it is asked to write what is buffered
            self._file.close()

    def sha256(self) -> str:
        """The hash of what was written."""
        return self._hash.hexdigest()


class Folder:
    """A folder in the making; names are relative, with forward slashes."""

    def __init__(self, part: Path, final: Path) -> None:
        """Begin in ``part``, which becomes ``final``."""
        self.final = final
        self.num_files = 0
        self.num_bytes = 0
        self._part = part
        self._made: set[Path] = set()
        self._open: set[HashedFile] = set()
        self._sums = HashedFile(part / SUMS, SUMS)

    def create(self, name: str) -> HashedFile:
        """Open a new file, and the folders above it."""
        file = HashedFile(self._place(name), name)
        self._open.add(file)
        return file

    def end(self, file: HashedFile) -> None:
        """Sync and close a file that is still to be sealed under a name not yet known."""
        file.sync()
        file.close()
        self._open.discard(file)

    def seal(self, file: HashedFile, *, name: str | None = None) -> None:
        """End a file for good, if it was not ended, under another name in the same folder if one is given."""
        if not file.closed:
            self.end(file)
        if name is not None:
            file.path.rename(self._part / name)
        self._note(name or file.name, file.sha256(), file.num_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Write a whole small file. It is not synced by itself: an export may hold a million of them."""
        with self._place(name).open("xb") as file:
            file.write(data)
        self._note(name, hashlib.sha256(data).hexdigest(), len(data))

    def publish(self) -> None:
        """Give the folder its name."""
        self._part.rename(self.final)
        for path in (self.final, self.final.parent):
            _sync_folder(path)

    def close_sums(self) -> str:
        """End the list of hashes, in the form of ``sha256sum``, and say its own; only `put` may follow."""
        self._sums.sync()
        self._sums.close()
        return self._sums.sha256()

    def put(self, name: str, data: bytes) -> None:
        """Write a file that is not in the list of hashes."""
        file = self.create(name)
        file.write(data)
        file.sync()
        file.close()

    def abandon(self) -> None:
        """Remove everything."""
        for file in (*self._open, self._sums):
            file.discard()
        shutil.rmtree(self._part, ignore_errors=True)

    def _place(self, name: str) -> Path:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise ReleaseError(f"{name!r} would lie outside of {self.final}")
        path = self._part / pure
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        return path

    def _note(self, name: str, sha256: str, num_bytes: int) -> None:
        self._sums.write(f"{sha256}  {name}\n".encode())
        self.num_files += 1
        self.num_bytes += num_bytes


@contextlib.contextmanager
def building(final: Path) -> Iterator[Folder]:
    """Make a folder beside ``final``, which nobody else makes meanwhile; it is gone again unless it was published.

    Raises:
        UsageError: if another process is making it.
        DiskFull: if there is no room for it.
        ReleaseError: if the disk refuses it for another reason.
    """
    part = final.parent / f".{final.name}.synthgen-partial"
    try:
        part.mkdir(parents=True, exist_ok=True)
        with _held(part):
            _empty(part)
            folder = Folder(part, final)
            try:
                yield folder
            finally:
                folder.abandon()  # nothing is left to remove once it was published
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(
                f"{final}: {error.strerror}; nothing was kept: free some space and run the same command again"
            ) from error
        raise ReleaseError(f"{final} cannot be written: {error}") from error


@contextlib.contextmanager
def _held(part: Path) -> Iterator[None]:
    descriptor = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not part.exists() or not os.path.samestat(os.fstat(descriptor), part.stat()):
            raise BlockingIOError  # it was published between the two calls
        yield
    except BlockingIOError as error:
        raise UsageError(f"another export is writing {part}; wait for it, or choose another folder") from error
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    """Clear what a killed export left behind."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
