import gzip
import io
import json
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from catalogs import flac
from catalogs.errors import InputError
from catalogs.ingest import Recording, SpeechSource, human_voice, read_recordings
from catalogs.ingest.clips import Clip, load
from catalogs.ingest.rows import Row
from catalogs.records import Failure, Prompt, Slot

RATE_HZ = 16_000


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def noise(seconds: float, *, seed: int = 0, channels: int = 1) -> NDArray[np.int16]:
    """(n,) for one channel, else (n, channels)."""
    shape = (round(seconds * RATE_HZ), channels) if channels > 1 else (round(seconds * RATE_HZ),)
    return np.random.default_rng(seed).integers(-9000, 9000, shape).astype(np.int16)


def save(name: str, samples: NDArray[np.generic], *, rate_hz: int = RATE_HZ, subtype: str | None = None) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(name, samples, rate_hz, subtype=subtype)
    return name


def write(name: str, rows: Sequence[Mapping[str, object]] | str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
    Path(name).write_text(text, encoding="utf-8")
    return name


def read(source: SpeechSource) -> tuple[list[Recording], list[Failure]]:
    rows = list(read_recordings(source))
    return [r for r in rows if isinstance(r, Recording)], [r for r in rows if isinstance(r, Failure)]


def only(path: str) -> Recording:
    recordings, failures = read(SpeechSource(path))
    assert not failures
    (recording,) = recordings
    return recording


def why(path: str) -> Failure:
    recordings, failures = read(SpeechSource(path))
    assert not recordings
    (failure,) = failures
    return failure


def samples_of(recording: Recording) -> NDArray[np.int16]:
    samples, rate_hz = flac.decode(recording.flac)
    assert (rate_hz, len(samples)) == (recording.sample_rate_hz, recording.num_samples)
    assert flac.pcm_sha256(samples) == recording.pcm_sha256
    return samples


def test_a_manifest_gives_recordings_with_all_their_labels() -> None:
    save("c/audio/1.wav", noise(0.5))
    row = {"audio": "audio/1.wav", "text": "one  coffee", "speaker": "ann", "language": "en-GB", "license": "CC0-1.0"}
    write("c/manifest.jsonl", [row | {"split": "train", "slots": {"drink": "coffee"}}])

    recording = only("c")

    assert recording.prompt.id == Prompt.id_of("one coffee", "en-GB")
    assert (recording.prompt.split, recording.prompt.slots) == ("train", (Slot("drink", "coffee"),))
    assert (recording.speaker, recording.language, recording.licence) == ("ann", "en-GB", "CC0-1.0")
    assert np.array_equal(samples_of(recording), noise(0.5))


def test_the_source_says_what_the_corpus_does_not() -> None:
    save("1.wav", noise(0.1))
    manifest = write("m.jsonl", [{"sound": "1.wav", "said": "hoi"}])
    source = SpeechSource(
        manifest,
        audio="sound",
        text="said",
        language="nl",
        speaker="bob",
        licence="CC-BY-4.0",
        consent="signed",
        split="dev",
    )

    (recording,), _ = read(source)

    assert (recording.language, recording.speaker, recording.licence) == ("nl", "bob", "CC-BY-4.0")
    assert (recording.consent, recording.prompt.split) == ("signed", "dev")


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("c/metadata.jsonl", [{"file_name": "1.wav", "text": "hoi", "lang": "nl", "licence": "CC0-1.0"}]),
        ("c/metadata.csv", 'file_name,text,lang,licence,split\n1.wav,"hoi",nl,CC0-1.0,\n'),
        ("c/train/metadata.csv", "text,lang,licence,file_name\nhoi,nl,CC0-1.0,../1.wav\n"),
        ("c/manifest.jsonl", [{"audio": "1.wav", "text": "hoi", "language": "", "lang": "nl", "license": "CC0-1.0"}]),
        ("c/manifest.json", [{"audio_filepath": "1.wav", "text": "hoi", "lang": "nl", "licence": "CC0-1.0"}]),
    ],
)
def test_other_names_of_columns_are_known(name: str, rows: Sequence[Mapping[str, object]] | str) -> None:
    save("c/1.wav", noise(0.1))
    write(name, rows)

    for path in ("c", name):
        recording = only(path)
        assert (recording.prompt.text, recording.language, recording.licence) == ("hoi", "nl", "CC0-1.0")


