"""Plain files: in a folder for each split, ``metadata.jsonl`` and the FLAC files that its ``file_name`` points to.

Hugging Face's ``audiofolder`` reads the same layout.
"""

from catalogs.export.folder import Folder, HashedFile
from catalogs.export.item import Entry, ExportConfig, described, json_line
from catalogs.export.names import escape
from catalogs.export.writer import LooseAudio


class JsonlWriter:
    """Writes one file a take, and one manifest a split."""

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        self._folder = folder
        self._audio = LooseAudio(folder, config, suffix=".flac")
        self._manifests: dict[str, HashedFile] = {}

    def add(self, entry: Entry) -> None:
        """Write a take's audio, then its line."""
        split = entry.item.split
        if split not in self._manifests:
            self._manifests[split] = self._folder.create(f"{escape(split)}/metadata.jsonl")
        path = self._audio.add(entry)
        self._manifests[split].write(json_line({"file_name": path, **described(entry)}))

    def close(self) -> None:
        """Seal the manifests."""
        for manifest in self._manifests.values():
            self._folder.seal(manifest)
