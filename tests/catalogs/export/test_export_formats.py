"""Every layout is read back by a loader that others wrote, and holds what went in."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import datasets
import kaldiio
import numpy as np
import pytest
import soundfile
import webdataset
from lhotse import CutSet
from lhotse.kaldi import load_kaldi_data_dir
from numpy.typing import NDArray

from catalogs import flac
from catalogs.export import FORMATS, ExportConfig, Format, ReleasedTake, export
from catalogs.records import Release
from catalogs.signal import resample, to_float32, to_int16

MakeTake: TypeAlias = Callable[..., ReleasedTake]
MakeRelease: TypeAlias = Callable[[Sequence[ReleasedTake]], Release]


@dataclass(frozen=True)
class Heard:
    """What a loader gives for one take."""

    id: str
    text: str
    speaker: str
    samples: list[int]
    rate_hz: int


def expected(take: ReleasedTake, *, rate_hz: int | None = None) -> Heard:
    samples, own_hz = flac.decode(take.flac)
    if rate_hz is not None and rate_hz != own_hz:
        samples = to_int16(resample(to_float32(samples), from_hz=own_hz, to_hz=rate_hz))
    return Heard(take.take.id, take.prompt.text, take.voice.name, samples.tolist(), rate_hz or own_hz)


def decoded(audio: bytes) -> tuple[list[int], int]:
    samples, rate_hz = soundfile.read(io.BytesIO(audio), dtype="int16")
    return samples.tolist(), rate_hz


def from_shar(folder: Path, split: str) -> Iterator[Heard]:
    for cut in CutSet.from_shar(in_dir=folder / split):
        samples: NDArray[np.float32] = cut.load_audio()[0]
        (said,) = cut.supervisions
        assert cut.num_samples == len(samples)
        yield Heard(cut.id, said.text, said.speaker, (samples * 32768).astype(int).tolist(), cut.sampling_rate)


def from_webdataset(folder: Path, split: str) -> Iterator[Heard]:
    tars = [str(path) for path in sorted(folder.glob(f"{split}-*.tar"))]
    for sample in webdataset.WebDataset(tars, shardshuffle=False):
        known = json.loads(sample["json"])
        yield Heard(sample["__key__"], sample["txt"].decode(), known["speaker"], *decoded(sample["flac"]))


def from_parquet(folder: Path, split: str) -> Iterator[Heard]:
    rows = datasets.load_dataset(str(folder), split=split, cache_dir=str(folder.parent / "cache"))
    for row in rows.cast_column("audio", datasets.Audio(decode=False)):
        yield Heard(row["id"], row["text"], row["speaker"], *decoded(row["audio"]["bytes"]))


def from_nemo(folder: Path, split: str) -> Iterator[Heard]:
    for line in (folder / split / "manifest.json").read_bytes().splitlines():
        row = json.loads(line)
        samples, rate_hz = soundfile.read(folder / split / row["audio_filepath"], dtype="int16")
        assert row["duration"] == len(samples) / rate_hz
        yield Heard(row["id"], row["text"], row["speaker"], samples.tolist(), rate_hz)


def from_nemo_tarred(folder: Path, split: str) -> Iterator[Heard]:
    rows = [json.loads(line) for line in (folder / split / "tarred_audio_manifest.json").read_bytes().splitlines()]
    shards = sorted((folder / split / "sharded_manifests").iterdir())
    assert rows == [json.loads(line) for shard in shards for line in shard.read_bytes().splitlines()]
    for row in rows:
        with tarfile.open(folder / split / f"audio_{row['shard_id']}.tar") as tar:
            audio = tar.extractfile(row["audio_filepath"])
            assert audio is not None
            yield Heard(row["id"], row["text"], row["speaker"], *decoded(audio.read()))


def from_kaldi(folder: Path, split: str) -> Iterator[Heard]:
    """In the order of utterances; a speaker's slash is escaped."""
    audio = kaldiio.load_scp(str(folder / split / "wav.scp"))
    texts, speakers = (dict(pairs(folder / split / name)) for name in ("text", "utt2spk"))
    for utterance, (rate_hz, samples) in audio.items():
        speaker = speakers[utterance]
        take_id = utterance.removeprefix(speaker + "-")
        yield Heard(take_id, texts[utterance], speaker.replace("=2F", "/"), samples.tolist(), rate_hz)


def pairs(table: Path) -> Iterator[tuple[str, str]]:
    for line in table.read_text().splitlines():
        name, _, value = line.partition(" ")
        yield name, value


