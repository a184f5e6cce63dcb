"""What people said, exported as plain files, can be brought into another corpus; what machines said cannot."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from catalogs.export import ExportConfig, Format, ReleasedTake, export
from catalogs.ingest import Recording, SpeechSource, read_recordings
from catalogs.records import Failure, Prompt, Release

MakeTake: TypeAlias = Callable[..., ReleasedTake]
MakeRelease: TypeAlias = Callable[[Sequence[ReleasedTake]], Release]


def spoken(take: ReleasedTake) -> ReleasedTake:
    """The same take by a person."""
    return replace(take, take=replace(take.take, origin="real"), voice=replace(take.voice, engine="human"))


@pytest.mark.parametrize("format_", ["jsonl", "nemo"])
def test_an_export_is_ingested_with_its_labels(
    format_: Format, takes: list[ReleasedTake], make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    lao = make_take("ສະບາຍດີ", split="test other", licence="CC-BY-4.0")
    lao = replace(lao, prompt=replace(lao.prompt, id=Prompt.id_of("ສະບາຍດີ", "lao"), language="lao"))
    members = [spoken(take) for take in (*takes, lao)]
    export(members, make_release(members), to=tmp_path / "out", config=ExportConfig(format_, shard_size=2))

    read = list(read_recordings(SpeechSource(str(tmp_path / "out"), language="nl", split="none")))

    recordings = [r for r in read if isinstance(r, Recording)]
    assert len(recordings) == len(read)
    assert {(r.prompt.id, r.language, r.licence, r.prompt.split, r.speaker, r.flac) for r in recordings} == {
        (m.prompt.id, m.prompt.language, m.voice.licence, m.split, m.voice.name, m.flac) for m in members
    }


@pytest.mark.parametrize("format_", ["jsonl", "nemo"])
def test_a_split_of_an_export_is_ingested_alone(
    format_: Format, takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    members = [spoken(take) for take in takes]
    export(members, make_release(members), to=tmp_path / "out", config=ExportConfig(format_))

    read = list(read_recordings(SpeechSource(str(tmp_path / "out" / "dev"))))

    assert [r.prompt.split for r in read if isinstance(r, Recording)] == ["dev", "dev"]


@pytest.mark.parametrize(("format_", "manifest"), [("jsonl", ""), ("nemo", ""), ("kaldi", "train")])
def test_what_a_machine_has_read_is_not_ingested_as_real_speech(
    format_: Format, manifest: str, make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    members = [make_take("by a machine"), spoken(make_take("by a person"))]
    export(members, make_release(members), to=tmp_path / "out", config=ExportConfig(format_))

    read = list(read_recordings(SpeechSource(str(tmp_path / "out" / manifest))))

    assert [r.prompt.text for r in read if isinstance(r, Recording)] == ["by a person"]
    (failure,) = (r for r in read if isinstance(r, Failure))
    assert failure.error == "synthetic"
    assert "its origin is 'synthetic'" in failure.message
