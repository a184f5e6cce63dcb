"""Lhotse Shar: in a folder for each split, ``cuts.000000.jsonl.gz`` and ``recording.000000.tar``, and so on.

Only these lie in a split's folder: lhotse 1 takes every file there for a field, so an index beside them would break
it. Lhotse 2 makes its indexes itself, for cuts that are not compressed.
"""

import gzip

from catalogs.export.folder import Folder
from catalogs.export.item import Entry, ExportConfig, Json, json_line, labels
from catalogs.export.names import escape
from catalogs.export.writer import Shards, Tar


class SharWriter:
    """Writes one Shar folder for each split."""

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        self._shards = Shards(
            config.shard_size, lambda split, number: _Shard(folder, split, number, compress=config.compress)
        )

    def add(self, entry: Entry) -> None:
        """Write a cut, and its recording at the same place of the tar."""
        self._shards.take_place(entry.item.split).add(entry)

    def close(self) -> None:
        """Seal every shard."""
        self._shards.close()


class _Shard:
    def __init__(self, folder: Folder, split: str, number: int, *, compress: bool) -> None:
        place = escape(split)
        self._folder = folder
        self._tar = Tar(folder, f"{place}/recording.{number:06d}.tar")
        self._cuts = folder.create(f"{place}/cuts.{number:06d}.jsonl{'.gz' if compress else ''}")
        # No name and no time in the header: the same cuts are the same bytes.
        self._gzip = gzip.GzipFile(filename="", mode="wb", fileobj=self._cuts, mtime=0) if compress else None

    def add(self, entry: Entry) -> None:
        recording = _recording(entry)
        self._tar.add(f"{entry.id}.flac", entry.audio)
        self._tar.add(f"{entry.id}.json", json_line(recording))
        (self._gzip or self._cuts).write(json_line(_cut(entry, recording)))

    def close(self) -> None:
        self._tar.close()
        if self._gzip is not None:
            self._gzip.close()
        self._folder.seal(self._cuts)


def _recording(entry: Entry) -> Json:
    """A recording whose audio is "in the Shar": lhotse puts the bytes of the tar in that place."""
    return {
        "id": entry.id,
        "sources": [{"type": "shar", "channels": [0], "source": ""}],
        "sampling_rate": entry.sample_rate_hz,
        "num_samples": entry.num_samples,
        "duration": entry.audio_s,
        "channel_ids": [0],
    }


def _cut(entry: Entry, recording: Json) -> Json:
    supervision: Json = {
        "id": entry.id,
        "recording_id": entry.id,
        "start": 0.0,
        "duration": entry.audio_s,
        "channel": 0,
        "text": entry.item.prompt.text,
        "language": entry.item.prompt.language,
        "speaker": entry.item.voice.name,
        "custom": labels(entry),
    }
    return {
        "id": entry.id,
        "start": 0,
        "duration": entry.audio_s,
        "channel": 0,
        "supervisions": [supervision],
        "recording": recording,
        "type": "MonoCut",
    }
