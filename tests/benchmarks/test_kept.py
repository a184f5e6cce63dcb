"""What experiments keep of what they have found: once for the same, anew for something else."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.kept import kept
from catalogs.ids import content_id

ONE, OTHER = content_id("one"), content_id("other")


class Finder:
    """Finds another number each time, and counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"number": self.times, "pairs": (1, 2)}


def test_the_same_is_found_once_and_read_back_as_it_was(tmp_path: Path) -> None:
    find, path = Finder(), tmp_path / "folder" / "row.json"

    first = kept(path, ONE, find)
    again = kept(path, ONE, find)

    assert (first["number"], find.times) == (1, 1)
    assert again == first, "what is found reads as it does from the file"


def test_what_is_kept_of_something_else_is_found_anew(tmp_path: Path) -> None:
    find, path = Finder(), tmp_path / "row.json"
    kept(path, ONE, find)

    assert kept(path, OTHER, find)["number"] == 2
    assert kept(path, OTHER, find)["number"] == 2


def test_what_fails_keeps_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    find, path = Finder(), tmp_path / "row.json"
    kept(path, ONE, find)

    def fail() -> dict[str, Any]:
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        kept(path, OTHER, fail)

    assert kept(path, ONE, find)["number"] == 1
    assert [found.name for found in tmp_path.iterdir()] == ["row.json"]
