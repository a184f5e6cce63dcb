"""Variants of takes in a corpus: the same wherever they are made, and never another augmentation's."""

import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from catalogs.audio import AudioStore, hash_file
from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError, UsageError
from catalogs.flac import encode
from catalogs.signal import to_int16
from training.augmentation import variants
from training.augmentation.sounding import NOTES, sound_out
from training.augmentation.step import Lengthening
from training.augmentation.variants import Augmentation, AugmentationConfig
from training.features import FeatureStore
from training.members import RATE_HZ, Member
from training.sampling import Draw

from ..conftest import make_features, make_member
from .conftest import spoken

STEPS: list[dict[str, Any]] = [
    {"step": "perturbation", "probability": 0.5},
    {"step": "room", "probability": 0.5},
    {"step": "noise", "kinds": ["babble", "pink"], "probability": 0.8},
    {"step": "codec", "probability": 0.5},
]


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Member]:
    """Five takes of made-up speech."""
    folder = tmp_path_factory.mktemp("corpus")
    pcms = [to_int16(spoken(0.6 + n / 10, pitch_hz=100 + 20 * n, seed=n)) for n in range(5)]
    writer = AudioStore(folder / "audio").writer("takes")
    places = writer.append((f"take-{n}", encode(pcm, RATE_HZ)) for n, pcm in enumerate(pcms))
    writer.seal()
    return [
        replace(make_member(n), pcm_sha256=hashlib.sha256(pcm.tobytes()).hexdigest(), corpus=folder, place=place)
        for n, (pcm, place) in enumerate(zip(pcms, places, strict=True))
    ]


def config(**changes: Any) -> AugmentationConfig:
    return parse(AugmentationConfig, {"variants": 2, "steps": STEPS} | changes, source="augmentation")


def hashes(made: Augmentation, members: list[Member]) -> dict[str, str]:
    """What is heard of each member and variant, by take and variant."""
    return {
        f"{m.take_id}-{variant}": hashlib.sha256(made.heard(m, variant).tobytes()).hexdigest()
        for m in members
        for variant in (0, 1, 2)
    }


def heard_elsewhere(members: list[Member]) -> dict[str, str]:
    return hashes(config().build(members), members)


def test_a_variant_is_the_same_in_every_order_and_process(members: list[Member]) -> None:
    here = hashes(config().build(members), members)

    assert hashes(config().build(members[::-1]), members[::-1]) == here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(heard_elsewhere, members).result() == here
    assert len(set(here.values())) > 2 * len(members)


def test_variant_0_is_the_take_and_another_seed_is_another_variant(members: list[Member]) -> None:
    one, other = config().build(members), config(seed=1).build(members)

    for member in members:
        assert np.array_equal(one.heard(member, 0), other.heard(member, 0))
    assert any(not np.array_equal(one.heard(m, 1), other.heard(m, 1)) for m in members)


def test_more_variants_leave_those_that_were_made(members: list[Member]) -> None:
    two, many = config().build(members), config(variants=5).build(members)

    assert two.id == many.id
    assert np.array_equal(two.heard(members[0], 2), many.heard(members[0], 2))


def test_what_decides_a_variant_decides_the_id(members: list[Member]) -> None:
    made = config().build(members).id
    quiet = [step for step in STEPS if step["step"] != "noise"]

    assert config(seed=1).build(members).id != made
    assert config(steps=STEPS[::-1]).build(members).id != made
    assert config().build(members[1:]).id != made  # who else is heard in a babble
    assert config(steps=quiet).build(members[1:]).id == config(steps=quiet).build(members).id


def test_augmentations_share_the_features_of_the_takes_and_no_others(members: list[Member], tmp_path: Path) -> None:
    draws = [Draw(member, variant) for member in members for variant in (0, 1, 2)]
    one, other = (config(seed=seed).build(members).id for seed in (0, 1))
    FeatureStore(tmp_path, "tiny", augmentation_id=one).fill(draws, lambda part: [make_features(d) for d in part])

    assert not FeatureStore(tmp_path, "tiny", augmentation_id=one).missing(draws)
    missing = FeatureStore(tmp_path, "tiny", augmentation_id=other).missing(draws)
    assert missing == [draw for draw in draws if draw.variant]


