"""Kaldi data folders: ``wav.scp``, ``text``, and maybe ``segments``, ``utt2spk``, ``utt2lang`` and ``utt2origin``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalogs.errors import InputError
from catalogs.ingest.clips import Clip
from catalogs.ingest.layouts import lines, seconds_of
from catalogs.ingest.rows import Row, RowError


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    value: str


def read_kaldi(path: Path) -> Iterator[Clip | Row]:
    """Read a data folder in the order of its segments, or of its recordings where there are none.

    A recording that is the output of a command is refused: a corpus must not run programs.
    """
    folder = path if path.is_dir() else path.parent
    recordings = _table(folder / "wav.scp")
    texts = _table(folder / "text")
    segments = _table(folder / "segments") if (folder / "segments").is_file() else None
    labels = {
        column: _table(folder / name) if (folder / name).is_file() else {}
        for column, name in (("speaker", "utt2spk"), ("language", "utt2lang"), ("origin", "utt2origin"))
    }
    for name, entry in (segments or recordings).items():
        text = texts.pop(name, None)
        if text is None:
            where = folder / ("segments" if segments else "wav.scp")
            yield Row(where, entry.line, RowError("no-text", f"{name} has no line in {folder / 'text'}"))
            continue
        known = {column: table[name].value for column, table in labels.items() if name in table}
        row = Row(folder / "text", text.line, {"text": text.value} | known)
        try:
            yield _clip(row, name, segments=segments, recordings=recordings)
        except RowError as error:
            yield Row(row.path, row.line, error)
    for name, text in texts.items():
        yield Row(folder / "text", text.line, RowError("audio-missing", f"{name} has a text and no recording"))


def _clip(row: Row, name: str, *, segments: dict[str, _Entry] | None, recordings: dict[str, _Entry]) -> Clip:
    start_s, duration_s = None, None
    if segments is not None:
        recording, times = _segment(name, segments[name].value)
        start_s = times[0]
        duration_s = None if times[1] < 0 else times[1] - times[0]  # Kaldi writes -1 for "to the end"
        name = recording
    if name not in recordings:
        raise RowError("audio-missing", f"recording {name} is not in wav.scp")
    return Clip(row, row.path.parent / _path(recordings[name].value), start_s=start_s, duration_s=duration_s)


def _segment(name: str, value: str) -> tuple[str, tuple[float, float]]:
    parts = value.split()
    if len(parts) < 3:
        raise RowError("bad-row", f"segment {name} is not: utterance, recording, start, end")
    cells = {"start": parts[1], "end": parts[2]}
    start_s, end_s = seconds_of(cells, "start"), seconds_of(cells, "end")
    return parts[0], (start_s or 0.0, -1.0 if end_s is None else end_s)


def _path(value: str) -> str:
    if value.endswith("|") or value.startswith("|"):
        raise RowError(
            "unsafe", f"the recording is the output of a command, which is not run: {value[:60]!r}; write it to a file"
        )
    if value == "-":
        raise RowError("audio-missing", f"{value!r} names no file")
    return value


def _table(path: Path) -> dict[str, _Entry]:
    """Read lines of a name and a value; the value may be empty."""
    table: dict[str, _Entry] = {}
    for number, line in lines(path):
        name, *value = line.split(maxsplit=1)
        if name in table:
            raise InputError(f"{path}:{number}: {name} is there twice, first in line {table[name].line}")
        table[name] = _Entry(number, value[0] if value else "")
    return table
