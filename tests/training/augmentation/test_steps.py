"""What every step promises: lengths, levels, and that nothing but the scene decides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.config import parse_named, registered
from catalogs.errors import RecipeError, TrainingError
from training.augmentation.levels import active_power, power
from training.augmentation.perturbation import stretch
from training.augmentation.step import GROUP, Step, Wave
from training.members import RATE_HZ

from .conftest import db, scene, spoken

KINDS: dict[str, list[dict[str, Any]]] = {
    "room": [{}],
    "noise": [{"kinds": [kind]} for kind in ("white", "pink", "brown", "speech_shaped", "babble")],
    "codec": [{"codecs": [codec]} for codec in ("mp3", "vorbis", "opus", "mulaw", "alaw", "gsm")],
    "filter": [{"kinds": [kind]} for kind in ("band", "low_pass", "high_pass", "tilt", "gain")],
    "perturbation": [{"kinds": [kind]} for kind in ("shift_pitch", "flatten_f0", "flatten_energy")],
}

TABLES = [{"step": step, **table} for step, tables in KINDS.items() for table in tables]


def made(table: dict[str, Any]) -> Step:
    step: Step = parse_named(GROUP, table, field="step", source="test").build()
    return step


def named(table: dict[str, Any]) -> str:
    return "-".join([table["step"], *table.get("kinds", table.get("codecs", []))])


def test_every_step_that_is_registered_is_held_to_this() -> None:
    assert set(KINDS) == set(registered(GROUP))


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_a_step_keeps_the_length_and_the_range_and_makes_the_same_again(table: dict[str, Any]) -> None:
    step, wave = made(table), spoken(peak=0.99)
    before = wave.copy()

    heard, again = step.apply(wave, scene(3)), step.apply(wave, scene(3))

    assert heard.dtype == np.float32
    assert heard.shape == wave.shape
    assert np.abs(heard).max() <= 1
    assert np.array_equal(heard, again)
    assert not np.array_equal(heard, wave)
    assert np.array_equal(wave, before)


@pytest.mark.parametrize("table", TABLES, ids=named)
@pytest.mark.parametrize(
    "wave", [np.zeros(0), np.zeros(1), np.full(1, 0.5), np.zeros(RATE_HZ // 2), 0.9 * np.ones(700)],
    ids=["empty", "one zero", "one sample", "silence", "constant"],
)  # fmt: skip
def test_what_is_hardly_a_wave_stays_finite_and_as_long(table: dict[str, Any], wave: Wave) -> None:
    heard = made(table).apply(wave.astype(np.float32), scene())

    assert heard.dtype == np.float32
    assert len(heard) == len(wave)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max(initial=0) <= 1


@pytest.mark.parametrize("table", [t for t in TABLES if t["step"] in ("room", "perturbation")], ids=named)
def test_rooms_and_perturbations_keep_the_level(table: dict[str, Any]) -> None:
    wave = spoken(peak=0.2)

    heard = made(table).apply(wave, scene(1))

    assert db(power(heard) / power(wave)) == pytest.approx(0, abs=0.1)


@settings(max_examples=30, deadline=None)
@given(tempo=st.floats(0.3, 3.5), num_samples=st.integers(0, 12_000))
def test_another_tempo_is_another_length_by_that_much(tempo: float, num_samples: int) -> None:
    heard = stretch(spoken(1.0)[:num_samples], tempo=tempo)

    assert len(heard) == round(num_samples / tempo)
    assert np.isfinite(heard).all()


def test_the_level_of_speech_is_that_of_its_active_part() -> None:
    tone = 0.1 * np.sin(np.arange(RATE_HZ) * 0.3).astype(np.float32)
    paused = np.concatenate([np.zeros(3 * RATE_HZ, np.float32), tone, np.zeros(RATE_HZ, np.float32)])

    assert db(active_power(paused) / power(tone)) == pytest.approx(0, abs=0.1)
    assert active_power(np.zeros(100, np.float32)) == 0


@pytest.mark.parametrize("step", ["room", "noise"])
def test_recordings_are_heard_and_known_by_their_content(step: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", 0.1 * np.random.default_rng(0).standard_normal((4000, 2)), 8000)
    table = {"step": step, "folder": str(tmp_path)}
    first, wave = made(table), spoken()
    heard = first.apply(wave, scene())
    soundfile.write(tmp_path / "two.flac", spoken(0.2), RATE_HZ)

    assert heard.shape == wave.shape
    assert not np.array_equal(heard, wave)
    assert made(table).made_of != first.made_of


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"room\.folder: .* has no wav or flac"):
        made({"step": "room", "folder": str(tmp_path)})
    (tmp_path / "broken.wav").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match=r"broken\.wav cannot be read"):
        made({"step": "room", "folder": str(tmp_path)}).apply(spoken(), scene())


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"step": "rom"}, "did you mean 'room'"),
        ({"step": "room", "probability": 0}, "room.probability"),
        ({"step": "room", "rt60_s": [0.5, 0.2]}, "room.rt60_s"),
        ({"step": "noise", "snr_db": [0, float("nan")]}, "snr_db.1 = nan: input should be a finite number"),
        ({"step": "noise", "kinds": []}, "noise.kinds is empty"),
        ({"step": "codec", "codecs": ["mp4"]}, "codecs.0"),
        ({"step": "filter", "high_hz": [100, 9000]}, "filter.high_hz"),
        ({"step": "perturbation", "tempo": [0, 1]}, "perturbation.tempo"),
    ],
)
def test_a_mistake_in_a_step_names_its_key(table: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told.replace("[", r"\[")):
        made(table)
