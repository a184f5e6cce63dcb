"""`synthgen hallucinations`: sounds in which nobody speaks, and what is heard in them by one who makes things up."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from catalogs.errors import UsageError
from catalogs.progress import Progress
from synthgen.cli import app
from training.answering import Answer
from training.augmentation.levels import power
from training.evaluation import hallucinations as module
from training.evaluation.files import read_wave
from training.evaluation.hallucinations import HallucinationConfig, hallucinations
from training.evaluation.nonspeech import LEVELS_DB, MAKERS, RECORDED, made, recorded
from training.evaluation.telling import told_hallucinations
from training.members import RATE_HZ, Member, Wave

from .conftest import train_on_told


class MakesThingsUp:
    """Hears three words in every second sound of white noise, loops on hum, and knows nothing of what is over 19 s."""

    name, id, decoding = "fake", "00000000-0000-0000-0000-000000000000", "{}"

    def prepare(self, members: Sequence[Member], progress: Progress) -> None: ...

    def transcribe(self, members: Sequence[Member]) -> list[Answer]:
        raise NotImplementedError

    def hear(self, waves: Mapping[str, Wave]) -> list[Answer]:
        if any(len(wave) > 19 * RATE_HZ and name.startswith("pink") for name, wave in waves.items()):
            raise ValueError("too long")
        return [Answer(name, self._text(name), 0, hit_limit=False) for name in waves]

    def _text(self, name: str) -> str:
        kind, _, number = name.rpartition(" ")
        said = {"white": "Thanks for watching!" if number in "02468" else " … ", "hum": "you you you"}
        return said.get(kind, "")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "recogniser_named", lambda _, **__: MakesThingsUp())
    monkeypatch.setattr(module, "checkpoint_folder", lambda _: None)


def heard(config: HallucinationConfig) -> module.Hallucinations:
    return hallucinations("fake", config, progress=Progress(quiet=True))


@pytest.mark.usefixtures("fake")
def test_the_figures_are_what_is_made_up() -> None:
    found = heard(HallucinationConfig(sounds=10))

    rows = {row.kind: row for row in found.kinds}
    assert [*rows] == ["all", *MAKERS]
    shares = {kind: (row.with_words.value, row.looping.value) for kind, row in rows.items()}
    assert shares["white"] == (0.5, 0.0)
    assert shares["hum"] == (1.0, 1.0)
    assert shares["silence"] == (0.0, 0.0)
    assert shares["all"] == (15 / 59, 10 / 59)
    assert rows["white"].seconds == pytest.approx(np.linspace(1, 20, 10).sum(), abs=0.01)
    assert rows["white"].words_per_s.value == pytest.approx(15 / rows["white"].seconds)
    assert rows["silence"].words_per_s.low is None
    silent = rows["silence"].with_words
    assert silent.high is not None
    assert 0.2 < silent.high < 0.35
    assert [failure.subject_id for failure in found.failures] == ["pink 9"]
    assert rows["pink"].num_sounds == 9
    assert [row.text for row in found.worst] == ["Thanks for watching!"] * 5


@pytest.mark.usefixtures("fake")
def test_people_are_told_what_is_worst_and_what_was_not_heard() -> None:
    told = told_hallucinations(heard(HallucinationConfig(sounds=10)))

    assert "not heard, and in no figure: pink 9: too long" in told
    assert "white 0 (1.0 s): Thanks for watching!" in told


@pytest.mark.usefixtures("fake")
def test_recordings_are_heard_for_20_s_at_most_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 25 * 8000)
    soundfile.write(tmp_path / "below" / "rain.flac", noise, 8000)
    soundfile.write(tmp_path / "fan.wav", noise[:8000], 8000)
    (tmp_path / "none.WAV").write_text("nothing")

    found = heard(HallucinationConfig(sounds=1, noise=tmp_path))

    assert [Path(failure.subject_id).name for failure in found.failures] == ["none.WAV"]
    assert "cannot be read as sound" in found.failures[0].message
    (row,) = (row for row in found.kinds if row.kind == RECORDED)
    assert (row.num_sounds, row.seconds) == (2, 21.0)
    assert heard(HallucinationConfig(sounds=1)).id != found.id


def test_of_a_long_recording_no_more_is_read_than_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    soundfile.write(tmp_path / "rain.flac", random.normal(0, 0.1, (60 * 11_025, 2)), 11_025)
    whole = read_wave(tmp_path / "rain.flac")
    read: list[int] = []
    blocks = soundfile.SoundFile.blocks

    def noted(file: soundfile.SoundFile, *sizes: int, frames: int, **how: Any) -> Any:
        read.append(frames)
        return blocks(file, *sizes, frames=frames, **how)

    monkeypatch.setattr(soundfile.SoundFile, "blocks", noted)
    (sound,) = recorded(tmp_path)

    assert np.array_equal(sound.wave(), whole[: 20 * 16_000])
    assert read == [21 * 11_025]


@pytest.mark.usefixtures("fake")
def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no wav or flac files: give a folder"):
        heard(HallucinationConfig(noise=tmp_path))


def test_sounds_are_what_they_are_called_and_the_same_for_the_same_seed() -> None:
    sounds, again, others = made(3, seed=1), made(3, seed=1), made(3, seed=2)

    assert [sound.seconds for sound in sounds[:3]] == [1.0, 10.5, 20.0]
    for sound, same, other in zip(sounds, again, others, strict=True):
        wave = sound.wave()
        assert (wave.dtype, len(wave)) == (np.float32, int(sound.seconds * RATE_HZ))
        assert np.abs(wave).max() <= 1
        assert wave.tobytes() == same.wave().tobytes()
        if sound.kind == "silence":
            assert not wave.any()
        else:
            assert wave.tobytes() != other.wave().tobytes()
            level_db = 10 * np.log10(power(wave))
            assert sound.level_db in LEVELS_DB
            is_clipped = np.abs(wave).max() > 0.97
            assert level_db == pytest.approx(sound.level_db, abs=0.1) or (is_clipped and level_db < sound.level_db)


@pytest.mark.parametrize(("kind", "falls_db"), [("white", 0.0), ("pink", -3.0), ("brown", -6.0)])
def test_noise_has_its_colour(kind: str, falls_db: float) -> None:
    wave = next(sound for sound in made(2, seed=0) if sound.name == f"{kind} 1").wave()

    powers = np.abs(np.fft.rfft(wave)) ** 2
    hz = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    octaves = [powers[(hz >= low) & (hz < 2 * low)].mean() for low in (250, 500, 1000, 2000)]

    assert np.diff(10 * np.log10(octaves)) == pytest.approx(falls_db, abs=0.6)


def test_a_checkpoint_keeps_what_it_has_made_up(
    produce: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path))
    corpus = produce(tmp_path, "told", prompts=["good morning", "see you at nine"], speakers=["anna"])
    train_on_told(tmp_path, corpus, "ctc", {"method": "ctc"})

    def run() -> tuple[dict[str, Any], dict[str, bytes]]:
        done = CliRunner().invoke(app, ["hallucinations", str(tmp_path / "ctc"), "--sounds", "2", "--json"])
        assert done.exit_code == 0, done.output
        report: dict[str, Any] = json.loads(done.stdout)
        return report, {path.name: path.read_bytes() for path in Path(report["folder"]).iterdir()}

    (report, files), (_, again) = run(), run()

    assert json.loads(files["hallucinations.json"]) == report
    rows = [json.loads(line) for line in files["sounds.jsonl"].splitlines()]
    assert [row["sound"] for row in rows] == [f"{kind} {number}" for kind in MAKERS for number in (0, 1)]
    assert files == again
