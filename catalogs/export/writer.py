"""What every layout is: a writer of entries into a folder; and the parts that several of them share."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from catalogs.audio import padded, tar_header
from catalogs.export.folder import Folder
from catalogs.export.item import Entry, ExportConfig
from catalogs.export.names import escape

BLOCK = 512


class Writer(Protocol):
    """Writes a release in one layout; made from a folder and a configuration."""

    def add(self, entry: Entry) -> None:
        """Write one take, behind those before it."""
        ...

    def close(self) -> None:
        """Seal every file."""
        ...


class Shard(Protocol):
    """A file, or a few that belong together, holding up to ``shard_size`` takes of one split."""

    def close(self) -> None:
        """Seal it."""
        ...


S = TypeVar("S", bound=Shard)


class Shards(Generic[S]):
    """The open shard of every split."""

    def __init__(self, size: int, start: Callable[[str, int], S]) -> None:
        """``start`` opens shard N (from 0) of a split."""
        self._size = size
        self._start = start
        self._open: dict[str, S] = {}
        self._takes: dict[str, int] = {}

    def take_place(self, split: str) -> S:
        """The shard that the split's next take belongs in; a full one is closed and the next begun."""
        number, place = divmod(self._takes.get(split, 0), self._size)
        if place == 0:
            if split in self._open:
                self._open.pop(split).close()
            self._open[split] = self._start(split, number)
        self._takes[split] = self._takes.get(split, 0) + 1
        return self._open[split]

    def close(self) -> None:
        """Close every open shard."""
        for shard in self._open.values():
            shard.close()
        self._open.clear()


class Tar:
    """A tar whose bytes depend on names and contents alone."""

    def __init__(self, folder: Folder, name: str) -> None:
        """Begin the file ``name``."""
        self._folder = folder
        self._file = folder.create(name)

    def add(self, name: str, data: bytes) -> None:
        """Append a member."""
        self._file.write(tar_header(name, len(data)))
        self._file.write(data)
        self._file.write(bytes(padded(len(data)) - len(data)))

    def close(self) -> None:
        """End the archive."""
        self._file.write(bytes(2 * BLOCK))
        self._folder.seal(self._file)


class LooseAudio:
    """One file a take, ``shard_size`` of them in a folder."""

    def __init__(self, folder: Folder, config: ExportConfig, *, suffix: str) -> None:
        """Write files that end in ``suffix``."""
        self._folder = folder
        self._size = config.shard_size
        self._suffix = suffix
        self._takes: dict[str, int] = {}

    def add(self, entry: Entry) -> str:
        """Write a take's audio, and give its path relative to the split's folder."""
        split = entry.item.split
        number = self._takes.get(split, 0)
        self._takes[split] = number + 1
        path = f"audio/{number // self._size:06d}/{entry.id}{self._suffix}"
        self._folder.write(f"{escape(split)}/{path}", entry.audio)
        return path
