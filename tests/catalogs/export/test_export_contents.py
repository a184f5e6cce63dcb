"""What may not be exported is refused, and what is exported is described, whatever it is called."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from catalogs.errors import AudioError, ReleaseError, UsageError
from catalogs.export import FORMATS, ExportConfig, Format, ReleasedTake, Use, export
from catalogs.export.names import escape
from catalogs.export.sorting import SortedLines
from catalogs.records import Release

MakeTake: TypeAlias = Callable[..., ReleasedTake]
MakeRelease: TypeAlias = Callable[[Sequence[ReleasedTake]], Release]


@pytest.mark.parametrize(
    "licence", ["CC-BY-NC-4.0", "CPML (non-commercial, outputs included)", "cc-by-nc-sa-4.0", "unknown", "not stated"]
)
def test_a_commercial_export_refuses_what_is_not_licensed_for_it(
    licence: str, takes: list[ReleasedTake], make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    mixed = [*takes, *(make_take(f"refused {n}", engine="coqui", speaker="eve", licence=licence) for n in range(3))]
    config = ExportConfig("shar", intended_use="commercial")

    with pytest.raises(ReleaseError, match=r"3 by coqui/eve \(.*\)"):
        export(mixed, make_release(mixed), to=tmp_path / "sold", config=config)
    export(mixed, make_release(mixed), to=tmp_path / "studied", config=ExportConfig("shar"))
    export(takes, make_release(takes), to=tmp_path / "free", config=config)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["free", "studied"]


def test_notice_and_card_say_what_is_in_it(
    takes: list[ReleasedTake], make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    mixed = [*takes, make_take("hello", engine="mms", speaker="lao|\n# no", licence="CC-BY-NC-4.0", split="test-other")]
    release = make_release(mixed)

    export(mixed, release, to=tmp_path / "out", config=ExportConfig("parquet"))

    notice = (tmp_path / "out" / "NOTICE").read_text()
    assert "CC-BY-NC-4.0 (1 take)\n  mms/lao| # no: 1 take, synthetic" in notice
    assert "tone/anna: 4 takes" in notice
    card = (tmp_path / "out" / "README.md").read_text()
    assert card.startswith('---\npretty_name: "calls"\nlicense: other\n')
    assert "| test-other | 1 |" in card
    assert "| mms/lao\\| # no | CC-BY-NC-4.0 | 1 |" in card
    assert release.id in card
    assert "    WHERE wer < 0.1" in card


@pytest.mark.parametrize("format_", FORMATS)
def test_awkward_texts_speakers_and_splits_stay_inside(
    format_: Format, make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    texts = ['say "hi"\tto\nme\r\n', "a\u2028b\x85c", "ສະບາຍດີ", "", "../../x", "back\\slash | pipe", "'; DROP TABLE"]
    speakers = ["../../etc", "a b", "ä/ö", ".", "-rf", "x" * 60, "tab\there"]
    splits = ["../up", "/root", "..", "train", "", "Ünïcode", "a/b"]
    takes = [make_take(t, speaker=s, split=p) for t, s, p in zip(texts, speakers, splits, strict=True)]

    export(takes, make_release(takes), to=tmp_path / "in" / "out", config=ExportConfig(format_))

    assert [path.name for path in tmp_path.rglob("*") if "out" not in path.relative_to(tmp_path).parts] == ["in"]
    lines = [
        line
        for path in (tmp_path / "in" / "out").rglob("*.json*")
        if path.suffix in (".json", ".jsonl") and path.name != "synthgen_export.json"
        for line in path.read_text().splitlines()
    ]
    if format_ in ("nemo", "nemo-tarred", "jsonl"):
        assert {json.loads(line)["text"] for line in lines} == set(texts)


def test_splits_that_hugging_face_cannot_tell_apart_are_refused(
    make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    takes = [make_take("one", split="test-clean"), make_take("two", split="test_clean")]

    with pytest.raises(ReleaseError, match="'test-clean' and 'test_clean' would both be called 'test_clean'"):
        export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("parquet"))


def test_a_release_is_exported_whole_or_not_at_all(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    with pytest.raises(ReleaseError, match="has 7 takes, and 6 came"):
        export(takes[:6], make_release(takes), to=tmp_path / "out", config=ExportConfig("jsonl"))
    with pytest.raises(ReleaseError, match="has 0 takes"):
        export([], make_release([]), to=tmp_path / "out", config=ExportConfig("jsonl"))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate_hz", [None, 16_000])
def test_audio_of_another_take_is_noticed(
    rate_hz: int | None, takes: list[ReleasedTake], make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    wrong = [*takes[:3], replace(takes[3], flac=make_take("other", num_samples=99).flac), *takes[4:]]

    with pytest.raises(AudioError, match=rf"take {takes[3].take.id}: expected 4801 samples at 16000 Hz .* found 99"):
        export(wrong, make_release(wrong), to=tmp_path / "out", config=ExportConfig("shar", rate_hz=rate_hz))


def test_a_config_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of shar"):
        ExportConfig("zip")  # type: ignore[arg-type]  # what a command line may hold
    with pytest.raises(UsageError, match="must be positive"):
        ExportConfig("shar", rate_hz=0)
    with pytest.raises(UsageError, match="at least 1"):
        ExportConfig("shar", shard_size=0)
    free: Use = "commercial"
    assert ExportConfig("shar", intended_use=free).intended_use == "commercial"


def test_lines_that_do_not_fit_in_memory_are_sorted() -> None:
    lines = [f"{number:x} {number}\n".encode() for number in range(1000)]
    random.Random(0).shuffle(lines)  # noqa: S311 - nothing secret
    table = SortedLines(run_bytes=1024)

    for line in lines:
        table.add(line)

    assert list(table) == sorted(lines)


def test_escaped_names_are_safe_and_stay_apart() -> None:
    names = ["a", "a b", "a=20b", "A", "", "=", ".", "..", "../a", "-a", "a/b", "a\\b", "ä", "a\n"]

    escaped = [escape(name) for name in names]

    assert len(set(escaped)) == len(names)
    assert all(name.isascii() and name[0] not in ".-" and not set(name) & set("/\\ \n") for name in escaped)
