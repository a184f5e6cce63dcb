from pathlib import Path

import numpy as np
import pytest
import soundfile

from catalogs.errors import AudioError, ModelMissing, UsageError
from catalogs.records import Line
from catalogs.world import analyse
from synthgen.voice import Reading
from synthgen.voices.espeak import EspeakConfig
from synthgen.voices.transplant import TransplantConfig

TEXT = "Where were you yesterday evening?"
BASE = {"engine": "espeak", "speakers": ("en-us",)}


def spoken(text: str, speaker: str, rate: int, pitch: int = 50) -> Reading:
    config = EspeakConfig(speakers=(speaker,), rate=rate, pitch=pitch)
    line = Line.new(prompt_id="p", voice_id=config.cards()[0].id, text=text, normaliser="none")
    return config.build().speak([line])[0]


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Path:
    """The same text read slowly, and another one."""
    folder = tmp_path_factory.mktemp("bank")
    for name, text in (("slow", TEXT), ("other", "It is a beautiful day, and nobody is at home.")):
        reading = spoken(text, "en-gb", 110, pitch=90)
        soundfile.write(folder / f"{name}.flac", reading.samples, reading.sample_rate_hz)
    (folder / "slow.txt").write_text("where were you, yesterday evening")
    return folder


@pytest.fixture(scope="module")
def config(bank: Path) -> TransplantConfig:
    return TransplantConfig(base=BASE, bank=str(bank), licence="CC0-1.0")


def line(config: TransplantConfig, style: str | None, text: str = TEXT) -> Line:
    return Line.new(prompt_id="p", voice_id=config.cards()[0].id, text=text, normaliser="none", style=style)


def test_a_line_without_style_is_the_base_voice_and_one_with_style_follows_it(config, bank) -> None:
    plain, slow, other = config.build().speak([line(config, name) for name in (None, "slow", "other")])

    base = spoken(TEXT, "en-us", 175)
    followed, _ = soundfile.read(bank / "slow.flac")
    assert np.array_equal(plain.samples, base.samples)
    assert len(slow.samples) == pytest.approx(len(followed), abs=500)
    assert len(other.samples) == pytest.approx(len(base.samples), abs=500)
    assert slow.sample_rate_hz == config.cards()[0].sample_rate_hz


def test_a_take_keeps_the_pitch_of_its_voice(config, bank) -> None:
    (slow,) = config.build().speak([line(config, "slow")])

    middles_hz = []
    for wave in (slow.samples, spoken(TEXT, "en-us", 175).samples, soundfile.read(bank / "slow.flac")[0]):
        f0_hz = analyse(wave, rate_hz=slow.sample_rate_hz).f0_hz
        middles_hz.append(np.median(f0_hz[f0_hz > 0]))
    made, own, donor = middles_hz
    assert abs(np.log2(made / own)) < 0.1 < abs(np.log2(donor / own))


def test_the_same_line_has_the_same_samples_alone_and_beside_others(config) -> None:
    wanted = line(config, "slow")

    (alone,) = config.build().speak([wanted])
    *_, beside = config.build().speak([line(config, "other"), wanted])

    assert np.array_equal(alone.samples, beside.samples)


def test_a_bank_that_changes_makes_another_voice(bank, tmp_path) -> None:
    for path in bank.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = TransplantConfig(base=BASE, bank=str(tmp_path))
    before = config.cards()

    soundfile.write(tmp_path / "new.wav", np.zeros(8000), 16_000)

    assert config.cards()[0].id != before[0].id


def test_only_readings_of_the_bank_may_be_styles(config, bank) -> None:
    few = TransplantConfig(base=BASE, bank=str(bank), styles=("slow",))

    with pytest.raises(UsageError, match="'other'"):
        few.build().speak([line(few, "other")])
    with pytest.raises(UsageError, match="'slow'"):
        TransplantConfig(base=BASE, bank=str(bank), styles=("slowest",)).cards()


def test_a_card_names_both_licences_and_both_speakers(config) -> None:
    (card,) = config.cards()

    assert card.name == "transplant/espeak/en-us"
    assert "GPL-3.0" in card.licence
    assert "CC0-1.0" in card.licence


def test_a_style_that_is_not_in_the_bank_is_refused_with_the_nearest(config) -> None:
    with pytest.raises(UsageError, match="'slow'"):
        config.build().speak([line(config, "slowly")])


def test_a_bank_must_be_there_and_a_base_must_be_another_engine(config, tmp_path) -> None:
    with pytest.raises(ModelMissing):
        TransplantConfig(base=BASE, bank=str(tmp_path / "nowhere"), licence="CC0-1.0").cards()
    with pytest.raises(UsageError, match="cannot be a transplant"):
        TransplantConfig(base={"engine": "transplant"}, bank=config.bank, licence="CC0-1.0").cards()


def test_a_reading_without_pitch_fails_its_lines(bank, tmp_path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    config = TransplantConfig(base=BASE, bank=str(tmp_path), licence="CC0-1.0")

    with pytest.raises(AudioError, match="voiced"):
        config.build().speak([line(config, "silence")])
