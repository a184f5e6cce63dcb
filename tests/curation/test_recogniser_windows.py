import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.recogniser import Hearing, Likelihood, Transcript
from curation.recognisers.windows import FULL_S, cut, fitted_s, joined, laid_in

RATE_HZ = 16_000


@given(st.integers(1, 100 * RATE_HZ))
def test_pieces_fit_and_lose_nothing(num_samples: int) -> None:
    wave = np.ones(num_samples, np.float32)

    pieces = cut(wave)

    assert sum(map(len, pieces)) == num_samples
    assert all(0 < len(piece) < FULL_S * RATE_HZ for piece in pieces)


def test_a_long_wave_is_cut_in_its_pause() -> None:
    wave = np.ones(40 * RATE_HZ, np.float32)
    wave[27 * RATE_HZ : 28 * RATE_HZ] = 0

    first, _ = cut(wave)

    assert 27 <= len(first) / RATE_HZ <= 28


def test_digital_silence_has_no_piece() -> None:
    assert cut(np.zeros(RATE_HZ, np.float32)) == []


@given(st.integers(0, 30 * RATE_HZ - RATE_HZ // 4))
def test_a_fitted_window_holds_its_piece_and_silence_behind_it(num_samples: int) -> None:
    window_s = fitted_s(num_samples)

    assert window_s <= FULL_S
    assert window_s == FULL_S or window_s >= num_samples / RATE_HZ + 2


@given(st.integers(0, 30 * RATE_HZ), st.integers(0, 30 * RATE_HZ))
def test_a_longer_piece_has_no_shorter_window(some: int, more: int) -> None:
    assert fitted_s(some) <= fitted_s(some + more)


def test_a_piece_lies_between_silences() -> None:
    window = laid_in(np.ones(2 * RATE_HZ, np.float32), window_s=6)

    assert len(window) == 6 * RATE_HZ
    assert np.flatnonzero(window)[[0, -1]].tolist() == [RATE_HZ // 4, RATE_HZ // 4 + 2 * RATE_HZ - 1]


def test_hearings_of_pieces_become_one() -> None:
    parts = [
        Hearing(Transcript("good", -0.2, 0.1)),
        Hearing(Transcript("", None, 0.3)),
        Hearing(Transcript("day", -0.4)),
    ]

    assert joined(parts) == Hearing(Transcript("good day", pytest.approx(-0.3), pytest.approx(0.2)))


def test_the_hearing_of_one_piece_is_kept_as_it_is() -> None:
    hearing = Hearing(Transcript("good", -0.2, 0.1), Likelihood(-0.1, "good", -0.1))

    assert joined([hearing]) == hearing
    assert joined([]) == Hearing(Transcript(""))
