"""Texts to be read, from text, CSV, TSV and JSON-lines files, as a stream of prompts."""

import glob
import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalogs.errors import InputError
from catalogs.ids import Id, content_id
from catalogs.ingest.cells import clean_text, entities_of, language_of, slots_of, word_of
from catalogs.ingest.rows import SUFFIXES, Cells, Format, Row, RowError, check_column, format_of, read_rows
from catalogs.records import Failure, Prompt

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_PEEK_ROWS = 100
_FORMATS: tuple[Format, ...] = tuple(dict.fromkeys(SUFFIXES.values()))


@dataclass(frozen=True, slots=True)
class PromptSource:
    """Where prompts come from: one table of a recipe.

    ``path`` is a file, a glob, or a folder whose files are read in the order of their names. Columns may
    be missing from a file as long as they have their usual names; a column you name must be there.
    ``language``, ``domain`` and ``split`` hold where the column is missing or empty.
    """

    path: str
    format: Literal["auto", "txt", "csv", "tsv", "jsonl"] = "auto"
    text: str = "text"
    language: str = "en"
    language_column: str | None = "language"
    domain: str | None = None
    domain_column: str | None = "domain"
    split: str | None = None
    split_column: str | None = "split"
    intent_column: str | None = "intent"
    slots_column: str | None = "slots"
    entities_column: str | None = "entities"
    encoding: str = "utf-8"
    max_chars: int = 2_000
    limit: int | None = None


def read_prompts(source: PromptSource) -> Iterator[Prompt | Failure]:
    """Read prompts in order, each text once; a bad row, or one that repeats a text, is a failure.

    Memory is about 150 bytes a prompt, whatever its length.

    Raises:
        InputError: at once if there is nothing to read; while reading, if a file is broken as a whole or
            a named column is nowhere.
    """
    return _read(source, _files(source))


def fingerprint(source: PromptSource) -> Id:
    """Hash the files' bytes and every setting but the path: the same texts, wherever they lie.

    Raises:
        InputError: if there is nothing to read, or a file cannot be.
    """
    settings = {f.name: getattr(source, f.name) for f in fields(source) if f.name != "path"}
    try:
        contents = [[format_, _sha256(path)] for path, format_ in _files(source)]
    except OSError as error:
        raise InputError(f"{source.path} cannot be read: {error.strerror or error}") from error
    return content_id("prompts", settings, contents)


@dataclass(slots=True)
class _Seen:
    """The texts so far by id, with the place and a hash of the labels of each; a few plain arrays."""

    rows: dict[bytes, int] = field(default_factory=dict)
    lines: "array[int]" = field(default_factory=lambda: array("Q"))
    labels: "array[int]" = field(default_factory=lambda: array("q"))
    files: list[tuple[int, Path]] = field(default_factory=list)

    def check(self, prompt: Prompt, row: Row) -> None:
        """Note a prompt; raise `RowError` if its text has been seen."""
        labels = hash((prompt.domain, prompt.split, prompt.intent, prompt.slots, prompt.entities))
        first = self.rows.setdefault(bytes.fromhex(prompt.id.replace("-", "")), len(self.lines))
        if first < len(self.lines):
            but = "" if self.labels[first] == labels else ", with other labels; the first are kept"
            raise RowError("duplicate", f"the same text as {self._place(first)}{but}")
        if not self.files or self.files[-1][1] != row.path:
            self.files.append((first, row.path))
        self.lines.append(row.line)
        self.labels.append(labels)

    def _place(self, index: int) -> str:
        path = next(path for start, path in reversed(self.files) if start <= index)
        return f"{path}:{self.lines[index]}"


def _read(source: PromptSource, files: list[tuple[Path, Format]]) -> Iterator[Prompt | Failure]:
    seen = _Seen()
    columns: set[str] = set()
    num_rows = 0
    for path, format_ in files:
        here = replace(source, text="text") if format_ == "txt" else source
        rows = read_rows(path, format_, encoding=source.encoding)
        for row in _with_text_column(rows, text=here.text, path=path):
            num_rows += 1
            try:
                if isinstance(row.cells, RowError):
                    raise row.cells
                columns.update(row.cells)
                prompt = prompt_of(row.cells, here)
                seen.check(prompt, row)
            except RowError as error:
                yield row.failure(error)
                continue
            yield prompt
            if source.limit is not None and len(seen.lines) >= source.limit:
                return
    if not num_rows:
        raise InputError(f"{source.path} has no rows")
    for column in named_columns(source) if columns else ():
        check_column(column, columns, where=source.path)


def _with_text_column(rows: Iterator[Row], *, text: str, path: Path) -> Iterator[Row]:
    """Look ahead, so that a wrong column name is one error and not a failure a row."""
    head = list(islice(rows, _PEEK_ROWS))
    cells = [row.cells for row in head if not isinstance(row.cells, RowError)]
    if cells:
        check_column(text, chain.from_iterable(cells), where=str(path))
    return chain(head, rows)


def named_columns(source: "DataclassInstance") -> list[str]:
    """The columns that the user named: those that are not the usual ones."""
    columns = [(getattr(source, f.name), f.default) for f in fields(source) if f.name.endswith("_column")]
    return [named for named, usual in columns if named is not None and named != usual]


def prompt_of(cells: Cells, source: PromptSource) -> Prompt:
    """Read the prompt of one row.

    Raises:
        RowError: if the text cannot be read aloud, or a label has the wrong shape.
    """
    text = clean_text(cells.get(source.text), max_chars=source.max_chars)
    column = source.language_column
    language = language_of(cells.get(column) if column else None, default=source.language)
    return Prompt(
        id=Prompt.id_of(text, language),
        text=text,
        language=language,
        domain=word_of(cells, source.domain_column, default=source.domain),
        split=word_of(cells, source.split_column, default=source.split),
        intent=word_of(cells, source.intent_column, default=None),
        slots=slots_of(cells, source.slots_column),
        entities=entities_of(cells, source.entities_column),
    )


def _files(source: PromptSource) -> list[tuple[Path, Format]]:
    path = Path(source.path).expanduser()
    if path.is_file():
        return [(path, _format(path, source))]
    if path.is_dir():
        wanted = _FORMATS if source.format == "auto" else (source.format,)
        found = [p for p in sorted(path.rglob("*")) if p.is_file() and not p.name.startswith(".")]
        found = [p for p in found if format_of(p) in wanted]
        if not found:
            raise InputError(f"{path} holds no file to read; the names end in {', '.join(SUFFIXES)}, .gz or not")
        return [(p, _format(p, source)) for p in found]
    if glob.has_magic(source.path):
        names = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
        found = [Path(name) for name in names if Path(name).is_file()]
        if not found:
            raise InputError(f"no file matches {source.path}")
        return [(p, _format(p, source)) for p in found]
    raise InputError(f"there is no file {source.path}{_nearest(path)}")


def _format(path: Path, source: PromptSource) -> Format:
    if source.format != "auto":
        return source.format
    found = format_of(path)
    if found is None:
        known = " or ".join(f'"{name}"' for name in _FORMATS)
        raise InputError(f"{path}: the name does not tell the format; set format = {known}")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _nearest(path: Path) -> str:
    """A hint at a file of nearly the same name."""
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, beside, n=1)
    return f"; did you mean {path.parent / near[0]}?" if near else ""
