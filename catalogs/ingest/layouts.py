"""How corpora of real speech are laid out on disk: each reader turns one layout into clips.

A clip's row has the columns ``text``, ``speaker`` and ``language`` where the layout knows them. Relative
audio paths are looked up from the manifest's folder. Nothing that a manifest names is ever executed.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

from catalogs.errors import InputError
from catalogs.ingest.clips import Clip
from catalogs.ingest.rows import Cells, Row, RowError, check_column, open_text, read_rows

Layout: TypeAlias = Literal["ljspeech", "kaldi", "nemo", "lhotse", "jsonl"]
Reader: TypeAlias = Callable[[Path], Iterator[Clip | Row]]
"""Reads a folder or manifest; a row comes out bare when it is damaged and names no audio."""

_AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
_MANIFESTS = ("manifest.jsonl", "manifest.jsonl.gz", "manifest.json", "metadata.jsonl")


def detect(path: Path) -> Layout:
    """Tell the layout of a folder or manifest by its files and the columns of its first row.

    Raises:
        InputError: if there is nothing there, or nothing known.
    """
    if not path.exists():
        raise InputError(f"there is no corpus at {path}")
    names = {p.name for p in path.iterdir()} if path.is_dir() else {path.name}
    if "wav.scp" in names:
        return "kaldi"
    if "metadata.csv" in names:
        return "ljspeech"
    manifest = path if path.is_file() else _manifest_in(path)
    if manifest is None:
        if any("supervisions" in name or "cuts" in name for name in names):
            return "lhotse"
        raise InputError(
            f"{path} has none of metadata.csv (LJSpeech), wav.scp (Kaldi), {_MANIFESTS[0]}, "
            "or Lhotse supervisions or cuts"
        )
    columns = _first_cells(manifest)
    if "audio_filepath" in columns:
        return "nemo"
    return "lhotse" if {"recording", "recording_id", "tracks", "sources"} & set(columns) else "jsonl"


def _first_cells(manifest: Path) -> Cells:
    for row in read_rows(manifest, "jsonl"):
        if not isinstance(row.cells, RowError):
            return row.cells
    return {}


def read_jsonl(path: Path, *, audio: str = "audio") -> Iterator[Clip | Row]:
    """Read a manifest of one JSON object a recording: a path in ``audio``, and any labels.

    With ``offset``, the clip is ``duration`` seconds from there; else it is the whole file.
    """
    manifest = path if path.is_file() else _manifest_in(path)
    if manifest is None:
        raise InputError(f"{path} has no {_MANIFESTS[0]}")
    for index, row in enumerate(read_rows(manifest, "jsonl")):
        if isinstance(row.cells, RowError):
            yield row
            continue
        if index == 0:
            check_column(audio, row.cells, where=str(manifest))
        yield _from_cells(row, row.cells, audio=audio)


def read_nemo(path: Path) -> Iterator[Clip | Row]:
    """Read a NeMo manifest: ``audio_filepath``, ``text``, ``duration`` and maybe ``offset``."""
    return read_jsonl(path, audio="audio_filepath")


def read_ljspeech(path: Path) -> Iterator[Clip | Row]:
    """Read ``metadata.csv`` (id, text, and maybe the text as it is spoken, parted by bars) and ``wavs/``."""
    table = path if path.is_file() else path / "metadata.csv"
    for number, line in lines(table):
        name, *texts = line.split("|")
        if not texts:
            yield Row(table, number, RowError("bad-row", "there is no bar between the id and the text"))
            continue
        spoken = texts[1] if len(texts) > 1 and texts[1].strip() else texts[0]
        yield Clip(Row(table, number, {"text": spoken}), _sound_file(table.parent / "wavs", name.strip()))


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file and their numbers; blank ones are left out."""
    with open_text(path, newline=None) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.strip()


def _from_cells(row: Row, cells: Cells, *, audio: str) -> Clip | Row:
    name = cells.get(audio)
    if not isinstance(name, str) or not name:
        return Row(row.path, row.line, RowError("audio-missing", f"{audio} names no file"))
    try:
        start_s, duration_s = seconds_of(cells, "offset"), seconds_of(cells, "duration")
    except RowError as error:
        return Row(row.path, row.line, error)
    return Clip(row, row.path.parent / name, start_s=start_s, duration_s=duration_s)


def seconds_of(cells: Cells, column: str) -> float | None:
    """Read a time in seconds; a missing one is None.

    Raises:
        RowError: if it is no finite number.
    """
    value = cells.get(column)
    if value is None:
        return None
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise RowError("bad-times", f"{column} is {str(value)[:40]!r}, not a number of seconds")
    return seconds


def _sound_file(folder: Path, name: str) -> Path:
    """The file of that name in the folder, whatever its kind; a WAV file if there is none."""
    if Path(name).suffix.lower() in _AUDIO_SUFFIXES:
        return folder / name
    found = (folder / (name + suffix) for suffix in _AUDIO_SUFFIXES)
    return next((path for path in found if path.is_file()), folder / (name + _AUDIO_SUFFIXES[0]))


def _manifest_in(folder: Path) -> Path | None:
    return next((folder / name for name in _MANIFESTS if (folder / name).is_file()), None)