def from_jsonl(folder: Path, split: str) -> Iterator[Heard]:
    rows = datasets.load_dataset(
        "audiofolder", data_dir=str(folder / split), split="train", cache_dir=str(folder.parent / "cache")
    )
    for row in rows.cast_column("audio", datasets.Audio(decode=False)):
        samples, rate_hz = soundfile.read(row["audio"]["path"], dtype="int16")
        yield Heard(row["id"], row["text"], row["speaker"], samples.tolist(), rate_hz)


LOADERS: dict[Format, Callable[[Path, str], Iterator[Heard]]] = {
    "shar": from_shar,
    "webdataset": from_webdataset,
    "parquet": from_parquet,
    "nemo": from_nemo,
    "nemo-tarred": from_nemo_tarred,
    "kaldi": from_kaldi,
    "jsonl": from_jsonl,
}


@pytest.mark.parametrize("rate_hz", [None, 16_000])
@pytest.mark.parametrize("format_", FORMATS)
def test_another_loader_hears_what_was_released(
    format_: Format, rate_hz: int | None, takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    config = ExportConfig(format_, rate_hz=rate_hz, shard_size=2)

    report = export(iter(takes), make_release(takes), to=tmp_path / "out", config=config)

    assert [(split.name, split.num_takes) for split in report.splits] == [("dev", 2), ("train", 5)]
    for split in ("train", "dev"):
        heard = list(LOADERS[format_](tmp_path / "out", split))
        wanted = [expected(take, rate_hz=rate_hz) for take in takes if take.split == split]
        if format_ == "kaldi":
            wanted.sort(key=lambda take: f"{take.speaker}-{take.id}")
        assert heard == wanted


@pytest.mark.parametrize("format_", sorted(set(FORMATS) - {"kaldi"}))
def test_bytes_are_copied_where_the_rate_is_kept(
    format_: Format, takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig(format_, rate_hz=16_000))

    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert [take.flac in written for take in takes] == [take.take.sample_rate_hz == 16_000 for take in takes]


def test_lhotse_reads_shar_by_fields_and_without_compression(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    config = ExportConfig("shar", shard_size=2, compress=False)
    export(takes, make_release(takes), to=tmp_path / "out", config=config)

    folder = tmp_path / "out" / "train"
    cuts = CutSet.from_shar(
        fields={"cuts": sorted(folder.glob("cuts.*.jsonl")), "recording": sorted(folder.glob("recording.*.tar"))},
        shuffle_shards=True,
    )
    assert sorted(cut.id for cut in cuts) == sorted(take.take.id for take in takes if take.split == "train")
    assert next(iter(cuts)).supervisions[0].custom["scores"].keys() == {"wer", "f0_sd_st"}


def test_hugging_face_knows_the_type_of_every_column(
    takes: list[ReleasedTake], make_release: MakeRelease, tmp_path: Path
) -> None:
    export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("parquet", rate_hz=16_000))

    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert sorted(loaded) == ["dev", "train"]
    features = loaded["train"].features
    assert features["audio"] == datasets.Audio(sampling_rate=16_000)
    assert features["scores"]["wer"] == datasets.Value("float64")
    rows = loaded["train"].remove_columns("audio")
    assert rows[0]["slots"] == [{"name": "amount", "value": "12 €"}]
    assert rows[0]["scores"] == {"wer": takes[0].scores["wer"], "f0_sd_st": None}


def test_kaldi_tables_are_sorted_and_agree(make_take: MakeTake, make_release: MakeRelease, tmp_path: Path) -> None:
    speakers = ["a", "a-b", "a.b", "a b", "B", "ä"]
    takes = [make_take(f"{speaker} {n}", speaker=speaker) for n in range(4) for speaker in speakers]

    export(takes, make_release(takes), to=tmp_path / "out", config=ExportConfig("kaldi", shard_size=5))

    folder = tmp_path / "out" / "train"
    for name in ("wav.scp", "text", "utt2spk", "spk2utt", "utt2dur"):
        lines = (folder / name).read_bytes().splitlines()
        assert lines == sorted(lines)
    by_utterance = list(dict(pairs(folder / "utt2spk")).values())
    assert by_utterance == sorted(by_utterance)
    assert len(dict(pairs(folder / "spk2utt"))) == len(speakers)
    recordings, supervisions, _ = load_kaldi_data_dir(folder, sampling_rate=24_000)
    assert len(recordings) == len(takes)
    assert supervisions is not None
    assert sorted(s.text for s in supervisions) == sorted(take.prompt.text for take in takes)
