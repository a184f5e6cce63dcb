import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from catalogs.errors import AudioError
from catalogs.signal import bounds, cut, resample, to_float32, to_int16

RATES_HZ = st.sampled_from([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])


@given(arrays(np.int16, st.integers(0, 200)))
def test_every_int16_sample_comes_back_from_float(pcm: NDArray[np.int16]) -> None:
    samples = to_float32(pcm)

    assert samples.dtype == np.float32
    assert ((samples >= -1) & (samples < 1)).all()
    np.testing.assert_array_equal(to_int16(samples), pcm)


@given(arrays(np.float32, st.integers(1, 200), elements=st.floats(-1, 1, width=32)))
def test_quantising_is_off_by_half_a_step_at_most(samples: NDArray[np.float32]) -> None:
    error = to_float32(to_int16(samples)).astype(np.float64) - samples

    inside = samples <= 32767 / 32768
    assert (np.abs(error[inside]) <= 0.5 / 32768).all()
    assert (np.abs(error) <= 1 / 32768).all()


def test_samples_out_of_range_are_clipped_and_do_not_wrap_around() -> None:
    loud = np.array([1.0, 1.5, 1e30, -1.0, -1.5, -1e30], np.float32)

    pcm = to_int16(loud)

    assert pcm.tolist() == [32767, 32767, 32767, -32768, -32768, -32768]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_is_refused(bad: float) -> None:
    samples = np.array([0.0, bad, 0.0], np.float32)

    with pytest.raises(AudioError, match="NaN or infinite"):
        to_int16(samples)


@given(st.integers(0, 3_000), RATES_HZ, RATES_HZ)
def test_resampling_gives_the_length_it_promises(length: int, from_hz: int, to_hz: int) -> None:
    samples = np.linspace(-0.5, 0.5, length, dtype=np.float32)

    made = resample(samples, from_hz=from_hz, to_hz=to_hz)

    assert len(made) == round(length * to_hz / from_hz)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


@pytest.mark.parametrize(("from_hz", "to_hz"), [(24_000, 16_000), (16_000, 22_050)])
def test_resampling_keeps_a_tone_where_it_is(from_hz: int, to_hz: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz).astype(np.float32)

    made = resample(tone, from_hz=from_hz, to_hz=to_hz)

    wanted = np.sin(2 * np.pi * 440 * np.arange(to_hz) / to_hz)
    middle = slice(to_hz // 10, -to_hz // 10)
    np.testing.assert_allclose(made[middle], wanted[middle], atol=1e-3)


def test_resampling_to_a_lower_rate_removes_what_it_cannot_hold() -> None:
    tone = np.sin(2 * np.pi * 10_000 * np.arange(24_000) / 24_000).astype(np.float32)

    made = resample(tone, from_hz=24_000, to_hz=16_000)

    assert np.abs(made[1_600:-1_600]).max() < 1e-3


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    samples = np.array([0.1, -0.2], np.float32)

    assert resample(samples, from_hz=16_000, to_hz=16_000) is samples


@pytest.mark.parametrize(("from_hz", "to_hz"), [(0, 16_000), (16_000, 0), (-1, 16_000)])
def test_a_rate_that_is_not_positive_is_refused(from_hz: int, to_hz: int) -> None:
    with pytest.raises(AudioError, match="must be positive"):
        resample(np.zeros(4, np.float32), from_hz=from_hz, to_hz=to_hz)


@given(
    samples=st.integers(1, 400), start_s=st.floats(0, 1), length_s=st.floats(0, 1), rate_hz=st.sampled_from([100, 441])
)
def test_a_piece_has_the_samples_between_its_moments_and_one_at_least(
    samples: int, start_s: float, length_s: float, rate_hz: int
) -> None:
    wave = np.arange(1, samples + 1, dtype=np.int16)

    start, stop = bounds(start_s, start_s + length_s, rate_hz=rate_hz)
    piece = cut(wave, start, stop)

    assert abs(start - start_s * rate_hz) <= 0.5
    assert stop == start + 1 or abs(stop - (start_s + length_s) * rate_hz) <= 0.5 + 1e-6
    assert len(piece) == stop - start >= 1
    assert piece.tolist() == [n + 1 if n < samples else 0 for n in range(start, stop)]
