import numpy as np
import pytest
import pyworld
from numpy.typing import NDArray

from curation.metrics.prosody import Prosody, ProsodyConfig, pitch_hz

RATE_HZ = 16_000


def voiced(track_hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """A buzz of ten harmonics whose pitch is given for every sample."""
    phase = 2 * np.pi * np.cumsum(track_hz) / RATE_HZ
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, 11))).astype(np.float32)


def prosody_of(clip) -> Prosody:
    (score,) = ProsodyConfig().build().measure([clip])
    return Prosody(*score.values)


@pytest.mark.parametrize("hz", [80.0, 120.0, 220.0, 400.0])
def test_a_steady_pitch_is_found_and_has_no_spread(hz: float, make_clip) -> None:
    prosody = prosody_of(make_clip(voiced(np.full(RATE_HZ, hz))))

    assert prosody.f0_median_hz == pytest.approx(hz, rel=0.01)
    assert prosody.f0_sd_st < 0.3
    assert prosody.voiced_ratio > 0.9


def test_a_voice_without_its_fundamental_is_not_heard_an_octave_high(make_clip) -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    partials = {1: 0.03, 2: 1.0, 3: 0.7, 4: 0.5, 5: 0.4, 6: 0.3}
    wave = sum(level * np.sin(2 * np.pi * 95 * k * time_s) for k, level in partials.items())

    assert prosody_of(make_clip((0.1 * wave).astype(np.float32))).f0_median_hz == pytest.approx(95, rel=0.01)


def test_a_glide_has_the_slope_and_the_range_it_was_made_with(make_clip) -> None:
    semitones = np.linspace(0, 6, 2 * RATE_HZ)

    prosody = prosody_of(make_clip(voiced(150 * 2 ** (semitones / 12))))

    assert prosody.f0_slope_st_per_s == pytest.approx(3.0, abs=0.15)
    assert prosody.f0_range_st == pytest.approx(0.9 * 6, abs=0.3)
    assert prosody.f0_sd_st == pytest.approx(6 / np.sqrt(12), abs=0.15)


def test_loudness_that_swells_has_a_spread_of_energy(make_clip) -> None:
    steady = voiced(np.full(2 * RATE_HZ, 150.0))
    swelling = steady * np.geomspace(0.1, 1.0, len(steady))

    assert prosody_of(make_clip(steady)).energy_range_db < 1
    assert prosody_of(make_clip(swelling)).energy_range_db == pytest.approx(18, abs=1)


def test_noise_has_energy_but_no_pitch(make_clip) -> None:
    hiss = np.random.default_rng(0).normal(0, 0.1, RATE_HZ)

    prosody = prosody_of(make_clip(hiss))

    assert prosody.voiced_ratio < 0.3
    assert prosody.energy_sd_db is not None


def test_pitch_agrees_with_harvest_on_speech(say) -> None:
    wave = say("Where were you yesterday evening, and why did nobody know?").at(RATE_HZ)

    ours = pitch_hz(wave)
    slow, _ = pyworld.harvest(wave.astype(np.float64), RATE_HZ, f0_floor=60, f0_ceil=600, frame_period=10)

    both = (ours > 0) & (slow > 0)
    apart_st = np.abs(12 * np.log2(ours[both] / slow[both]))
    assert both.mean() > 0.4
    assert np.mean(apart_st < 0.5) > 0.9