def test_a_column_that_is_named_wins_over_another_name_of_the_usual_one() -> None:
    save("1.wav", noise(0.1))
    manifest = write("m.jsonl", [{"file_name": "1.wav", "text": "a", "lang": "nl", "language": "de"}])

    assert only(manifest).language == "de"
    assert read(SpeechSource(manifest, language_column="lang"))[0][0].language == "nl"


def test_mono_16_bit_flac_keeps_its_very_bytes() -> None:
    save("1.flac", noise(0.3), rate_hz=22_050)
    Path("1.flac").write_bytes(Path("1.flac").read_bytes().replace(b"reference libFLAC", b"another   libFLAC"))
    recording = only(write("m.jsonl", [{"audio": "1.flac", "text": "a"}]))

    assert recording.flac == Path("1.flac").read_bytes()
    assert recording.changes == ()
    assert np.array_equal(samples_of(recording), noise(0.3))


def test_flac_behind_a_tag_is_encoded_anew_so_that_an_export_knows_it() -> None:
    plain = flac.encode(noise(0.3), RATE_HZ)
    Path("1.flac").write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + plain)
    recording = only(write("m.jsonl", [{"audio": "1.flac", "text": "a"}]))

    assert flac.rate_and_length(recording.flac) == (RATE_HZ, 4800)
    assert recording.changes == ()
    assert np.array_equal(samples_of(recording), noise(0.3))


def test_channels_are_averaged_and_said_so() -> None:
    stereo = noise(0.2, channels=2)
    save("1.flac", stereo)
    recording = only(write("m.jsonl", [{"audio": "1.flac", "text": "a"}]))

    assert recording.changes == ("mean of 2 channels",)
    assert np.array_equal(samples_of(recording), np.rint(stereo.astype(np.float32).mean(axis=1)).astype(np.int16))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_other_sample_formats_become_16_bit_at_their_own_rate(subtype: str) -> None:
    wave = np.sin(np.arange(4000) / 20) * 0.5
    save("1.wav", wave, rate_hz=8000, subtype=subtype)
    recording = only(write("m.jsonl", [{"audio": "1.wav", "text": "a"}]))

    assert recording.sample_rate_hz == 8000
    assert recording.changes == (f"{subtype} to 16 bit",)
    assert np.abs(samples_of(recording) / 32768 - wave).max() < (0.02 if subtype in ("PCM_U8", "ULAW") else 4e-5)


def test_samples_over_full_scale_are_clipped_and_counted() -> None:
    save("1.wav", np.array([0.0, 1.5, -1.5, 0.5]), subtype="FLOAT")
    recording = only(write("m.jsonl", [{"audio": "1.wav", "text": "a"}]))

    assert recording.changes[0] == "2 samples over full scale clipped"
    assert samples_of(recording).tolist() == [0, 32767, -32768, 16384]


