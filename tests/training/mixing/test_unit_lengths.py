"""How long units are: every word counts once among words and once in a segment, and the histogram holds all of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from training.interleaving.choosing import Choosing
from training.interleaving.units import Segments
from training.interleaving.words import Word
from training.mixing.unit_lengths import PLOT, ROWS, keep_lengths, told_lengths, unit_lengths

TIMED = [
    [Word("one", 0.0, 0.5, 0.0), Word("two,", 0.5, 0.75, 0.0), Word("three", 1.5, 2.5, 0.0)],
    [Word("four", 0.0, 0.25, 0.0)],
]


@pytest.mark.parametrize(
    ("granularity", "expected"),
    [
        ("word", {"words": [0.5, 0.25, 1.0, 0.25]}),
        ("segment", {"segments": [0.75, 1.0, 0.25]}),
        ("mixed", {"words": [0.5, 0.25, 1.0, 0.25], "segments": [0.75, 1.0, 0.25]}),
    ],
)
def test_units_of_the_kind_that_is_asked_for_are_counted(granularity: str, expected: dict[str, list[float]]) -> None:
    assert unit_lengths(TIMED, Choosing(granularity=granularity)) == expected  # type: ignore[arg-type]  # a name of one


def test_no_segment_of_several_words_is_longer_than_it_may_be() -> None:
    found = unit_lengths(TIMED, Choosing(granularity="segment", segments=Segments(max_s=0.6)))

    assert max(found["segments"]) == 1.0  # a word by itself
    assert sorted(found["segments"]) == [0.25, 0.25, 0.5, 1.0]


def test_they_are_told_and_the_histogram_holds_all_of_them(tmp_path: Path) -> None:
    found = unit_lengths(TIMED, Choosing())

    keep_lengths(found, tmp_path)

    rows = [json.loads(line) for line in (tmp_path / ROWS).read_text().splitlines()]
    assert told_lengths(found).startswith("units: 4 words of 0.25 to 1.00 s, half of them up to 0.38 s; 3 segments of")
    assert {name: counted(rows, name) for name in found} == {"words": 4, "segments": 3}
    assert (tmp_path / PLOT).read_text().startswith("<?xml")


def test_nothing_timed_is_nothing_told() -> None:
    assert told_lengths(unit_lengths([], Choosing())) == ""


def counted(rows: Sequence[dict[str, int]], name: str) -> int:
    return sum(row["count"] for row in rows if row["of"] == name)
