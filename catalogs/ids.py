"""Ids are 128-bit hashes of what a thing is made of: the same content has the same id, everywhere."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Id: TypeAlias = str
"""A content hash in the text form of a UUID, which is how DuckDB stores it."""

Part: TypeAlias = "str | int | float | bool | Sequence[Part] | Mapping[str, Part] | None"


_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def content_id(kind: str, *parts: Part) -> Id:
    """Hash a kind and its parts; parts are told apart, so ("ab", "c") is not ("a", "bc")."""
    digest = hashlib.blake2b(canonical([kind, *parts]).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def canonical(value: Part) -> str:
    """Write a value as JSON that depends on its content alone (sorted keys, no spaces, NaN refused)."""
    return _encode(value)


def seed_of(*parts: Part) -> int:
    """Derive a seed in [0, 2**63) from content, so that it belongs to its line and to no worker."""
    return int.from_bytes(hashlib.blake2b(canonical(list(parts)).encode(), digest_size=8).digest(), "big") >> 1
