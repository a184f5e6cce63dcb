import numpy as np
import pytest

from catalogs.pitch import pitch_track
from training.augmentation.perturbation import flatten_energy, flatten_f0, resynthesise, shift_pitch, stretch
from training.augmentation.step import Wave
from training.members import RATE_HZ

from .conftest import spoken


def pitch_hz(wave: Wave) -> np.ndarray:
    """The pitch of the voiced frames."""
    found, _ = pitch_track(wave.astype(np.float64), RATE_HZ, frame_s=0.005)
    return found[found > 0]


def spread_st(wave: Wave) -> float:
    """How far the middle half of the voiced frames is apart, in semitones."""
    low, high = np.percentile(pitch_hz(wave), [25, 75])
    return float(12 * np.log2(high / low))


def levels_db(wave: Wave) -> np.ndarray:
    """The level of 50 ms windows."""
    whole = wave[: len(wave) // 800 * 800].reshape(-1, 800)
    return 10 * np.log10(np.square(whole, dtype=np.float64).mean(axis=1) + 1e-12)


@pytest.mark.parametrize("tempo", [0.7, 1.4])
def test_another_tempo_moves_the_syllables_and_keeps_the_pitch(tempo: float) -> None:
    wave = spoken()

    heard = stretch(wave, tempo=tempo)

    assert np.median(pitch_hz(heard)) == pytest.approx(np.median(pitch_hz(wave)), rel=0.03)
    same = np.interp(np.arange(len(levels_db(heard))) * tempo, np.arange(len(levels_db(wave))), levels_db(wave))
    assert np.corrcoef(same, levels_db(heard))[0, 1] > 0.9


@pytest.mark.parametrize("semitones", [-3.0, 4.0])
def test_pitch_is_shifted_by_so_many_semitones(semitones: float) -> None:
    wave = spoken()

    heard = shift_pitch(wave, semitones=semitones)

    ratio = np.median(pitch_hz(heard)) / np.median(pitch_hz(resynthesise(wave)))
    assert 12 * np.log2(ratio) == pytest.approx(semitones, abs=0.4)


def test_a_flat_melody_has_one_pitch_and_keeps_its_loudness() -> None:
    wave = spoken()

    heard = flatten_f0(wave)

    assert spread_st(heard) < 0.2
    assert spread_st(wave) > 2
    assert np.corrcoef(levels_db(heard), levels_db(wave))[0, 1] > 0.9


def test_flat_loudness_has_less_spread_and_keeps_the_melody() -> None:
    wave = spoken()
    sounding = levels_db(wave) > levels_db(wave).max() - 25

    heard = flatten_energy(wave)

    assert levels_db(heard)[sounding].std() < 0.6 * levels_db(wave)[sounding].std()
    assert np.median(pitch_hz(heard)) == pytest.approx(np.median(pitch_hz(wave)), rel=0.03)
