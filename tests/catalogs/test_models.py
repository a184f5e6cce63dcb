import errno
import hashlib
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest

from catalogs import models
from catalogs.errors import DiskFull, ModelCorrupt, ModelMissing, UsageError
from catalogs.models.artefacts import Artefact, PinnedFile, WheelPart
from catalogs.models.fetching import folder_of, obtain
from catalogs.models.sources import NamedSource, Unavailable

FIRST, SECOND = b"first half, " * 100, b"second half"


@pytest.fixture(autouse=True)
def own_cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of each test's own; starter models are copied from the user's, which downloads them once."""
    if "starter" in request.fixturenames:
        request.getfixturevalue("starter")
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYNTHGEN_MODELS", raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def starter() -> Path:
    """A small artefact of the starter set, fetched as users do."""
    return models.fetch("silero-vad")


@pytest.fixture
def an_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package index of local wheels, one half of a model in each."""
    index = tmp_path / "index"
    index.mkdir()
    for number, half in enumerate((FIRST, SECOND), start=1):
        name, info = f"tiny_voice_{number}", f"tiny_voice_{number}-1.0.dist-info"
        with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/part.bin", half)
            wheel.writestr("../../stray.txt", "a member that would land outside")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-voice-{number}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return index


def an_artefact(content: bytes = FIRST + SECOND) -> Artefact:
    parts = tuple(WheelPart(f"tiny-voice-{n}==1.0", f"tiny_voice_{n}/part.bin") for n in (1, 2))
    file = PinnedFile("model.bin", hashlib.sha256(content).hexdigest(), len(content), wheel=parts)
    return Artefact("tiny-voice", "voice", "CC0-1.0", "ours", (file,))


def give(content: bytes) -> NamedSource:
    def source(wanted: Artefact, into: Path) -> None:
        (into / wanted.files[0].name).write_bytes(content)

    return ("a source", source)


def test_every_file_of_the_starter_set_is_pinned_and_can_be_had() -> None:
    files = [file for artefact in models.artefacts() for file in artefact.files]

    assert len({artefact.name for artefact in models.artefacts()}) == len(models.artefacts()) == 10
    assert all(len(bytes.fromhex(file.sha256)) == 32 and file.num_bytes > 0 for file in files)
    assert all(Path(file.name).name == file.name and file.wheel for file in files)
    assert all("==" in part.requirement and part.member for file in files for part in file.wheel)
    assert all(artefact.licence and artefact.sources for artefact in models.artefacts())


def test_every_voice_says_what_its_speaker_agreed_to() -> None:
    voices = [artefact for artefact in models.artefacts() if artefact.role == "voice"]

    assert len(voices) == 2
    assert all(voice.consent for voice in voices)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'kokoro-82m'"):
        models.fetch("kokoro82")


def test_a_starter_model_is_fetched_once_and_then_found_at_once(starter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(starter.parents[2]))
    began = time.perf_counter()
    again = models.fetch("silero-vad")
    took_s = time.perf_counter() - began

    assert again == starter == models.cached("silero-vad")
    assert took_s < 0.005
    assert models.sha256_of_folder(starter) == models.artefact("silero-vad").sha256


def test_parts_in_several_wheels_become_one_file_and_nothing_else_is_unpacked(an_index: Path) -> None:
    folder = obtain(an_artefact())

    assert (folder / "model.bin").read_bytes() == FIRST + SECOND
    assert sorted(p.name for p in folder.iterdir()) == [".verified.json", "model.bin"]
    assert sorted(p.name for p in folder.parent.iterdir()) == [folder.name, f"{folder.name}.lock"]
    assert not list(folder.parents[3].rglob("stray.txt"))


@pytest.mark.parametrize(
    "pinned", [FIRST, FIRST + SECOND + b"!", FIRST + SECOND[::-1]], ids=["long", "short", "altered"]
)
def test_bytes_that_are_not_the_pinned_ones_never_reach_the_cache(an_index: Path, pinned: bytes) -> None:
    wanted = an_artefact(pinned)

    with pytest.raises(ModelCorrupt, match=r"tiny-voice .* model\.bin has"):
        obtain(wanted)
    assert not folder_of(wanted).exists()


def test_a_wheel_without_the_file_is_no_source(an_index: Path) -> None:
    parts = (WheelPart("tiny-voice-1==1.0", "tiny_voice_1/moved.bin"),)
    wanted = Artefact("moved", "voice", "MIT", "", (PinnedFile("model.bin", "0" * 64, 1, wheel=parts),))

    with pytest.raises(ModelMissing, match=r"no sound tiny_voice_1/moved\.bin"):
        obtain(wanted)


