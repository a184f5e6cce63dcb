"""What the cells of a row must be: a text that can be read aloud, and labels of a known shape."""

import json
import re
import unicodedata

from catalogs.ingest.rows import Cells, RowError
from catalogs.records import Slot

_SURROGATE = re.compile("[\ud800-\udfff]")
_RAW_BYTE = re.compile("[\udc80-\udcff]")
# Controls that are no white space, and the sign that an earlier conversion leaves where it lost a letter.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_INVISIBLE = str.maketrans("", "", "\ufeff\u00ad")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")


def clean_text(value: object, *, max_chars: int) -> str:
    """Bring a text to its one form: NFC, white space collapsed, byte-order marks and soft hyphens removed.

    Emoji, joiners and right-to-left marks stay. Other control characters are refused rather than removed:
    they say that the text is not what its author wrote.

    Raises:
        RowError: if it is no text, or none that could be read aloud.
    """
    if not isinstance(value, str):
        raise RowError("no-text", f"the text is {_json_name(value)}, not a string")
    _check_characters(value)
    text = " ".join(unicodedata.normalize("NFC", value.translate(_INVISIBLE)).split())
    if not text:
        raise RowError("empty-text", "the text is empty")
    if len(text) > max_chars:
        raise RowError(
            "too-long", f"{len(text):,} characters, where {max_chars:,} are the limit; split it into sentences"
        )
    return text


def language_of(value: object, *, default: str) -> str:
    """Read a language tag such as ``en``, ``pt-BR`` or ``lao``; an empty cell is the default.

    Raises:
        RowError: if it, or the default in its place, is no language tag.
    """
    tag = default if value is None or value == "" else value
    if isinstance(tag, str) and _LANGUAGE.fullmatch(tag.strip()):
        return tag.strip()
    raise RowError("bad-language", f"{str(tag)[:40]!r} is no language tag such as 'en' or 'pt-BR'")


def word_of(cells: Cells, column: str | None, *, default: str | None) -> str | None:
    """Read a one-word label (domain, split, intent); an empty or missing cell is the default.

    Raises:
        RowError: if it is a list or an object.
    """
    value = cells.get(column) if column else None
    if value is None or value == "":
        return default
    if isinstance(value, list | dict):
        raise RowError("bad-labels", f"{column} is {_json_name(value)}, not a word")
    return _label(value)


def slots_of(cells: Cells, column: str | None) -> tuple[Slot, ...]:
    """Read slots, each name once: a slot with several values holds them all, parted by semicolons.

    Raises:
        RowError: as `entities_of` does.
    """
    values: dict[str, list[str]] = {}
    for slot in entities_of(cells, column):
        values.setdefault(slot.name, []).append(slot.value)
    return tuple(Slot(name, "; ".join(held)) for name, held in values.items())


def entities_of(cells: Cells, column: str | None) -> tuple[Slot, ...]:
    """Read named values: a mapping, or a list of objects with a ``name`` or ``type`` and a ``value``.

    A cell of a table holds the same as JSON.

    Raises:
        RowError: if it is anything else.
    """
    value = cells.get(column) if column else None
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise RowError("bad-labels", f"{column} is not JSON: {value[:40]!r}") from None
    if value is None or value == "":
        return ()
    if isinstance(value, dict):
        return tuple(slot for name, held in value.items() for slot in _named(name, held, column=column))
    if isinstance(value, list):
        return tuple(slot for item in value for slot in _item(item, column))
    raise RowError("bad-labels", f"{column} is {_json_name(value)}, not a mapping or a list")


def _item(item: object, column: str | None) -> list[Slot]:
    if isinstance(item, dict) and "value" in item:
        name = item.get("name", item.get("type"))
        if isinstance(name, str):
            return _named(name, item["value"], column=column)
    raise RowError("bad-labels", f"{column} has an item without a name (or type) and a value: {str(item)[:60]}")


def _named(name: str, held: object, *, column: str | None) -> list[Slot]:
    """One slot, or one for each value of a list; a value of null says that the slot is not filled."""
    values = held if isinstance(held, list) else [held]
    if any(isinstance(value, list | dict) for value in values):
        raise RowError("bad-labels", f"{column}: the value of {name[:40]!r} is neither a word nor a list of words")
    return [Slot(_label(name), _label(value)) for value in values if value is not None]


def _label(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    _check_characters(text)
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def _check_characters(text: str) -> None:
    if text.isascii() and text.isprintable():
        return
    if raw := _RAW_BYTE.search(text):
        raise RowError("invalid-encoding", f"byte 0x{ord(raw[0]) - 0xDC00:02X} is not in the file's encoding")
    if lone := _SURROGATE.search(text):
        raise RowError("lone-surrogate", f"half a character, U+{ord(lone[0]):04X}: a surrogate without its pair")
    if control := _CONTROL.search(text):
        raise RowError("control-character", f"control character U+{ord(control[0]):04X}; remove it")
    if "\ufffd" in text:
        raise RowError("damaged-text", "a replacement character, U+FFFD: an earlier conversion lost a letter")


def _json_name(value: object) -> str:
    if value is None:
        return "missing"
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object", str: "a string"}
    return names.get(type(value), type(value).__name__)
