"""Lhotse itself writes the manifests, and says which samples a supervision covers."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import AudioSource, CutSet, RecordingSet, SupervisionSegment, SupervisionSet
from lhotse import Recording as LhotseRecording
from numpy.typing import NDArray

from catalogs import flac
from catalogs.ingest import Recording, SpeechSource, read_recordings
from catalogs.records import Failure

RATE_HZ = 16_000


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def noise(seconds: float, *, seed: int, channels: int = 1) -> NDArray[np.int16]:
    """(n, channels)."""
    shape = (round(seconds * RATE_HZ), channels)
    return np.random.default_rng(seed).integers(-9000, 9000, shape).astype(np.int16)


def read(path: str) -> tuple[list[Recording], list[Failure]]:
    rows = list(read_recordings(SpeechSource(path)))
    return [r for r in rows if isinstance(r, Recording)], [r for r in rows if isinstance(r, Failure)]


def write_cuts(*cuts: Mapping[str, object]) -> str:
    Path("l/some_cuts.jsonl").write_text("".join(json.dumps(cut) + "\n" for cut in cuts))
    return "l/some_cuts.jsonl"


@pytest.fixture
def cuts() -> CutSet:
    soundfile.write("a.wav", noise(2.0, seed=1), RATE_HZ)
    soundfile.write("b.flac", noise(1.0, seed=2, channels=2), RATE_HZ)
    recordings = RecordingSet.from_recordings(
        [LhotseRecording.from_file("a.wav", recording_id="a"), LhotseRecording.from_file("b.flac", recording_id="b")]
    )
    supervisions = SupervisionSet.from_segments(
        [
            SupervisionSegment("a1", "a", 0.1, 0.55, text="one", speaker="ann", language="en"),
            SupervisionSegment("a2", "a", 1.0, 1.0, text="two", speaker="bob", language="de"),
            SupervisionSegment("b1", "b", 0.0, 1.0, channel=1, text="three", speaker="ann", language="en"),
        ]
    )
    Path("l").mkdir()
    for name in ("a.wav", "b.flac"):
        Path("l", name).write_bytes(Path(name).read_bytes())
    recordings.to_file("l/tiny_recordings_dev.jsonl.gz")
    supervisions.to_file("l/tiny_supervisions_dev.jsonl.gz")
    cut_set = CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
    cut_set.to_file("l/cuts.jsonl")
    return cut_set


@pytest.mark.parametrize(
    "path", ["l/cuts.jsonl", "l", "l/tiny_supervisions_dev.jsonl.gz", "l/tiny_recordings_dev.jsonl.gz"]
)
def test_every_supervision_is_the_samples_that_lhotse_gives(cuts: CutSet, path: str) -> None:
    recordings, failures = read(path)

    wanted = {c.supervisions[0].text: c for c in cuts.trim_to_supervisions(keep_overlapping=False)}
    assert not failures
    assert {r.prompt.text for r in recordings} == {"one", "two", "three"} == set(wanted)
    for recording in recordings:
        cut = wanted[recording.prompt.text]
        assert np.array_equal(flac.decode(recording.flac)[0], np.rint(cut.load_audio()[0] * 32768).astype(np.int16))
        assert (recording.speaker, recording.language) == (
            cut.supervisions[0].speaker,
            cut.supervisions[0].language,
        )


def test_a_supervision_that_reaches_out_of_its_cut_is_cut_off_there(cuts: CutSet) -> None:
    cut = next(iter(cuts)).truncate(offset=0.3, duration=0.2)

    (recording,), _ = read(write_cuts(cut.to_dict()))

    assert np.array_equal(flac.decode(recording.flac)[0], noise(2.0, seed=1)[4800:8000, 0])


@pytest.mark.parametrize("channel", [0, 1, 2, 3, [2, 3]])
def test_a_channel_is_found_in_the_file_that_holds_it(tmp_path: Path, channel: int | list[int]) -> None:
    held = {"near.wav": [0], "far.wav": [1], "pair.wav": [3, 2]}
    for seed, (name, channels) in enumerate(held.items()):
        soundfile.write(name, noise(0.5, seed=seed, channels=len(channels)), RATE_HZ)
    recording = LhotseRecording(
        id="r",
        sources=[AudioSource("file", channels, str(tmp_path / name)) for name, channels in held.items()],
        sampling_rate=RATE_HZ,
        num_samples=8000,
        duration=0.5,
        channel_ids=[0, 1, 2, 3],
    )
    supervision = SupervisionSegment("s", "r", 0.0, 0.5, channel=channel, text="one")
    RecordingSet.from_recordings([recording]).to_file("recordings.jsonl")
    SupervisionSet.from_segments([supervision]).to_file("supervisions.jsonl")

    (read_one,), failures = read("supervisions.jsonl")

    wanted = recording.load_audio(channels=channel).mean(axis=0)
    assert not failures
    assert np.array_equal(flac.decode(read_one.flac)[0], np.rint(wanted * 32768).astype(np.int16))


def test_channels_that_no_one_file_holds_are_refused(tmp_path: Path) -> None:
    sources = [{"type": "file", "channels": [n], "source": f"{n}.wav"} for n in (0, 1)]
    Path("recordings.jsonl").write_text(json.dumps({"id": "r", "sources": sources}))
    supervision = {"recording_id": "r", "start": 0, "duration": 1, "channel": [0, 1], "text": "one"}
    Path("supervisions.jsonl").write_text(json.dumps(supervision))

    _, (failure,) = read("supervisions.jsonl")

    assert failure.error == "bad-channel"
    assert "no one file of the recording holds channel 0 and channel 1" in failure.message


def test_a_channel_that_a_flac_file_turns_out_to_lack_is_refused() -> None:
    soundfile.write("mono.flac", noise(0.5, seed=0), RATE_HZ)
    sources = [{"type": "file", "channels": [0, 1], "source": "mono.flac"}]
    recording = {"id": "r", "sources": sources, "sampling_rate": RATE_HZ, "num_samples": 8000}
    Path("recordings.jsonl").write_text(json.dumps(recording))
    supervision = {"recording_id": "r", "start": 0, "duration": 0.5, "channel": 1, "text": "one"}
    Path("supervisions.jsonl").write_text(json.dumps(supervision))

    assert [f.error for f in read("supervisions.jsonl")[1]] == ["bad-channel"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"sources": [{"type": "command", "channels": [0], "source": "touch pwned.txt"}]}, "unsafe"),
        ({"sources": [{"type": "url", "channels": [0], "source": "https://example.org/a.wav"}]}, "unsupported"),
        ({"transforms": [{"name": "Speed", "kwargs": {"factor": 1.1}}]}, "unsupported"),
        ({"sources": []}, "bad-channel"),
        ({"sources": [{"type": "file", "channels": [0], "source": "gone.wav"}]}, "audio-missing"),
    ],
)
def test_what_is_not_a_plain_file_is_refused(cuts: CutSet, change: Mapping[str, object], error: str) -> None:
    cut = next(c for c in cuts if c.recording_id == "a").trim_to_supervisions()[0].to_dict()
    cut["recording"] |= change

    recordings, failures = read(write_cuts(cut))

    assert not recordings
    assert [f.error for f in failures] == [error]
    assert not list(Path().rglob("pwned.txt"))


def test_mixed_cuts_and_cuts_without_words_are_refused(cuts: CutSet) -> None:
    first, second = list(cuts)[:2]

    _, failures = read(write_cuts(first.mix(second).to_dict(), first.drop_supervisions().to_dict()))

    assert [f.error for f in failures] == ["unsupported", "no-text"]


def test_a_cut_of_a_shar_that_a_machine_has_read_is_refused(cuts: CutSet) -> None:
    cut = next(c for c in cuts if c.recording_id == "a").trim_to_supervisions()[0].to_dict()
    cut["supervisions"][0]["custom"] = {"origin": "synthetic"}

    recordings, failures = read(write_cuts(cut))

    assert not recordings
    assert [f.error for f in failures] == ["synthetic"]