def test_without_a_source_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    with pytest.raises(ModelMissing) as caught:
        models.fetch("silero-vad")

    assert "`synthgen models get silero-vad`" in str(caught.value)
    assert "SYNTHGEN_MODELS to a folder with silero-vad/silero_vad.onnx" in str(caught.value)


def test_models_can_be_taken_from_a_folder_where_there_is_no_network(
    starter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "silero-vad").symlink_to(starter)
    monkeypatch.setenv("SYNTHGEN_MODELS", str(tmp_path / "given"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    assert models.cached("silero-vad") is None
    assert models.fetch("silero-vad").is_relative_to(tmp_path / "cache")


def test_the_next_source_is_asked_when_one_is_corrupt_or_has_nothing() -> None:
    def has_nothing(wanted: Artefact, into: Path) -> None:
        raise Unavailable("out of stock")

    folder = obtain(an_artefact(), sources=[("empty", has_nothing), give(b"rot"), give(FIRST + SECOND)])

    assert (folder / "model.bin").read_bytes() == FIRST + SECOND


def test_a_cached_file_that_was_altered_is_replaced() -> None:
    folder = obtain(an_artefact(), sources=[give(FIRST + SECOND)])
    (folder / "model.bin").write_bytes(SECOND + FIRST)

    assert obtain(an_artefact(), sources=[give(FIRST + SECOND)]) == folder
    assert (folder / "model.bin").read_bytes() == FIRST + SECOND


def test_a_copied_cache_is_hashed_and_kept() -> None:
    folder = obtain(an_artefact(), sources=[give(FIRST + SECOND)])
    os.utime(folder / "model.bin", (1, 1))

    assert obtain(an_artefact(), sources=[]) == folder


def test_verify_finds_rot_that_size_and_time_do_not_show_and_the_next_fetch_mends_it(starter: Path) -> None:
    source = give((starter / "silero_vad.onnx").read_bytes())
    file = obtain(models.artefact("silero-vad"), sources=[source]) / "silero_vad.onnx"
    before = file.stat()
    file.write_bytes(file.read_bytes()[::-1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(ModelCorrupt, match=r"silero_vad\.onnx has sha256"):
        models.verify("silero-vad")
    obtain(models.artefact("silero-vad"), sources=[source])
    assert models.verify("silero-vad") == file.parent


def test_verify_of_a_model_that_was_never_fetched_says_how_to_get_it() -> None:
    with pytest.raises(ModelMissing, match="`synthgen models get distillmos`"):
        models.verify("distillmos")


def test_of_many_who_ask_at_once_one_downloads() -> None:
    asked = []

    def slow(wanted: Artefact, into: Path) -> None:
        asked.append(into)
        time.sleep(0.1)
        (into / "model.bin").write_bytes(FIRST + SECOND)

    threads = [
        threading.Thread(target=obtain, args=[an_artefact()], kwargs={"sources": [("s", slow)]}) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(asked) == 1
    assert obtain(an_artefact(), sources=[]).is_dir()


def test_what_a_process_left_that_died_is_swept_away() -> None:
    wanted = an_artefact()
    left = folder_of(wanted).with_name(f".{folder_of(wanted).name}.dead")
    left.mkdir(parents=True)

    obtain(wanted, sources=[give(FIRST + SECOND)])

    assert not left.exists()


def test_a_full_disk_is_told_in_one_sentence() -> None:
    def fills_the_disk(wanted: Artefact, into: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DiskFull, match="make room, or set SYNTHGEN_CACHE"):
        obtain(an_artefact(), sources=[("s", fills_the_disk)])


def test_a_model_that_cannot_fit_is_not_begun() -> None:
    vast = Artefact("vast", "voice", "MIT", "", (PinnedFile("model.bin", "0" * 64, 1 << 60),))

    with pytest.raises(DiskFull, match="vast needs"):
        obtain(vast, sources=[give(b"")])


def test_a_checkpoint_of_the_users_is_hashed_as_an_artefact_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.bin").write_bytes(FIRST + SECOND)
    (tmp_path / "mine" / ".note").write_text("hidden files do not count")

    assert models.sha256_of_folder(tmp_path / "mine") == an_artefact().sha256
    assert models.sha256_of_folder(tmp_path / "mine" / "model.bin") == an_artefact().sha256


def test_a_checkpoint_is_hashed_anew_only_when_its_size_or_time_changes(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"one")
    before, status = models.sha256_of_folder(file), file.stat()

    file.write_bytes(b"two")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    trusted = models.sha256_of_folder(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    assert trusted == before
    assert models.sha256_of_folder(file) != before


def test_a_checkpoint_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model files at"):
        models.sha256_of_folder(tmp_path / "nothing")
