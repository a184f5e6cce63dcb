import numpy as np
import pytest
from numpy.typing import NDArray

from curation.metrics.figures import columns_of
from curation.metrics.frames import FLOOR_DB, frame_levels_db
from curation.metrics.levels import Levels, LevelsConfig
from curation.metrics.loudness import loudness_lufs

RATE_HZ = 16_000


def sine(length_s: float, *, rate_hz: int = RATE_HZ, hz: float = 997.0) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * hz * np.arange(round(length_s * rate_hz)) / rate_hz).astype(np.float32)


def silence(length_s: float) -> NDArray[np.float32]:
    return np.zeros(round(length_s * RATE_HZ), np.float32)


def levels_of(clip) -> Levels:
    (score,) = LevelsConfig().build().measure([clip])
    return Levels(*score.values)


def test_a_full_scale_sine_has_the_loudness_that_the_standard_gives_it() -> None:
    assert loudness_lufs(sine(3, rate_hz=48_000), rate_hz=48_000) == pytest.approx(-3.01, abs=0.01)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100])
def test_loudness_hardly_depends_on_the_sampling_rate(rate_hz: int) -> None:
    assert loudness_lufs(sine(3, rate_hz=rate_hz), rate_hz=rate_hz) == pytest.approx(-3.01, abs=0.05)


def test_ten_seconds_of_silence_hardly_lower_the_loudness_of_three_of_sound() -> None:
    padded = np.concatenate((silence(5), sine(3), silence(5)))

    assert loudness_lufs(padded, rate_hz=RATE_HZ) == pytest.approx(-3.0, abs=0.5)


@pytest.mark.parametrize("samples", [sine(0.39), silence(2), 1e-4 * sine(2)])
def test_loudness_is_none_where_the_standard_gives_none(samples: NDArray[np.float32]) -> None:
    assert loudness_lufs(samples, rate_hz=RATE_HZ) is None


def test_silences_are_found_before_between_and_after(make_clip) -> None:
    samples = np.concatenate((silence(0.3), sine(1), silence(0.5), sine(1), silence(0.2)))

    levels = levels_of(make_clip(0.5 * samples))

    assert levels.leading_silence_s == pytest.approx(0.3, abs=0.011)
    assert levels.longest_silence_s == pytest.approx(0.5, abs=0.011)
    assert levels.trailing_silence_s == pytest.approx(0.2, abs=0.011)
    assert levels.silence_ratio == pytest.approx(1 / 3, abs=0.01)


def test_a_noise_floor_is_not_silence_of_the_speech(make_clip) -> None:
    hiss = np.random.default_rng(0).normal(0, 0.01, 2 * RATE_HZ)
    samples = hiss + np.concatenate((silence(0.5), 0.5 * sine(1), silence(0.5)))

    levels = levels_of(make_clip(samples))

    assert levels.noise_floor_dbfs == pytest.approx(-40, abs=1)
    assert levels.snr_db == pytest.approx(31, abs=1.5)
    assert levels.silence_ratio == 0


def test_a_peak_at_full_scale_is_no_clipping_but_a_flat_top_is(make_clip) -> None:
    touching = np.where(np.arange(1000) % 100 == 0, 1.0, 0.1)
    clipped = np.where(np.arange(1000) % 100 < 5, -1.0, 0.1)

    assert levels_of(make_clip(touching)).clipped_ratio == 0
    assert levels_of(make_clip(clipped)).clipped_ratio == pytest.approx(0.05)


def test_an_offset_is_found(make_clip) -> None:
    assert levels_of(make_clip(0.1 * sine(1) - 0.25)).dc_offset == pytest.approx(0.25, abs=1e-3)


def test_silence_has_no_level_but_is_silent_from_end_to_end(make_clip) -> None:
    levels = levels_of(make_clip(silence(1)))

    assert (levels.peak_dbfs, levels.rms_dbfs, levels.loudness_lufs) == (None, None, None)
    assert (levels.silence_ratio, levels.leading_silence_s, levels.trailing_silence_s) == (1, 1, 0)
    assert levels.noise_floor_dbfs == FLOOR_DB


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 48_000])
def test_a_frame_is_10_ms_at_every_rate(rate_hz: int) -> None:
    levels_db = frame_levels_db(sine(1.234, rate_hz=rate_hz), rate_hz=rate_hz)

    assert len(levels_db) == 124
    assert levels_db == pytest.approx(-3.01, abs=0.5)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100])
def test_a_clip_of_any_length_has_frames_of_all_its_samples(rate_hz: int) -> None:
    """At 22,050 Hz every other frame begins between two samples, and so may the end of a clip."""
    for length in range(1, 3 * rate_hz // 100 + 2):
        levels_db = frame_levels_db(np.full(length, 0.5, np.float32), rate_hz=rate_hz)
        assert len(levels_db) in {length * 100 // rate_hz, length * 100 // rate_hz + 1}
        np.testing.assert_allclose(levels_db, 20 * np.log10(0.5), atol=1e-6)


def test_columns_are_made_of_the_fields() -> None:
    first = columns_of(Levels)[0]

    assert (first.name, first.type, first.unit, first.better) == ("peak_dbfs", "DOUBLE", "dBFS", "neither")
