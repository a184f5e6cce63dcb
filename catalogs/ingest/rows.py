"""Rows of text, CSV, TSV and JSON-lines files, one at a time, each with the line it begins on.

A row that is damaged comes out as a `RowError` in its place, so that the rows after it are still read.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

from catalogs.errors import InputError
from catalogs.ids import content_id
from catalogs.records import Failure

Format: TypeAlias = Literal["txt", "csv", "tsv", "jsonl"]
Cells: TypeAlias = Mapping[str, object]

SUFFIXES: dict[str, Format] = {
    ".txt": "txt",
    ".text": "txt",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class RowError(Exception):
    """What is wrong with one row: a short kind to group by, and a sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by column name, or what is wrong with it."""

    path: Path
    line: int
    cells: Cells | RowError

    @property
    def place(self) -> str:
        """The file and the line, as compilers write them."""
        return f"{self.path}:{self.line}"

    def failure(self, error: RowError) -> Failure:
        """The record of a row that could not be ingested."""
        return Failure(
            stage="ingest",
            subject_id=content_id("row", _printable(str(self.path)), self.line),
            attempt=1,
            error=error.kind,
            message=_printable(f"{self.place}: {error}"),
        )


def _printable(text: str) -> str:
    """The same text, with undecodable bytes and half characters written out, so that it can be stored."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def format_of(path: Path) -> Format | None:
    """The format that a file name stands for; a further ``.gz`` does not matter."""
    return SUFFIXES.get(Path(path.name.lower().removesuffix(".gz")).suffix)


def read_rows(path: Path, format_: Format, *, encoding: str = "utf-8") -> Iterator[Row]:
    """Read the rows of a file. A text file has one column, ``text``; blank lines are no rows.

    CSV is quoted as spreadsheets do it; TSV has no quoting at all.

    Raises:
        InputError: if the file cannot be opened, is empty, is in another encoding, or is broken as a whole.
    """
    newline = {"txt": None, "jsonl": "\n"}.get(format_, "")
    with open_text(path, encoding, newline=newline) as file:
        if format_ in ("csv", "tsv"):
            yield from _table(path, file, quoted=format_ == "csv")
            return
        for number, line in enumerate(file, start=1):
            line = line.strip()
            if line:
                yield Row(path, number, {"text": line} if format_ == "txt" else _json_cells(line))


@contextmanager
def open_text(path: Path, encoding: str = "utf-8", *, newline: str | None = "\n") -> Iterator[TextIO]:
    """Open a text file, gzipped or not; bytes that are not in the encoding become lone surrogates.

    Raises:
        InputError: if the file cannot be opened, is empty, is in another encoding, or is broken as a whole.
    """
    codec = _codec(encoding)
    try:
        _check_start(path, codec)
        with _open_bytes(path) as raw:
            yield io.TextIOWrapper(raw, codec, errors="surrogateescape", newline=newline)
    except UnicodeError as error:
        raise InputError(f"{path} is not in the encoding {encoding!r}: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def check_column(column: str, seen: Iterable[str], *, where: str) -> None:
    """Refuse a column that no row has.

    Raises:
        InputError: naming the nearest column there is.
    """
    columns = sorted(set(seen))
    if column in columns:
        return
    near = get_close_matches(column, columns, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(columns) or 'none'}"
    raise InputError(f"{where} has no column {column!r}; {hint}")


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise InputError(f'there is no encoding named {encoding!r}; most files are "utf-8"') from error
    return "utf-8-sig" if name == "utf-8" else name


def _check_start(path: Path, codec: str) -> None:
    with _open_bytes(path) as file:
        start = file.read(2)
    if not start:
        raise InputError(f"{path} is empty")
    if start in _UTF16_MARKS and codec == "utf-8-sig":
        raise InputError(f'{path} is UTF-16, not UTF-8; set encoding = "utf-16"')


def _open_bytes(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _table(path: Path, file: TextIO, *, quoted: bool) -> Iterator[Row]:
    reader = csv.reader(
        file,
        delimiter="," if quoted else "\t",
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(path, line, RowError("bad-row", f"this row cannot be told apart ({error}); check its quotes"))
            continue
        if header is None:
            header = _header(path, values)
        elif any(values):
            yield Row(path, line, _table_cells(header, values))


def _header(path: Path, values: list[str]) -> list[str]:
    header = [value.strip() for value in values]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path} has two columns named {twice[0]!r}; rename one")
    return header


def _table_cells(header: list[str], values: list[str]) -> Cells | RowError:
    if len(values) > len(header):
        return RowError(
            "bad-row",
            f"{len(values)} cells where the header has {len(header)}; put cells that hold the separator in quotes",
        )
    return dict(zip(header, values, strict=False))


def _json_cells(line: str) -> Cells | RowError:
    try:
        value = json.loads(line)
    except RecursionError:
        return RowError("not-json", "the JSON is nested too deeply")
    except ValueError as error:
        return RowError("not-json", f"not JSON: {error}")
    if not isinstance(value, dict):
        return RowError("not-json", f"a JSON object is expected, found {type(value).__name__}")
    return value