def bad_audio(name: str) -> None:
    whole = io.BytesIO()
    soundfile.write(whole, noise(1.0), RATE_HZ, format="FLAC")
    contents = {
        "gone.wav": None,
        "text.wav": b"this is no sound",
        "cut.flac": whole.getvalue()[:9000],
        "bare.raw": whole.getvalue(),
        "nothing.wav": b"",
    }
    if name in contents:
        if (content := contents[name]) is not None:
            Path(name).write_bytes(content)
        return
    waves = {
        "nan.wav": [0.0, np.nan],
        "inf.wav": [np.inf],
        "loud.wav": [20_000.0],
        "empty.wav": [],
        "long.wav": [0.0] * 601,
    }
    save(name, np.array(waves[name]), subtype="FLOAT", rate_hz=1 if name == "long.wav" else RATE_HZ)


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("gone.wav", "audio-missing", "gone.wav is not there"),
        ("text.wav", "audio-damaged", "cannot be decoded: Format not recognised"),
        ("cut.flac", "audio-damaged", "cut.flac cannot be decoded"),
        ("bare.raw", "audio-damaged", "bare.raw cannot be decoded"),
        ("nothing.wav", "audio-damaged", "cannot be decoded"),
        ("nan.wav", "not-finite", "NaN or infinite"),
        ("inf.wav", "not-finite", "NaN or infinite"),
        ("loud.wav", "not-scaled", "reaches 20,000"),
        ("empty.wav", "no-audio", "has no samples"),
        ("long.wav", "too-long", "601 s where 600 s are the limit"),
    ],
)
def test_audio_that_cannot_be_used_is_a_failure_with_its_line(name: str, error: str, sentence: str) -> None:
    bad_audio(name)
    save("good.wav", noise(0.1))
    manifest = write("m.jsonl", [{"audio": name, "text": "bad"}, {"audio": "good.wav", "text": "good"}])

    recordings, failures = read(SpeechSource(manifest))

    assert [r.prompt.text for r in recordings] == ["good"]
    assert [f.error for f in failures] == [error]
    assert failures[0].message.startswith("m.jsonl:1: ")
    assert sentence in failures[0].message


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"audio": "1.wav"}, "no-text"),
        ({"audio": "1.wav", "text": ""}, "empty-text"),
        ({"audio": "1.wav", "text": "a", "duration": 2.0}, "audio-cut-short"),
        ({"audio": "1.wav", "text": "a", "duration": 0.5}, "audio-too-long"),
        ({"audio": "1.wav", "text": "a", "duration": 0}, "audio-too-long"),
        ({"audio": "1.wav", "text": "a", "duration": -1}, "bad-times"),
        ({"audio": "1.wav", "text": "a", "offset": 0.9, "duration": 0.5}, "audio-cut-short"),
        ({"audio": "1.wav", "text": "a", "offset": -1, "duration": 0.5}, "bad-times"),
        ({"audio": "1.wav", "text": "a", "offset": "now"}, "bad-times"),
        ({"audio": "1.wav", "text": "a", "offset": 5.0}, "no-audio"),
        ({"audio": 7, "text": "a"}, "audio-missing"),
        ({"audio": "1.wav\0", "text": "a"}, "audio-missing"),
        ({"audio": "\ud83d.wav", "text": "a"}, "audio-missing"),
        ({"audio": ".", "text": "a"}, "audio-missing"),
    ],
)
def test_a_row_that_cannot_be_used_is_a_failure(row: Mapping[str, object], error: str) -> None:
    save("1.wav", noise(1.0))

    failure = why(write("m.jsonl", [row]))

    assert failure.error == error
    assert failure.message.encode("utf-8")


def test_offsets_are_cut_to_the_sample_and_rounded_ends_are_forgiven() -> None:
    save("1.wav", noise(1.0))
    rows = [
        {"audio_filepath": "1.wav", "text": "a", "offset": 0.25, "duration": 0.125},
        {"audio_filepath": "1.wav", "text": "b", "offset": 0.5, "duration": 0.51},
        {"audio_filepath": str(Path("1.wav").absolute()), "text": "c", "duration": 1.0},
    ]

    recordings, failures = read(SpeechSource(write("nemo.json", rows)))

    assert not failures
    assert np.array_equal(samples_of(recordings[0]), noise(1.0)[4000:6000])
    assert np.array_equal(samples_of(recordings[1]), noise(1.0)[8000:])
    assert np.array_equal(samples_of(recordings[2]), noise(1.0))


