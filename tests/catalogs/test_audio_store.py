"""Shards: tars that any reader opens, and that no crash leaves unusable."""

import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalogs import flac
from catalogs.audio import PART, AudioStore, Place, hash_file, is_held, padded
from catalogs.errors import AudioError, CatalogError, DiskFull
from catalogs.records import Shard

IDS = [f"00000000-0000-0000-0000-{n:012d}" for n in range(6)]


def sound(number: int) -> bytes:
    return flac.encode(np.full(100 + number, number, np.int16), 8000)


def filled(store: AudioStore, name: str = "run") -> tuple[list[Place], list[Shard]]:
    writer = store.writer(name)
    places = writer.append([(take_id, sound(n)) for n, take_id in enumerate(IDS)])
    return places, writer.seal()


def test_takes_are_read_back_by_their_place(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)
    places, shards = filled(store)

    assert [store.read(place) for place in places] == [sound(n) for n in range(6)]
    path = tmp_path / "run-000000.tar"
    assert shards == [Shard("run-000000.tar", hash_file(path), path.stat().st_size, 6)]


def test_writers_that_follow_one_another_in_a_run_keep_all_takes(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)

    found = [filled(store), filled(store)]

    assert [shards[0].name for _, shards in found] == ["run-000000.tar", "run-000001.tar"]
    for places, _ in found:
        assert [store.read(place) for place in places] == [sound(n) for n in range(6)]


def test_a_sealed_shard_is_not_written_over(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)
    writer = store.writer("run")
    writer.append([(IDS[0], sound(0))])
    (tmp_path / "run-000000.tar").write_bytes(b"somebody else's")

    with pytest.raises(CatalogError, match="is there already"):
        writer.seal()
    assert (tmp_path / "run-000000.tar").read_bytes() == b"somebody else's"


def test_takes_can_be_read_before_their_shard_is_sealed(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)
    places = store.writer("run").append([(IDS[0], sound(0))])

    assert store.read(places[0]) == sound(0)


def test_a_shard_is_a_tar_with_a_file_for_every_take(tmp_path: Path) -> None:
    filled(AudioStore(tmp_path))

    with tarfile.open(tmp_path / "run-000000.tar") as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]

    assert found == {f"{take_id}.flac": sound(n) for n, take_id in enumerate(IDS)}


def test_webdataset_reads_a_shard(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    filled(AudioStore(tmp_path))

    items = list(webdataset.WebDataset(str(tmp_path / "run-000000.tar"), shardshuffle=False, empty_check=False))

    assert [item["__key__"].rsplit("/")[-1] for item in items] == IDS
    assert items[2]["flac"] == sound(2)


def test_the_same_takes_give_the_same_bytes(tmp_path: Path) -> None:
    _, one = filled(AudioStore(tmp_path / "one"))
    _, two = filled(AudioStore(tmp_path / "two"))

    assert one == two


@pytest.mark.parametrize("committed", [0, 1, 3])
def test_a_crash_at_any_byte_loses_nothing_that_was_committed(tmp_path: Path, committed: int) -> None:
    whole = AudioStore(tmp_path / "whole")
    writer = whole.writer("run")
    places = writer.append([(take_id, sound(n)) for n, take_id in enumerate(IDS)])
    writer.abandon()
    data = (whole.folder / ("run-000000.tar" + PART)).read_bytes()
    end = max((place.offset + padded(place.num_bytes) for place in places[:committed]), default=0)

    for cut in sorted({*range(end, len(data), 331), end, len(data)}):
        store = AudioStore(tmp_path / f"cut{cut}")
        store.folder.mkdir()
        (store.folder / ("run-000000.tar" + PART)).write_bytes(data[:cut])

        shard = store.seal_part("run-000000.tar", committed_bytes=end, num_takes=committed)

        assert store.parts() == []
        assert (shard is None) == (committed == 0)
        if shard:
            assert shard.sha256 == hash_file(store.folder / shard.name)
            assert [store.read(place) for place in places[:committed]] == [sound(n) for n in range(committed)]
            with tarfile.open(store.folder / shard.name) as tar:
                assert [m.name for m in tar] == [f"{take_id}.flac" for take_id in IDS[:committed]]
        shutil.rmtree(store.folder)


def test_what_a_living_writer_holds_is_not_sealed(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)
    writer = store.writer("run")
    writer.append([(IDS[0], sound(0))])

    assert store.seal_part("run-000000.tar", committed_bytes=0, num_takes=0) is None
    assert is_held(tmp_path / ("run-000000.tar" + PART))
    assert store.parts() == ["run-000000.tar"]


def test_a_full_shard_is_sealed_and_the_next_begins(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)
    writer = store.writer("run", shard_takes=2)
    sealed = []
    for n, take_id in enumerate(IDS[:5]):
        writer.append([(take_id, sound(n))])
        sealed += writer.seal(if_full=True)

    sealed += writer.seal()

    assert [(shard.name, shard.num_takes) for shard in sealed] == [
        ("run-000000.tar", 2), ("run-000001.tar", 2), ("run-000002.tar", 1),
    ]  # fmt: skip
    assert writer.seal() == []


def test_a_full_disk_leaves_the_shard_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = AudioStore(tmp_path)
    writer = store.writer("run")
    first = writer.append([(IDS[0], sound(0))])

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="free some space"):
        writer.append([(IDS[1], sound(1))])
    monkeypatch.undo()

    second = writer.append([(IDS[2], sound(2))])
    (shard,) = writer.seal()
    assert [store.read(place) for place in (*first, *second)] == [sound(0), sound(2)]
    assert shard.sha256 == hash_file(tmp_path / shard.name)
    with tarfile.open(tmp_path / shard.name) as tar:
        assert len(tar.getmembers()) == shard.num_takes == 2


@pytest.mark.parametrize("break_it", [lambda path: path.unlink(), lambda path: os.truncate(path, 700)])
def test_missing_audio_is_told_with_what_to_do(tmp_path: Path, break_it: Callable[[Path], None]) -> None:
    store = AudioStore(tmp_path)
    places, _ = filled(store)
    break_it(tmp_path / "run-000000.tar")

    with pytest.raises(AudioError, match="synthgen verify --repair"):
        store.read(places[3])


def test_a_file_set_aside_never_takes_anothers_place(tmp_path: Path) -> None:
    store = AudioStore(tmp_path)
    for text in ("one", "two"):
        (tmp_path / "a.tar").write_text(text)
        store.set_aside(tmp_path / "a.tar")

    assert sorted(p.read_text() for p in (tmp_path / ".orphans").iterdir()) == ["one", "two"]


def test_tarfile_agrees_with_our_headers(tmp_path: Path) -> None:
    places, _ = filled(AudioStore(tmp_path))

    with tarfile.open(fileobj=io.BytesIO((tmp_path / "run-000000.tar").read_bytes())) as tar:
        assert [(m.offset_data, m.size) for m in tar] == [(p.offset, p.num_bytes) for p in places]
