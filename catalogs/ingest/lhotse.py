"""Lhotse manifests: recordings with supervisions, or cuts, as JSON lines. They are read as plain JSON.

Every supervision is one clip: exactly the stretch that it describes.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalogs.errors import InputError
from catalogs.ingest.clips import Clip
from catalogs.ingest.layouts import seconds_of
from catalogs.ingest.rows import Cells, Row, RowError, read_rows

Json = Mapping[str, Any]


def read_lhotse(path: Path) -> Iterator[Clip | Row]:
    """Read every manifest of cuts in a folder, or else every one of supervisions with its recordings."""
    manifests = [path] if path.is_file() else sorted(path.glob("*.jsonl*"))
    cuts = [p for p in manifests if "cuts" in p.name or (path.is_file() and not _kin(p))]
    supervisions = sorted({_pair(p)[1] for p in manifests if _kin(p)})
    if not cuts and not supervisions:
        raise InputError(f"{path} has no manifest named *cuts*.jsonl or *supervisions*.jsonl")
    for manifest in cuts:
        yield from _cuts(manifest)
    if not cuts:
        for manifest in supervisions:
            yield from _supervisions(*_pair(manifest))


def _kin(path: Path) -> bool:
    return "supervisions" in path.name or "recordings" in path.name


def _pair(path: Path) -> tuple[Path, Path]:
    """The manifests of recordings and of supervisions that belong together, from either."""
    name = path.name
    recordings = path.with_name(name.replace("supervisions", "recordings"))
    return recordings, path.with_name(name.replace("recordings", "supervisions"))


def _supervisions(recordings: Path, supervisions: Path) -> Iterator[Clip | Row]:
    known: dict[str, Json] = {}
    for row in read_rows(recordings, "jsonl"):
        if isinstance(row.cells, RowError):
            yield row
        else:
            known[str(row.cells.get("id"))] = row.cells
    for row in read_rows(supervisions, "jsonl"):
        if isinstance(row.cells, RowError):
            yield row
            continue
        name = row.cells.get("recording_id")
        if not isinstance(name, str) or name not in known:
            yield Row(row.path, row.line, RowError("audio-missing", f"recording {name} is not in {recordings}"))
            continue
        yield _clip(row, row.cells, recording=known[name])


def _cuts(manifest: Path) -> Iterator[Clip | Row]:
    for row in read_rows(manifest, "jsonl"):
        if isinstance(row.cells, RowError):
            yield row
            continue
        cut = row.cells
        recording, supervisions = cut.get("recording"), cut.get("supervisions")
        if "tracks" in cut or not isinstance(recording, dict):
            kind = cut.get("type", "a cut without a recording")
            yield Row(row.path, row.line, RowError("unsupported", f"{kind}: only cuts of one recording can be read"))
        elif not isinstance(supervisions, list) or not supervisions:
            yield Row(row.path, row.line, RowError("no-text", "the cut has no supervision"))
        else:
            for supervision in supervisions:
                yield _clip(row, supervision, recording=recording, cut=cut)


def _clip(row: Row, supervision: Json, *, recording: Json, cut: Json | None = None) -> Clip | Row:
    try:
        start_s, duration_s = _times(supervision, cut)
        name, channels = _source(recording, _channels(supervision.get("channel", 0)))
        whole = start_s == 0 and _is_about(duration_s, recording)
        return Clip(
            Row(row.path, row.line, _labels(supervision)),
            row.path.parent / name,
            start_s=None if whole else start_s,
            duration_s=duration_s,
            channels=channels,
        )
    except RowError as error:
        return Row(row.path, row.line, error)


def _labels(supervision: Json) -> Cells:
    custom = supervision.get("custom")
    origin = custom.get("origin") if isinstance(custom, dict) else None
    return {k: supervision.get(k) for k in ("text", "speaker", "language")} | {"origin": origin}


def _times(supervision: Json, cut: Json | None) -> tuple[float, float]:
    """Start and duration in the recording; a supervision that reaches out of its cut is cut off there."""
    start_s, duration_s = seconds_of(supervision, "start"), seconds_of(supervision, "duration")
    if start_s is None or duration_s is None:
        raise RowError("bad-times", "the supervision has no start or no duration")
    if cut is None:
        return start_s, duration_s
    cut_start_s, cut_duration_s = seconds_of(cut, "start") or 0.0, seconds_of(cut, "duration") or 0.0
    first_s, last_s = max(0.0, start_s), min(cut_duration_s, start_s + duration_s)
    return cut_start_s + first_s, max(0.0, last_s - first_s)


def _is_about(duration_s: float, recording: Json) -> bool:
    """Whether a supervision is as long as its recording, to the sample."""
    rate_hz, num_samples = recording.get("sampling_rate"), recording.get("num_samples")
    if not isinstance(rate_hz, int) or not isinstance(num_samples, int):
        return False
    return round(duration_s * rate_hz) == num_samples


def _channels(value: object) -> tuple[int, ...]:
    channels = value if isinstance(value, Sequence) else [value]
    if not channels or not all(isinstance(channel, int) and channel >= 0 for channel in channels):
        raise RowError("bad-channel", f"{str(value)[:40]!r} is no channel, nor a list of them")
    return tuple(channels)


def _source(recording: Json, channels: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """The one file that holds the channels, and which of its own they are, from 0."""
    sources = [s for s in recording.get("sources") or [] if set(channels) <= set(s.get("channels", [0]))]
    if recording.get("transforms"):
        raise RowError("unsupported", "the recording is transformed on the fly; save it as audio first")
    if not sources:
        wanted = " and ".join(f"channel {channel}" for channel in channels)
        raise RowError("bad-channel", f"no one file of the recording holds {wanted}")
    kind, name = sources[0].get("type"), sources[0].get("source")
    if kind != "file":
        word = "unsafe" if kind == "command" else "unsupported"
        raise RowError(word, f"the recording is of type {kind!r}; only files are read, nothing is run or downloaded")
    if not isinstance(name, str) or not name:
        raise RowError("audio-missing", "the recording names no file")
    held = list(sources[0].get("channels", [0]))
    return name, tuple(held.index(channel) for channel in channels)