def test_a_file_longer_than_its_manifest_says_is_told_in_one_sentence() -> None:
    save("1.wav", noise(1.0))
    rows = [{"audio": "1.wav", "text": "a", "duration": 0.5}, {"audio": "1.wav", "text": "b", "duration": 0.95}]

    recordings, (failure,) = read(SpeechSource(write("m.jsonl", rows)))

    assert [(r.prompt.text, r.num_samples) for r in recordings] == [("b", 16_000)]
    assert failure.message == (
        "m.jsonl:1: 1.wav lasts 1.00 s, where 0.50 s are expected; mend the duration, or give an offset to cut there"
    )


def test_nemo_without_an_offset_means_from_the_start() -> None:
    save("1.flac", noise(1.0))
    Path("1.flac").write_bytes(Path("1.flac").read_bytes().replace(b"reference libFLAC", b"another   libFLAC"))
    names = {"begun": 0.5, "rounded": 0.996, "whole": 1.0}
    rows = [{"audio_filepath": "1.flac", "text": text, "duration": s} for text, s in names.items()]

    recordings, failures = read(SpeechSource(write("nemo.json", rows)))

    assert not failures
    assert np.array_equal(samples_of(recordings[0]), noise(1.0)[:8000])
    assert [r.flac == Path("1.flac").read_bytes() for r in recordings] == [False, True, True]


