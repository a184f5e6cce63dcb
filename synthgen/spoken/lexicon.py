"""A pronunciation lexicon: how a team wants its own words to be said."""

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from catalogs.errors import InputError
from catalogs.ids import content_id
from synthgen.spoken.characters import clean

TOKEN = re.compile(r"\w+|[^\w\s]")
LETTER_BY_LETTER = re.compile(r"\S")
WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "km", "my"})
"""Languages that do not part their words, in which an entry may match anywhere."""


class Lexicon:
    """Replace whole written words by spoken ones, whatever their case, the longest entry first.

    The time it takes depends on the text, not on the number of entries.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self.entries = {_fold(written): " ".join(clean(spoken).split()) for written, spoken in entries.items()}
        self.version = content_id("lexicon", self.entries)
        self._by_start: dict[tuple[str, bool], list[str]] = {}
        for written in sorted(self.entries, key=lambda written: (-len(written), written)):
            for letters, pattern in ((False, TOKEN), (True, LETTER_BY_LETTER)):
                start = pattern.search(written)
                if start is not None:
                    self._by_start.setdefault((start[0], letters), []).append(written)

    def apply(self, text: str, *, language: str) -> str:
        """Return the text with every entry replaced; replaced text is not looked at again."""
        if not self.entries:
            return text
        letters = language in WITHOUT_SPACES
        folded = text.casefold()
        if len(folded) != len(text):  # ß and a few others grow: fold what keeps its length
            folded = "".join(char.casefold() if len(char.casefold()) == 1 else char for char in text)
        said: list[str] = []
        done = 0
        for token in (LETTER_BY_LETTER if letters else TOKEN).finditer(folded):
            start = token.start()
            if start < done:
                continue
            for written in self._by_start.get((token[0], letters), ()):
                end = start + len(written)
                if folded.startswith(written, start) and (letters or _is_whole(folded, start, end)):
                    said += text[done:start], self.entries[written]
                    done = end
                    break
        return "".join((*said, text[done:])) if said else text


def _fold(written: str) -> str:
    return " ".join(clean(written).casefold().split())


def _is_whole(text: str, start: int, end: int) -> bool:
    cuts_start = start > 0 and _joins(text[start - 1]) and _joins(text[start])
    return not cuts_start and not (end < len(text) and _joins(text[end - 1]) and _joins(text[end]))


def _joins(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char).startswith("M")


def read_lexicon(path: Path) -> Lexicon:
    """Read ``written<TAB>spoken`` lines, or a JSON object when the name ends in ``.json``.

    In the first form, empty lines and lines that begin with ``# `` are skipped.

    Raises:
        InputError: for a file that is missing or malformed, an entry given twice, or one whose spoken form
            would be replaced again, so that a text would change each time it is read.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"lexicon {path} cannot be read: {error}") from error
    lexicon = Lexicon(_from_json(content, path) if path.suffix == ".json" else _from_lines(content, path))
    for written, spoken in lexicon.entries.items():
        again = lexicon.apply(spoken, language="en")
        if again != spoken:
            raise InputError(f"lexicon {path}: {written!r} is said {spoken!r}, which another entry makes {again!r}")
    return lexicon


def _from_json(content: str, path: Path) -> dict[str, str]:
    try:
        entries = json.loads(content)
    except json.JSONDecodeError as error:
        raise InputError(f"lexicon {path} is not JSON: {error}") from error
    if not isinstance(entries, dict) or not all(isinstance(spoken, str) for spoken in entries.values()):
        raise InputError(f'lexicon {path}: expected one object {{"written": "spoken", …}}')
    return _without_repeats([(f"entry {written!r}", written, spoken) for written, spoken in entries.items()], path)


def _from_lines(content: str, path: Path) -> dict[str, str]:
    rows: list[tuple[str, str, str]] = []
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip() or line.startswith("# "):
            continue
        cells = line.split("\t")
        if len(cells) != 2:
            raise InputError(f"lexicon {path}, line {number}: expected written<TAB>spoken, found {line!r}")
        rows.append((f"line {number}", cells[0], cells[1]))
    return _without_repeats(rows, path)


def _without_repeats(rows: list[tuple[str, str, str]], path: Path) -> dict[str, str]:
    entries: dict[str, str] = {}
    for place, written, spoken in rows:
        if not _fold(written):
            raise InputError(f"lexicon {path}, {place}: the written form is empty")
        if _fold(written) in entries:
            raise InputError(f"lexicon {path}, {place}: {written!r} is given twice (case does not count)")
        entries[_fold(written)] = spoken
    return entries
