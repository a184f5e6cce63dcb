"""Names that are safe in files, tars and tables, and still tell apart what was apart."""

import re
import string

_SAFE = frozenset(string.ascii_letters + string.digits + "_")


def escape(name: str, *, keep: str = ".-") -> str:
    """Write each byte but ASCII letters, digits, ``_`` and those of ``keep`` as ``=XX``, like quoted-printable.

    Different names stay different. A first dot or dash is escaped too, so the result is never hidden, an option, or
    a way out of a folder; no name at all becomes ``=``.
    """
    if not name:
        return "="
    allowed = _SAFE | frozenset(keep)
    start = "".join(_escaped(char) if char not in _SAFE else char for char in name[0])
    return start + "".join(char if char in allowed else _escaped(char) for char in name[1:])


def hub_split(split: str) -> str:
    """A split's name as Hugging Face allows it (letters, digits, ``_``); it may be another split's as well."""
    return re.sub(r"\W", "_", split) or "_"


def _escaped(char: str) -> str:
    return "".join(f"={byte:02X}" for byte in char.encode())
