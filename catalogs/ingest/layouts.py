"""How corpora of real speech are laid out on disk: each reader turns one layout into clips.

A clip's row has the columns ``text``, ``speaker`` and ``language`` where the layout knows them. Relative
audio paths are looked up from the manifest's folder. Nothing that a manifest names is ever executed.

Manifests of JSON lines, or tables with a header, are one file, one in a folder, or one in each folder inside
it, as exports have one for each split.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

from catalogs.errors import InputError
from catalogs.ingest.clips import Clip
from catalogs.ingest.rows import Cells, Row, RowError, check_column, format_of, open_text, read_rows

Layout: TypeAlias = Literal["ljspeech", "kaldi", "nemo", "lhotse", "jsonl"]
Reader: TypeAlias = Callable[[Path], Iterator[Clip | Row]]
"""Reads a folder or manifest; a row comes out bare when it is damaged and names no audio."""

_AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
_TABLE = "metadata.csv"
_MANIFESTS = ("manifest.jsonl", "manifest.jsonl.gz", "manifest.json", "metadata.jsonl", _TABLE)
# What NeMo, those who write British English, and Hugging Face's audiofolder call the columns; our exports do as well.
_ALIASES = {"lang": "language", "licence": "license", "file_name": "audio"}


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
    if _TABLE in names and not _has_header(path if path.is_file() else path / _TABLE):
        return "ljspeech"
    manifest = path if path.is_file() else _manifest_in(path)
    if manifest is None and any("supervisions" in name or "cuts" in name for name in names):
        return "lhotse"
    manifest = manifest or next(iter(_manifests(path)), None)
    if manifest is None:
        raise InputError(
            f"{path} has none of metadata.csv (LJSpeech), wav.scp (Kaldi), {_MANIFESTS[0]}, "
            "or Lhotse supervisions or cuts"
        )
    columns = _first_cells(manifest)
    if "audio_filepath" in columns:
        return "nemo"
    return "lhotse" if {"recording", "recording_id", "tracks", "sources"} & set(columns) else "jsonl"


def _first_cells(manifest: Path) -> Cells:
    for row in _rows(manifest):
        if not isinstance(row.cells, RowError):
            return row.cells
    return {}


def _rows(manifest: Path) -> Iterator[Row]:
    format_ = format_of(manifest)
    return read_rows(manifest, format_ if format_ in ("csv", "tsv") else "jsonl")


def read_jsonl(path: Path, *, audio: str = "audio") -> Iterator[Clip | Row]:
    """Read manifests of one JSON object, or row of a table, a recording: a path in ``audio``, and any labels.

    With ``offset``, the clip is ``duration`` seconds from there; else it is the whole file, which must be so long.
    """
    manifests = _manifests(path)
    if not manifests:
        raise InputError(f"{path} has no {_MANIFESTS[0]}")
    for manifest in manifests:
        for index, row in enumerate(_rows(manifest)):
            if isinstance(row.cells, RowError):
                yield row
                continue
            cells = _named_as_usual(row.cells)
            if index == 0:
                check_column(audio, cells, where=str(manifest))
            yield _from_cells(Row(row.path, row.line, cells), cells, audio=audio)


def read_nemo(path: Path) -> Iterator[Clip | Row]:
    """Read a NeMo manifest: ``audio_filepath``, ``text``, ``duration`` and ``offset``, which is 0 if missing."""
    for clip in read_jsonl(path, audio="audio_filepath"):
        yield replace(clip, may_end_early=True) if isinstance(clip, Clip) else clip


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


def _named_as_usual(cells: Cells) -> Cells:
    """The same cells, and those that have another name under their usual one too, unless something stands there."""
    known = {usual: cells[name] for name, usual in _ALIASES.items() if name in cells}
    return {**cells, **{usual: value for usual, value in known.items() if cells.get(usual) in (None, "")}}


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
    if value is None or value == "":
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


def _manifests(path: Path) -> list[Path]:
    """The file itself, the folder's manifest, or else those of the folders in it, in the order of their names."""
    if path.is_file():
        return [path]
    if own := _manifest_in(path):
        return [own]
    inside = (_manifest_in(folder) for folder in sorted(path.iterdir()) if folder.is_dir())
    return [manifest for manifest in inside if manifest]


def _manifest_in(folder: Path) -> Path | None:
    found = (folder / name for name in _MANIFESTS if (folder / name).is_file())
    return next((path for path in found if path.name != _TABLE or _has_header(path)), None)


def _has_header(table: Path) -> bool:
    """Whether a ``metadata.csv`` is a table that names its audio, and not LJSpeech's, which is parted by bars."""
    first = next((line for _, line in lines(table)), "")
    names = {name.strip(' "') for name in first.split(",")}
    return "|" not in first and not names.isdisjoint({"audio", "file_name"})
