"""NeMo manifests: JSON lines with ``audio_filepath``, ``duration`` and ``text``, beside single files or tars.

Paths are relative to the manifest, as NeMo resolves them.
"""

from catalogs.export.folder import Folder, HashedFile
from catalogs.export.item import Entry, ExportConfig, Json, json_line
from catalogs.export.names import escape
from catalogs.export.writer import LooseAudio, Shards, Tar


class NemoWriter:
    """Writes, for each split, ``manifest.json`` and one FLAC file a take."""

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        self._folder = folder
        self._audio = LooseAudio(folder, config, suffix=".flac")
        self._manifests: dict[str, HashedFile] = {}

    def add(self, entry: Entry) -> None:
        """Write a take's audio, then its line."""
        split = entry.item.split
        if split not in self._manifests:
            self._manifests[split] = self._folder.create(f"{escape(split)}/manifest.json")
        self._manifests[split].write(json_line(_row(entry, self._audio.add(entry))))

    def close(self) -> None:
        """Seal the manifests."""
        for manifest in self._manifests.values():
            self._folder.seal(manifest)


class NemoTarredWriter:
    """Writes, for each split, ``audio_0.tar`` and on.

    NeMo reads them with ``tarred_audio_manifest.json``, whose rows name their tar by ``shard_id``, or with a manifest
    for each tar, ``sharded_manifests/manifest_0.json`` and on.
    """

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        self._folder = folder
        self._shards = Shards(config.shard_size, lambda split, number: _TarredShard(folder, split, number))
        self._manifests: dict[str, HashedFile] = {}

    def add(self, entry: Entry) -> None:
        """Write a take into its split's tar, and its line into both manifests."""
        split = entry.item.split
        if split not in self._manifests:
            self._manifests[split] = self._folder.create(f"{escape(split)}/tarred_audio_manifest.json")
        self._manifests[split].write(self._shards.take_place(split).add(entry))

    def close(self) -> None:
        """Seal tars and manifests."""
        self._shards.close()
        for manifest in self._manifests.values():
            self._folder.seal(manifest)


class _TarredShard:
    def __init__(self, folder: Folder, split: str, number: int) -> None:
        self._folder = folder
        self._number = number
        self._tar = Tar(folder, f"{escape(split)}/audio_{number}.tar")
        self._manifest = folder.create(f"{escape(split)}/sharded_manifests/manifest_{number}.json")

    def add(self, entry: Entry) -> bytes:
        name = f"{entry.id}.flac"
        line = json_line({**_row(entry, name), "shard_id": self._number})
        self._tar.add(name, entry.audio)
        self._manifest.write(line)
        return line

    def close(self) -> None:
        self._tar.close()
        self._folder.seal(self._manifest)


def _row(entry: Entry, path: str) -> Json:
    return {
        "audio_filepath": path,
        "duration": entry.audio_s,
        "text": entry.item.prompt.text,
        "lang": entry.item.prompt.language,
        "speaker": entry.item.voice.name,
        "origin": entry.item.take.origin,
        "licence": entry.item.voice.licence,
        "split": entry.item.split,
        "id": entry.id,
    }
