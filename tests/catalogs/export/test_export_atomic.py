"""An export is whole or not there, and is never written twice."""

import fcntl
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest

from catalogs.errors import DiskFull, UsageError
from catalogs.export import FORMATS, ExportConfig, Format, ReleasedTake, export
from catalogs.records import Release

MakeTake: TypeAlias = Callable[..., ReleasedTake]
MakeRelease: TypeAlias = Callable[[Sequence[ReleasedTake]], Release]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def interrupted(takes: list[ReleasedTake], error: BaseException) -> Iterator[ReleasedTake]:
    yield from takes[:3]
    raise error


@pytest.mark.parametrize("rate_hz", [None, 16_000])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_release_gives_the_same_bytes_again(
    format_: Format, rate_hz: int | None, takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    config = ExportConfig(format_, rate_hz=rate_hz, shard_size=2)
    export(takes, make_release(takes), to=tmp_path / "out", config=config)
    first = contents(tmp_path / "out")
    shutil.rmtree(tmp_path / "out")

    export(takes, make_release(takes), to=tmp_path / "out", config=config)

    assert contents(tmp_path / "out") == first


@pytest.mark.parametrize("format_", FORMATS)
def test_every_file_is_in_the_list_of_hashes(
    format_: Format, takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    report = export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig(format_, shard_size=2))

    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path / "out", check=True)
    files = contents(tmp_path / "out")
    own = {"SHA256SUMS", "synthgen_export.json"}
    listed = {line[66:] for line in files["SHA256SUMS"].decode().splitlines()}
    assert listed == files.keys() - own
    assert report.num_bytes == sum(len(data) for name, data in files.items() if name not in own)


def test_a_finished_export_is_not_written_again(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    config = ExportConfig("shar", shard_size=2)
    first = export(takes, make_release(takes), to=tmp_path / "out", config=config)

    again = export(interrupted([], RuntimeError()), make_release(takes), to=tmp_path / "out", config=config)

    assert again == replace(first, was_there=True)


def test_a_folder_that_holds_something_else_is_refused(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("shar"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()

    with pytest.raises(UsageError, match="already holds release calls as format shar"):
        export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("shar", rate_hz=8000))
    with pytest.raises(UsageError, match="is not empty"):
        export(takes, make_release(takes), to=tmp_path / "mine", config=ExportConfig("shar"))
    with pytest.raises(UsageError, match="is not a folder"):
        export(takes, make_release(takes), to=tmp_path / "mine" / "thesis.txt", config=ExportConfig("shar"))


def test_a_finished_export_that_lost_a_file_is_not_taken_for_whole(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("shar"))
    (tmp_path / "out" / "train" / "recording.000000.tar").unlink()

    with pytest.raises(UsageError, match="not all of it any more"):
        export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("shar"))


@pytest.mark.parametrize("rate_hz", [None, 16_000])
@pytest.mark.parametrize("format_", FORMATS)
def test_an_interrupted_export_leaves_nothing(
    format_: Format, rate_hz: int | None, takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    config = ExportConfig(format_, rate_hz=rate_hz, shard_size=2)

    with pytest.raises(KeyboardInterrupt):
        export(interrupted(takes, KeyboardInterrupt()), make_release(takes), to=tmp_path / "out", config=config)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_a_disk_without_room_leaves_nothing(
    format_: Format, make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    takes = [make_take("a long sentence", num_samples=1_000_000)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))  # stands for a disk that is full
    try:
        with pytest.raises(DiskFull, match="free some space"):
            export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig(format_))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", FORMATS)
def test_open_files_do_not_grow_with_the_number_of_shards(
    format_: Format, make_take: MakeTake, make_release: MakeRelease, tmp_path: Path
) -> None:
    takes = [make_take(f"sentence {number}", num_samples=100) for number in range(12)]
    open_files: list[int] = []

    def watched() -> Iterator[ReleasedTake]:
        for take in takes:
            open_files.append(len(list(Path("/proc/self/fd").iterdir())))
            yield take

    export(watched(), make_release(takes), to=tmp_path / "out", config=ExportConfig(format_, shard_size=1))

    assert max(open_files[2:]) <= min(open_files[2:]) + 1


def test_what_a_killed_export_left_is_cleared(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    left = tmp_path / ".out.synthgen-partial" / "train"
    left.mkdir(parents=True)
    (left / "recording.000000.tar").write_bytes(b"half")

    export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("shar"))

    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_exports_do_not_write_one_folder(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    other = tmp_path / ".out.synthgen-partial"
    other.mkdir()
    descriptor = os.open(other, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    with pytest.raises(UsageError, match="another export is writing"):
        export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("shar"))

    assert other.is_dir()
    os.close(descriptor)
