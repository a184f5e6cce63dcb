"""What an export is given, and how it is asked for."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from catalogs.errors import UsageError
from catalogs.ids import Part
from catalogs.records import Prompt, Slot, Take, VoiceCard

Format: TypeAlias = Literal["shar", "webdataset", "parquet", "nemo", "nemo-tarred", "kaldi", "jsonl"]
Use: TypeAlias = Literal["research", "commercial"]
Json: TypeAlias = "dict[str, Part]"

FORMATS: tuple[Format, ...] = get_args(Format)
_USES: tuple[Use, ...] = get_args(Use)


@dataclass(frozen=True, slots=True)
class ExportConfig:
    """The layout of an export.

    ``rate_hz`` is the rate of its audio; None keeps every take at its own. ``shard_size`` is the number of takes in a
    shard, or in a folder of single files. ``compress`` is whether Shar's cuts are gzipped; lhotse 2 resumes in constant
    time from those that are not, and makes the index itself. ``intended_use`` decides which licences may come along.
    """

    format: Format
    rate_hz: int | None = None
    shard_size: int = 1000
    compress: bool = True
    intended_use: Use = "research"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(f"there is no export format {self.format!r}; choose one of {', '.join(FORMATS)}")
        if self.intended_use not in _USES:
            raise UsageError(f"there is no use {self.intended_use!r}; choose one of {', '.join(_USES)}")
        if self.rate_hz is not None and self.rate_hz < 1:
            raise UsageError(f"audio cannot be exported at {self.rate_hz} Hz: the rate must be positive")
        if self.shard_size < 1:
            raise UsageError(f"a shard cannot hold {self.shard_size} takes; give at least 1")


@dataclass(frozen=True, slots=True)
class ReleasedTake:
    """One member of a release, with all that an export says of it.

    ``flac`` are the exact stored bytes, mono int16. ``scores`` have the same names for every take of a release.
    """

    take: Take
    prompt: Prompt
    voice: VoiceCard
    split: str
    flac: bytes = field(repr=False)
    scores: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A released take whose audio is ready to be written: FLAC, or WAV where the layout needs it."""

    item: ReleasedTake
    audio: bytes = field(repr=False)
    sample_rate_hz: int
    num_samples: int

    @property
    def id(self) -> str:
        """Id of the take, safe as a file name."""
        return self.item.take.id

    @property
    def audio_s(self) -> float:
        """Length in seconds."""
        return self.num_samples / self.sample_rate_hz


def labels(entry: Entry) -> Json:
    """What is known of a take beside its text, language, speaker and length; what is not known is left out."""
    prompt, voice = entry.item.prompt, entry.item.voice
    known: Json = {
        "split": entry.item.split,
        "origin": entry.item.take.origin,
        "engine": voice.engine,
        "licence": voice.licence,
        "domain": prompt.domain,
        "intent": prompt.intent,
        "slots": pairs(prompt.slots),
        "entities": pairs(prompt.entities),
        "scores": finite(entry.item.scores),
    }
    return {name: value for name, value in known.items() if value}


def described(entry: Entry) -> Json:
    """All that is known of a take, as one JSON object."""
    return {
        "id": entry.id,
        "text": entry.item.prompt.text,
        "language": entry.item.prompt.language,
        "speaker": entry.item.voice.name,
        "audio_s": entry.audio_s,
        "sample_rate_hz": entry.sample_rate_hz,
        "num_samples": entry.num_samples,
        **labels(entry),
    }


def pairs(slots: tuple[Slot, ...]) -> list[dict[str, str]]:
    """Slots in their order, as plain objects."""
    return [{"name": slot.name, "value": slot.value} for slot in slots]


def finite(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    """Scores with null for what JSON cannot hold: NaN and the infinities."""
    return {name: None if value is None or not math.isfinite(value) else value for name, value in scores.items()}


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
# Legal inside JSON, but a line end for readers that split text as Unicode does.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def json_line(value: Mapping[str, Part]) -> bytes:
    """One line of JSON, its end included; it holds no other line end of any kind."""
    return (_ENCODER.encode(value).translate(_LINE_ENDS) + "\n").encode()
