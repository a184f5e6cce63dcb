import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from catalogs import flac
from catalogs.errors import AudioError

SOUNDS = arrays(np.int16, st.integers(1, 5000), elements=st.integers(-32768, 32767))


@given(samples=SOUNDS, sample_rate_hz=st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000]))
def test_samples_come_back_as_they_were(samples: np.ndarray, sample_rate_hz: int) -> None:
    back, rate_hz = flac.decode(flac.encode(samples, sample_rate_hz))

    assert rate_hz == sample_rate_hz
    assert back.dtype == np.int16
    assert np.array_equal(back, samples)
    assert flac.pcm_sha256(back) == flac.pcm_sha256(samples)


def test_the_same_samples_give_the_same_bytes() -> None:
    samples = np.arange(-2000, 2000, dtype=np.int16)

    assert flac.encode(samples, 16000) == flac.encode(samples.copy(), 16000)


def test_the_hash_is_over_little_endian_samples() -> None:
    samples = np.array([1, -2, 300], dtype=np.int16)

    assert flac.pcm_sha256(samples) == flac.pcm_sha256(samples.astype(">i2"))
    assert flac.pcm_sha256(np.repeat(samples, 2)[::2]) == flac.pcm_sha256(samples)


@pytest.mark.parametrize("keep", [0, 10, 60, 2000, -1])
def test_flac_that_is_cut_short_is_refused(keep: int) -> None:
    whole = flac.encode(np.random.default_rng(0).integers(-9000, 9000, 4000).astype(np.int16), 16000)

    with pytest.raises(AudioError, match=r"cut short|damaged"):
        flac.decode(whole[:keep])


def test_flac_with_an_altered_byte_is_refused() -> None:
    whole = bytearray(flac.encode(np.arange(4000, dtype=np.int16), 16000))
    whole[len(whole) // 2] ^= 0xFF

    with pytest.raises(AudioError, match="damaged"):
        flac.decode(bytes(whole))


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0, np.int16), np.zeros((4, 2), np.int16), np.zeros(4, np.float32)],
    ids=["none", "stereo", "float"],
)
def test_only_mono_int16_samples_can_be_written(samples: np.ndarray) -> None:
    with pytest.raises(AudioError, match="samples"):
        flac.encode(samples, 16000)


def test_a_rate_that_flac_does_not_know_is_refused() -> None:
    with pytest.raises(AudioError, match="700000 Hz"):
        flac.encode(np.ones(100, np.int16), 700_000)
