from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalogs.errors import AudioError
from catalogs.records import Line
from catalogs.world import align, analyse, prosody_of, synthesise, transplant
from synthgen.voices.espeak import EspeakConfig

RATE_HZ = 22_050
TEXT = "Where were you yesterday evening?"


@cache
def said(text: str, speaker: str = "en-us", rate: int = 175, pitch: int = 50) -> NDArray[np.float32]:
    config = EspeakConfig(speakers=(speaker,), rate=rate, pitch=pitch)
    line = Line.new(prompt_id="p", voice_id=config.cards()[0].id, text=text, normaliser="none")
    return config.build().speak([line])[0].samples


def buzz(start_hz: float, end_hz: float, *, length_s: float = 1.5, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    """A glide of twenty harmonics."""
    phase = 2 * np.pi * np.cumsum(np.geomspace(start_hz, end_hz, int(length_s * rate_hz))) / rate_hz
    return (0.05 * sum(np.sin(k * phase) / k for k in range(1, 21))).astype(np.float32)


def moved(target: NDArray[np.float32], donor: NDArray[np.float32], **how) -> NDArray[np.float32]:
    options = {"target_hz": RATE_HZ, "donor_hz": RATE_HZ, "same_text": False} | how
    return transplant(target, donor, **options)


def contour(wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """Semitones about the median, NaN where unvoiced."""
    f0_hz = analyse(wave, rate_hz=RATE_HZ).f0_hz
    with np.errstate(divide="ignore"):
        return np.where(f0_hz > 0, 12 * np.log2(f0_hz / np.median(f0_hz[f0_hz > 0])), np.nan)


def alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Correlation of two contours where both are voiced."""
    size = min(len(one), len(other))
    both = np.isfinite(one[:size]) & np.isfinite(other[:size])
    return float(np.corrcoef(one[:size][both], other[:size][both])[0, 1])


def test_with_the_same_text_the_take_has_the_timing_and_the_melody_of_the_reading() -> None:
    target, donor = said(TEXT), said(TEXT, "en-gb+f3", 130)

    made = moved(target, donor, same_text=True)

    assert len(made) == pytest.approx(len(donor), abs=0.01 * RATE_HZ)
    assert alike(contour(made), contour(donor)) > 0.9


def test_a_take_keeps_its_own_pitch_level_whoever_read_the_donor() -> None:
    target, donor = said(TEXT), said(TEXT, "en-gb", 130, 90)

    before, after = (analyse(wave, rate_hz=RATE_HZ).f0_hz for wave in (target, moved(target, donor, same_text=True)))

    apart_st = 12 * np.log2(np.median(after[after > 0]) / np.median(before[before > 0]))
    assert abs(apart_st) < 1


@pytest.mark.parametrize(("start_hz", "end_hz", "sign"), [(150, 300, 1), (300, 150, -1)])
def test_with_another_text_the_take_keeps_its_timing_and_takes_the_shape_of_the_melody(start_hz, end_hz, sign) -> None:
    target = said(TEXT)

    made = moved(target, buzz(start_hz, end_hz))

    pitch_st = contour(made)
    voiced = np.flatnonzero(np.isfinite(pitch_st))
    assert len(made) == pytest.approx(len(target), abs=0.01 * RATE_HZ)
    assert sign * np.polyfit(voiced / len(pitch_st), pitch_st[voiced], 1)[0] == pytest.approx(12, abs=4)


def test_strength_leads_from_the_take_to_the_reading() -> None:
    target, donor = said(TEXT), said(TEXT, "en-gb+f3", 130)

    likeness = [alike(contour(moved(target, donor, same_text=True, strength=s)), contour(donor)) for s in (0, 0.5, 1)]

    assert likeness == sorted(likeness)


def test_without_strength_a_take_of_another_text_keeps_its_melody() -> None:
    target = said(TEXT)

    made = moved(target, buzz(150, 300), strength=0)

    assert alike(contour(made), contour(target)) > 0.9


def test_the_same_arguments_give_the_same_samples() -> None:
    target, donor = said(TEXT), said(TEXT, "en-gb+f3", 130)

    first = moved(target, donor, same_text=True)
    moved(donor, target)
    again = moved(target, donor, same_text=True)

    assert np.array_equal(first, again)


def test_loudness_follows_the_reading() -> None:
    target = buzz(200, 201)
    swelling = target * np.geomspace(0.25, 1, len(target)).astype(np.float32)

    level_db = analyse(moved(target, swelling), rate_hz=RATE_HZ).level_db

    assert level_db[-60:-30].mean() - level_db[30:60].mean() == pytest.approx(10, abs=3)


def test_a_take_apart_and_together_again_sounds_alike() -> None:
    target = said(TEXT)

    again = synthesise(analyse(target, rate_hz=RATE_HZ))

    assert alike(contour(again), contour(target)) > 0.9


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_take_and_reading_may_have_any_rate(rate_hz: int) -> None:
    made = moved(buzz(200, 210, rate_hz=rate_hz), buzz(100, 200), target_hz=rate_hz)

    assert len(made) == pytest.approx(1.5 * rate_hz, abs=0.01 * rate_hz)
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1


@settings(deadline=None, max_examples=30)
@given(lengths=st.tuples(st.integers(2, 60), st.integers(2, 60)), seed=st.integers(0, 99))
def test_an_alignment_runs_from_end_to_end_and_never_back(lengths: tuple[int, int], seed: int) -> None:
    draws = np.random.default_rng(seed)

    path = align(draws.normal(size=(lengths[0], 5)), draws.normal(size=(lengths[1], 5)))

    assert len(path) == lengths[1]
    assert (np.diff(path) >= 0).all()
    assert path[0] >= 0
    assert path[-1] <= lengths[0] - 1


def test_equal_frames_are_aligned_with_themselves() -> None:
    frames = np.random.default_rng(0).normal(size=(81, 5))

    assert np.abs(align(frames, frames) - np.arange(81)).max() <= 1


def test_slow_speech_is_aligned_with_quick_speech() -> None:
    frames = np.random.default_rng(0).normal(size=(40, 5)).repeat(4, axis=0)

    path = align(frames, frames[::2])

    assert np.abs(path - np.arange(0, 160, 2)).max() <= 6


def test_what_has_no_pitch_has_no_prosody() -> None:
    hiss = np.random.default_rng(0).normal(0, 0.01, RATE_HZ // 20).astype(np.float32)

    with pytest.raises(AudioError, match="voiced"):
        prosody_of(analyse(hiss, rate_hz=RATE_HZ))
    with pytest.raises(AudioError, match="no samples"):
        moved(np.zeros(0, np.float32), buzz(100, 200))
    with pytest.raises(AudioError, match="strength"):
        moved(buzz(100, 200), buzz(100, 200), strength=1.5)
