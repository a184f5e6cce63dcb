"""WebDataset: tars named ``train-000000.tar`` whose samples are ``KEY.flac``, ``KEY.txt`` and ``KEY.json``."""

from catalogs.export.folder import Folder
from catalogs.export.item import Entry, ExportConfig, described, json_line
from catalogs.export.names import escape
from catalogs.export.writer import Shards, Tar


class WebDatasetWriter:
    """Writes tars, a series for each split."""

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        self._shards = Shards(config.shard_size, lambda split, number: Tar(folder, f"{escape(split)}-{number:06d}.tar"))

    def add(self, entry: Entry) -> None:
        """Write the three files of a sample, one behind the other."""
        tar = self._shards.take_place(entry.item.split)
        tar.add(f"{entry.id}.flac", entry.audio)
        tar.add(f"{entry.id}.txt", entry.item.prompt.text.encode())
        tar.add(f"{entry.id}.json", json_line(described(entry)))

    def close(self) -> None:
        """Seal every tar."""
        self._shards.close()
