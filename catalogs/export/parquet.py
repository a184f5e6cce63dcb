"""Hugging Face Parquet: ``data/train-00000-of-00002.parquet``, typed so that ``datasets`` knows the audio."""

import json
from collections.abc import Mapping, Sequence

import pyarrow as pa

from catalogs.errors import ReleaseError
from catalogs.export.folder import Folder, HashedFile
from catalogs.export.item import Entry, ExportConfig, finite, pairs
from catalogs.export.names import hub_split
from catalogs.export.row_file import RowFile
from catalogs.export.writer import Shards
from catalogs.ids import Part

_REPEATED = ("language", "speaker", "engine", "origin", "licence", "domain", "intent")
_WORDS = ("id", "text", *_REPEATED)
_PAIRS = ("slots", "entities")


class ParquetWriter:
    """Writes a series of files for each split; their names say how many there are, so they come at the end."""

    def __init__(self, folder: Folder, config: ExportConfig) -> None:
        """Write into ``folder``."""
        self._folder = folder
        self._rate_hz = config.rate_hz
        self._shards = Shards(config.shard_size, self._start)
        self._files: dict[str, list[HashedFile]] = {}
        self._splits: dict[str, str] = {}
        self._scores: tuple[str, ...] | None = None

    def add(self, entry: Entry) -> None:
        """Write a row."""
        scores = tuple(entry.item.scores)
        if self._scores is None:
            self._scores = scores
        if set(scores) != set(self._scores):
            raise ReleaseError(
                f"take {entry.id} has the scores {', '.join(scores) or 'none'}, takes before it "
                f"{', '.join(self._scores) or 'none'}; a table needs the same for all"
            )
        self._shards.take_place(entry.item.split).add(_row(entry), num_bytes=len(entry.audio))

    def close(self) -> None:
        """Seal every file under its name."""
        self._shards.close()
        for name, files in self._files.items():
            for number, file in enumerate(files):
                self._folder.seal(file, name=f"data/{name}-{number:05d}-of-{len(files):05d}.parquet")

    def _start(self, split: str, number: int) -> RowFile:
        name = hub_split(split)
        if self._splits.setdefault(name, split) != split:
            raise ReleaseError(
                f"the splits {self._splits[name]!r} and {split!r} would both be called {name!r} by Hugging Face; "
                "rename one of them, or choose another format"
            )
        schema = _schema(self._rate_hz, self._scores or ())
        shard = RowFile(self._folder, f"data/{name}-{number:05d}.part", schema, audio="audio.bytes", repeated=_REPEATED)
        self._files.setdefault(name, []).append(shard.file)
        return shard


def _row(entry: Entry) -> dict[str, object]:
    prompt, voice = entry.item.prompt, entry.item.voice
    return {
        "id": entry.id,
        "audio": {"bytes": entry.audio, "path": f"{entry.id}.flac"},
        "text": prompt.text,
        "language": prompt.language,
        "speaker": voice.name,
        "engine": voice.engine,
        "origin": entry.item.take.origin,
        "licence": voice.licence,
        "domain": prompt.domain,
        "intent": prompt.intent,
        "audio_s": entry.audio_s,
        "slots": pairs(prompt.slots),
        "entities": pairs(prompt.entities),
        "scores": finite(entry.item.scores),
    }


def _schema(rate_hz: int | None, scores: Sequence[str]) -> pa.Schema:
    """The Arrow schema, with the ``huggingface`` metadata that names the same types in that library's words."""
    pair = pa.struct([("name", pa.string()), ("value", pa.string())])
    types: dict[str, pa.DataType] = {name: pa.string() for name in _WORDS}
    types["audio"] = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    types["audio_s"] = pa.float64()
    types |= {name: pa.list_(pair) for name in _PAIRS}
    features: dict[str, Part] = {name: _value("string") for name in _WORDS}
    features["audio"] = {"sampling_rate": rate_hz, "_type": "Audio"}
    features["audio_s"] = _value("float64")
    features |= {name: [{"name": _value("string"), "value": _value("string")}] for name in _PAIRS}
    if scores:  # Parquet has no struct without fields
        types["scores"] = pa.struct([(name, pa.float64()) for name in scores])
        features["scores"] = {name: _value("float64") for name in scores}
    order = [name for name in ("id", "audio", *_WORDS[1:], "audio_s", *_PAIRS, "scores") if name in types]
    described = {"info": {"features": {name: features[name] for name in order}}}
    return pa.schema([(name, types[name]) for name in order], metadata={"huggingface": json.dumps(described)})


def _value(dtype: str) -> Mapping[str, str]:
    return {"dtype": dtype, "_type": "Value"}