@pytest.mark.parametrize(("suffix", "subtype"), [("mp3", "MPEG_LAYER_III"), ("ogg", "VORBIS"), ("ogg", "OPUS")])
def test_a_late_segment_of_a_long_lossy_file_takes_no_more_memory_than_an_early_one(suffix: str, subtype: str) -> None:
    name = save(f"long.{suffix}", noise(60.0) / 32768, subtype=subtype)
    whole = soundfile.read(name, dtype="float32")[0]
    wanted = np.rint(whole[50 * RATE_HZ :][: RATE_HZ // 2] * 32768)

    tracemalloc.start()
    sound = load(Clip(Row(Path("m"), 1, {}), Path(name), start_s=50.0, duration_s=0.5), max_s=600.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1 << 20
    assert np.abs(flac.decode(sound.flac)[0] - wanted).max() <= 1  # MP3 differs in float's last bit by how it is read


def test_a_lossy_file_that_ends_before_its_segment_is_told_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    save("1.ogg", noise(3.0), subtype="VORBIS")
    monkeypatch.setattr(soundfile.SoundFile, "frames", property(lambda file: 10 * RATE_HZ))
    row = {"audio": "1.ogg", "text": "a", "offset": 5.0, "duration": 1.0}

    failure = why(write("m.jsonl", [row]))

    assert failure.error == "audio-cut-short"
    assert "holds 48,000 of the samples its header promises" in failure.message


def test_ljspeech_takes_the_spoken_text_and_the_file_of_that_name() -> None:
    save("lj/wavs/LJ1.wav", noise(0.1))
    save("lj/wavs/LJ2.flac", noise(0.2))
    write("lj/metadata.csv", 'LJ1|in 1868, "we"|in eighteen sixty-eight, "we"\nLJ2|plain|\nLJ3 no bar\nLJ4|gone|gone\n')

    recordings, failures = read(SpeechSource("lj", speaker="linda"))

    assert [(r.prompt.text, r.speaker) for r in recordings] == [
        ('in eighteen sixty-eight, "we"', "linda"),
        ("plain", "linda"),
    ]
    assert [(f.error, f.message.split(" ")[0]) for f in failures] == [
        ("bad-row", "lj/metadata.csv:3:"),
        ("audio-missing", "lj/metadata.csv:4:"),
    ]


def test_kaldi_segments_speakers_and_languages() -> None:
    save("k/long.wav", noise(2.0))
    write("k/wav.scp", "rec long.wav\n")
    write("k/text", "u1 first words\nu2 second\nu3 no segment\n")
    write("k/segments", "u1 rec 0.5 1.0\nu2 rec 1.5 -1\nu4 rec 0 1\n")
    write("k/utt2spk", "u1 ann\nu2 bob\n")
    write("k/utt2lang", "u1 en\nu2 de\n")

    recordings, failures = read(SpeechSource("k"))

    assert [(r.prompt.text, r.speaker, r.language) for r in recordings] == [
        ("first words", "ann", "en"),
        ("second", "bob", "de"),
    ]
    assert np.array_equal(samples_of(recordings[0]), noise(2.0)[8000:16000])
    assert np.array_equal(samples_of(recordings[1]), noise(2.0)[24000:])
    assert {f.error: f.message.split(" ")[0] for f in failures} == {
        "no-text": "k/segments:3:",
        "audio-missing": "k/text:3:",
    }


@pytest.mark.parametrize("recording", ["sph2pipe -f wav a.sph |", "| tee x", "touch pwned.txt |"])
def test_kaldi_commands_are_refused_and_not_run(recording: str) -> None:
    write("k/wav.scp", f"u1 {recording}\n")
    write("k/text", "u1 words\n")

    assert why("k").error == "unsafe"
    assert not list(Path().rglob("pwned.txt"))


def test_a_kaldi_key_that_is_there_twice_is_an_error() -> None:
    write("k/wav.scp", "u1 a.wav\nu1 b.wav\n")
    write("k/text", "u1 words\n")

    with pytest.raises(InputError, match=r"k/wav\.scp:2: u1 is there twice, first in line 1"):
        read(SpeechSource("k"))


def test_a_repeated_recording_is_a_failure_that_names_the_first() -> None:
    save("1.wav", noise(0.1))
    save("2.flac", noise(0.1))
    rows = [{"audio": "1.wav", "text": "a"}, {"audio": "2.flac", "text": "a"}, {"audio": "1.wav", "text": "b"}]

    recordings, failures = read(SpeechSource(write("m.jsonl", rows)))

    assert [r.prompt.text for r in recordings] == ["a", "b"]
    assert failures[0].message == "m.jsonl:2: the same recording as m.jsonl:1"


def test_order_is_kept_however_long_each_takes_to_decode() -> None:
    for n in range(100):
        save(f"a/{n}.wav", noise(2.0 if n % 7 == 0 else 0.01, seed=n))
    manifest = write("m.jsonl", [{"audio": f"a/{n}.wav", "text": f"number {n}"} for n in range(100)])

    assert [r.prompt.text for r in read(SpeechSource(manifest))[0]] == [f"number {n}" for n in range(100)]
    assert len(read(SpeechSource(manifest, limit=3))[0]) == 3


def test_what_cannot_be_read_as_a_whole_is_an_error() -> None:
    Path("empty").mkdir()
    save("1.wav", noise(0.1))
    write("typo.jsonl", [{"audoi": "1.wav", "text": "a"}])
    write("column.jsonl", [{"audio": "1.wav", "text": "a", "spk": "x"}])

    for source, sentence in (
        (SpeechSource("gone"), "there is no corpus at gone"),
        (SpeechSource("gone", layout="kaldi"), "there is no corpus at gone"),
        (SpeechSource("empty"), "empty has none of metadata.csv"),
        (SpeechSource("empty", layout="kaldi"), "wav.scp cannot be read"),
        (SpeechSource("typo.jsonl"), "no column 'audio'; did you mean 'audoi'"),
        (SpeechSource("column.jsonl", speaker_column="sp"), "no column 'sp'; did you mean 'spk'"),
    ):
        with pytest.raises(InputError, match=sentence):
            read(source)


def test_a_human_voice_is_the_same_card_whenever_it_is_made() -> None:
    card = human_voice("ann", "en", sample_rate_hz=16_000, licence="CC0-1.0", consent="signed")

    assert card == human_voice("ann", "en", sample_rate_hz=16_000, licence="CC0-1.0", consent="signed")
    assert (card.name, card.engine) == ("human/ann", "human")


def test_gzipped_manifests_are_read() -> None:
    save("1.wav", noise(0.1))
    Path("m.jsonl.gz").write_bytes(gzip.compress(b'{"audio": "1.wav", "text": "a"}'))

    assert only("m.jsonl.gz").prompt.text == "a"
