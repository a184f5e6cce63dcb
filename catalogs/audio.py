"""Audio in shards: tars of FLAC that WebDataset can read, in which every take is found by offset.

A shard is written as ``NAME.tar.part`` and renamed when it is sealed. Bytes are synced before the rows that
point to them are committed, so a row never points to what is not there; after a crash the part is cut back to
its last committed byte and sealed.
"""

import contextlib
import fcntl
import hashlib
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO, IOBase
from pathlib import Path

from catalogs.errors import AudioError, CatalogError, DiskFull
from catalogs.ids import Id
from catalogs.records import Shard

SHARD_TAKES = 2000
BLOCK = 512
PART = ".part"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a take's FLAC bytes lie."""

    shard: str
    offset: int
    num_bytes: int


class AudioStore:
    """The shards of one corpus; reading needs no lock, writing is the driver's."""

    def __init__(self, folder: Path) -> None:
        """Open ``folder``, which need not exist before the first shard is written."""
        self.folder = folder

    def read(self, place: Place) -> bytes:
        """Fetch one take's FLAC bytes.

        Raises:
            AudioError: if the shard is gone or ends before the take does.
        """
        for path in self._candidates(place.shard):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(place.offset)
                found = file.read(place.num_bytes)
                if len(found) < place.num_bytes:
                    raise AudioError(
                        f"{path}: ends before byte {place.offset + place.num_bytes}; "
                        "restore the shard, or run `synthgen verify --repair` and record its takes again"
                    )
                return found
        raise AudioError(f"{self.folder / place.shard} is gone; restore it, or run `synthgen verify --repair`")

    def path(self, name: str) -> Path | None:
        """The file of a shard, sealed or not; None if it is gone."""
        return next((path for path in self._candidates(name) if path.exists()), None)

    def set_aside(self, path: Path) -> Path:
        """Move a file out of the way, into ``.orphans``, and say where it lies now."""
        orphans = self.folder / ".orphans"
        orphans.mkdir(exist_ok=True)
        to = orphans / path.name
        number = 1
        while to.exists():
            number += 1
            to = orphans / f"{path.name}.{number}"
        return path.rename(to)

    def parts(self) -> list[str]:
        """Names of the shards that were never sealed, in order."""
        return sorted(p.name.removesuffix(PART) for p in self.folder.glob("*.tar" + PART))

    def seal_part(self, name: str, *, committed_bytes: int, num_takes: int) -> Shard | None:
        """Cut an abandoned part back to what was committed and seal it.

        None if nothing was committed (the part is removed) or if a living writer still holds it.
        """
        part = self.folder / (name + PART)
        with part.open("r+b") as file:
            if not _locked(file):
                return None
            if committed_bytes == 0:
                part.unlink()
                return None
            file.truncate(committed_bytes)
            file.seek(committed_bytes)
            file.write(bytes(2 * BLOCK))
            file.flush()
            os.fsync(file.fileno())
        return self._rename(name, hash_file(part), part.stat().st_size, num_takes)

    def writer(self, prefix: str, *, shard_takes: int = SHARD_TAKES) -> "ShardWriter":
        """A writer whose shards are named ``PREFIX-000000.tar`` and on, after those of that prefix that are there.

        The prefix must be the run's own; a run may have one writer after the other.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return ShardWriter(self, prefix, shard_takes=shard_takes)

    def _candidates(self, name: str) -> tuple[Path, Path, Path]:
        # It may be sealed, and so renamed, between two looks.
        return self.folder / name, self.folder / (name + PART), self.folder / name

    def _rename(self, name: str, sha256: str, num_bytes: int, num_takes: int) -> Shard:
        if (self.folder / name).exists():
            raise CatalogError(f"{self.folder / name} is there already, and is not written over; this is a bug")
        (self.folder / (name + PART)).rename(self.folder / name)
        _sync_folder(self.folder)
        return Shard(name, sha256, num_bytes, num_takes)


class ShardWriter:
    """Appends takes to the open shard of one run."""

    def __init__(self, store: AudioStore, prefix: str, *, shard_takes: int) -> None:
        self._store = store
        self._prefix = prefix
        self._shard_takes = shard_takes
        self._number = 0
        self._file: FileIO | None = None
        self._hash = hashlib.sha256()
        self._size = 0
        self._takes = 0

    def append(self, takes: Iterable[tuple[Id, bytes]]) -> list[Place]:
        """Write takes (id, FLAC bytes) behind the last, sync them, and say where they lie.

        Raises:
            DiskFull: if the disk has no room; the shard is cut back to what it held before.
        """
        file, size, hashed = self._open(), self._size, self._hash.copy()
        places = []
        try:
            for take_id, flac in takes:
                header = tar_header(f"{take_id}.flac", len(flac))
                places.append(Place(self._name, self._size + BLOCK, len(flac)))
                self._write(file, header + flac + bytes(-len(flac) % BLOCK))
            os.fsync(file.fileno())
        except OSError as error:
            self._size, self._hash = size, hashed
            with contextlib.suppress(OSError):
                file.truncate(size)
                file.seek(size)
            raise DiskFull(
                f"{self._store.folder}: {error.strerror or error}; free some space and run the same command again"
            ) from error
        self._takes += len(places)
        return places

    def seal(self, *, if_full: bool = False) -> list[Shard]:
        """Close the open shard and give its row, once what was appended is to be committed."""
        if self._file is None or (if_full and self._takes < self._shard_takes):
            return []
        file, self._file = self._file, None
        self._write(file, bytes(2 * BLOCK))
        os.fsync(file.fileno())
        file.close()
        shard = self._store._rename(self._name, self._hash.hexdigest(), self._size, self._takes)  # noqa: SLF001
        self._number, self._hash, self._size, self._takes = self._number + 1, hashlib.sha256(), 0, 0
        return [shard]

    def abandon(self) -> None:
        """Close the file and leave the part as it is: the next run cuts it back and seals it."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    @property
    def _name(self) -> str:
        return f"{self._prefix}-{self._number:06d}.tar"

    def _open(self) -> FileIO:
        if self._file is None:
            while self._store.path(self._name) is not None:
                self._number += 1
            # Unbuffered, so that after a failure nothing is left that a later write would bring along.
            self._file = (self._store.folder / (self._name + PART)).open("xb", buffering=0)
            _locked(self._file)
        return self._file

    def _write(self, file: FileIO, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        self._hash.update(data)
        self._size += len(data)


def tar_header(name: str, size: int) -> bytes:
    """A USTAR header that depends on name and size alone (no time, no owner): same takes, same bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.USTAR_FORMAT)


def hash_file(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_held(path: Path) -> bool:
    """Whether a living writer has this file open."""
    try:
        with path.open("rb") as file:
            return not _locked(file)
    except FileNotFoundError:
        return False


def padded(num_bytes: int) -> int:
    """The room a file of this size takes in a tar, without its header."""
    return num_bytes + (-num_bytes % BLOCK)


def _locked(file: IOBase) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