def test_a_babble_of_one_is_refused(members: list[Member]) -> None:
    with pytest.raises(TrainingError, match="babble"):
        config().build(members[:1])


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"variants": -1}, r"augmentation\.variants = -1"),
        ({"variants": 2, "steps": []}, r"augmentation\.steps has none"),
        ({"steps": [{"step": "rom"}, {"step": "noise", "snr": 3}]}, r"(?s)steps\.0.*'room'.*steps\.1.*'snr'"),
    ],
)
def test_mistakes_in_the_table_are_told_all_at_once(table: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        config(**table)


def test_settings_that_came_later_leave_older_trainings_as_they_were() -> None:
    steps = [{"step": "perturbation", "probability": 0.5}, {"step": "room", "probability": 0.5}, {"step": "codec"}]

    longer = [*steps[:1], {"step": "room", "tail_s": 0.2}, *steps[2:]]

    assert config(steps=steps).build([]).id == "940f2093-7124-7480-b128-550c0f3584bc"
    assert config(steps=longer).build([]).id != config(steps=steps).build([]).id


def test_a_variant_is_as_long_as_its_steps_allow(members: list[Member]) -> None:
    steps = [{"step": "room", "tail_s": 0.5}, {"step": "perturbation", "kinds": ["stretch"], "tempo": [0.5, 0.5]}]
    made = config(steps=steps).build(members)

    assert made.lengthening == Lengthening(slower=2.0, longer_s=1.0)
    assert made.lengthening.longest_before_s(5.0) == 2.0
    for member in members:
        wave = made.heard(member, 1)
        duration_s = len(made.heard(member, 0)) / RATE_HZ
        assert 2 * duration_s < len(wave) / RATE_HZ <= made.lengthening.longest_s(duration_s) + 1 / RATE_HZ


@pytest.mark.parametrize(("kinds", "tempo"), [(["stretch"], [0.5, 2.0]), (["stretch", "flatten_f0"], [0.6, 0.6])])
def test_variants_are_on_the_mean_as_long_as_is_expected(
    kinds: list[str], tempo: list[float], members: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        {"step": "perturbation", "probability": 0.7, "kinds": kinds, "tempo": tempo},
        {"step": "room", "probability": 0.5, "tail_s": 0.1, "rt60_s": [0.2, 0.3]},
    ]
    made = config(steps=steps, variants=600).build(members)
    monkeypatch.setattr(variants, "waves_of", lambda found: [np.zeros(RATE_HZ // 4, np.float32) for _ in found])

    lengths = [len(made.heard(members[0], variant)) / RATE_HZ for variant in range(1, 601)]

    assert np.mean(lengths) == pytest.approx(made.expected.longest_s(0.25), rel=0.04)
    assert max(lengths) <= made.lengthening.longest_s(0.25) + 1 / RATE_HZ
    assert made.expected.longest_s(0.25) < 0.9 * made.lengthening.longest_s(0.25)


def test_how_a_variant_was_made_is_told(members: list[Member], tmp_path: Path) -> None:
    response = np.exp(-np.arange(2000) / 200) * np.random.default_rng(0).standard_normal(2000)
    soundfile.write(tmp_path / "room.wav", 0.3 * response, RATE_HZ)
    steps = [{"step": "room", "folder": str(tmp_path)}, {"step": "noise", "kinds": ["pink"], "snr_db": [10, 20]}]
    made = config(steps=steps).build(members)

    wave, told = made.made(members[0], 1)

    room, noise = told
    assert room == {"step": "room", "recording_sha256": hash_file(tmp_path / "room.wav")}
    assert (noise["step"], noise["kind"]) == ("noise", "pink")
    assert 10 <= float(noise["snr_db"]) <= 20
    assert np.array_equal(wave, made.heard(members[0], 1))
    assert made.made(members[0], 0)[1] == []


def test_some_variants_are_written_to_be_listened_to(members: list[Member], tmp_path: Path) -> None:
    made = list(sound_out(config(), members, takes=2, to=tmp_path / "sounds"))

    assert [(len({each.take_id for each in made}), each.variant) for each in made] == [(2, 0), (2, 1), (2, 2)] * 2
    for each in made:
        wave, rate_hz = soundfile.read(each.sound)
        assert (len(wave) / rate_hz, rate_hz) == (each.duration_s, RATE_HZ)
    notes = [json.loads(line) for line in (tmp_path / "sounds" / NOTES).read_text().splitlines()]
    assert [note["sound"] for note in notes] == [each.sound.name for each in made]
    assert [note["steps"] for note in notes] == [list(each.steps) for each in made]
    with pytest.raises(UsageError, match="is there already: name a new folder"):
        next(sound_out(config(), members, takes=2, to=tmp_path / "sounds"))
    with pytest.raises(UsageError, match="no augmentation to listen to"):
        next(sound_out(AugmentationConfig(), members, takes=2, to=tmp_path / "none"))
