"""Rooms, noise, codecs and filters, measured: decay, place, ratio, band."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.augmentation.codecs import pass_codec
from training.augmentation.filters import amplify, filter_band, tilt
from training.augmentation.levels import active_power, power
from training.augmentation.noise import add_noise, babble, coloured, speech_shaped
from training.augmentation.rooms import Response, measured, response_of, reverberate, shoebox
from training.augmentation.step import Wave
from training.members import RATE_HZ

from .conftest import db, lag_of, spoken

MS = RATE_HZ // 1000


def room(seed: int, *, rt60_s: float = 0.5, distance_m: float = 1.0) -> Response:
    random = np.random.default_rng(seed)
    return response_of(shoebox(random, rt60_s=rt60_s, distance_m=distance_m), random)


def decay_s(response: Response) -> float:
    """RT60 of what follows the direct path, by Schroeder's backward integration, from -5 to -35 dB."""
    left = np.cumsum(response.taps[: response.direct + MS : -1] ** 2)[::-1]
    level_db = 10 * np.log10(left / left[0] + 1e-30)
    span = np.flatnonzero((level_db <= -5) & (level_db >= -35))
    return float(-60 / np.polyfit(span / RATE_HZ, level_db[span], 1)[0])


def level_at(wave: Wave, low_hz: float, high_hz: float) -> float:
    """The power of a band, dB."""
    spectrum = np.abs(np.fft.rfft(wave)) ** 2
    hz = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    return db(spectrum[(hz >= low_hz) & (hz < high_hz)].mean())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rt60_s=st.floats(0.15, 1.2), distance_m=st.floats(0.3, 3.0))
def test_a_made_room_decays_as_was_asked_for(seed: int, rt60_s: float, distance_m: float) -> None:
    found = decay_s(room(seed, rt60_s=rt60_s, distance_m=distance_m))

    assert found == pytest.approx(rt60_s, rel=0.2)


@pytest.mark.parametrize("seed", range(8))
def test_the_direct_path_stays_where_it_was(seed: int) -> None:
    response = room(seed)
    click = np.zeros(8000, np.float32)
    click[3000] = 0.5

    heard = reverberate(click, response)

    assert abs(int(np.argmax(np.abs(heard))) - 3000) <= MS
    noise = coloured("white", RATE_HZ, np.random.default_rng(seed)) * np.float32(0.1)
    assert abs(lag_of(reverberate(noise, response), noise)) <= MS


def test_farther_away_is_more_of_the_room() -> None:
    def direct_to_rest(distance_m: float) -> float:
        taps = [room(seed, distance_m=distance_m).taps for seed in range(20)]
        return float(np.mean([db((t[:48] ** 2).sum() / (t[48:] ** 2).sum()) for t in taps]))

    assert direct_to_rest(0.3) > direct_to_rest(1.0) + 6
    assert direct_to_rest(1.0) > direct_to_rest(3.0) + 3


def test_a_measured_room_is_aligned_by_its_first_high_peak() -> None:
    taps = np.zeros(RATE_HZ, np.float32)
    taps[[700, 701, 1500]] = (0.6, 0.8, 1.0)  # an echo is louder than the direct path

    response = measured(taps)

    assert response.direct == 701
    assert lag_of(reverberate(spoken(), Response(taps * (np.arange(RATE_HZ) < 1000), 701)), spoken()) == 0


@settings(max_examples=25, deadline=None)
@given(
    snr_db=st.floats(-5, 40),
    kind=st.sampled_from(["white", "pink", "brown", "speech_shaped", "babble"]),
    pause_s=st.floats(0, 3),
)
def test_noise_is_as_far_beneath_the_speech_as_was_asked_for(snr_db: float, kind: str, pause_s: float) -> None:
    speech = spoken(peak=0.05)
    wave = np.concatenate([speech, np.zeros(round(pause_s * RATE_HZ), np.float32)])
    random = np.random.default_rng(0)
    noises = {
        "speech_shaped": lambda: speech_shaped(wave, random),
        "babble": lambda: babble([spoken(1.3, pitch_hz=200.0), spoken(0.7)], len(wave), random),
    }
    noise = noises.get(kind, lambda: coloured(kind, len(wave), random))()

    heard = add_noise(wave, noise, snr_db=snr_db)

    added = heard - wave * np.float32(np.dot(heard, wave) / np.dot(wave, wave) if np.abs(heard).max() > 0.97 else 1.0)
    assert db(active_power(speech) / power(added)) == pytest.approx(snr_db, abs=0.5)


def test_colours_and_shapes_are_what_they_are_called() -> None:
    random = np.random.default_rng(0)
    for kind, per_octave_db in (("white", 0.0), ("pink", -3.01), ("brown", -6.02)):
        noise = coloured(kind, 4 * RATE_HZ, random)
        assert level_at(noise, 1900, 2100) - level_at(noise, 475, 525) == pytest.approx(2 * per_octave_db, abs=1)

    wave = spoken(4.0)
    shape = speech_shaped(wave, random)
    for low_hz in (100, 400, 1600):
        apart_db = level_at(shape, low_hz, 2 * low_hz) - level_at(wave, low_hz, 2 * low_hz)
        assert apart_db == pytest.approx(-db(power(wave)), abs=0.5)


@pytest.mark.parametrize("codec", ["mp3", "vorbis", "opus", "mulaw", "alaw", "gsm"])
@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_a_codec_delays_nothing_and_stays_near_the_wave(codec: str, quality: float) -> None:
    wave = spoken(1.5)
    if codec in ("mulaw", "alaw", "gsm"):
        wave = filter_band(wave, low_hz=300, high_hz=3400)

    heard = pass_codec(wave, codec=codec, quality=quality)  # type: ignore[arg-type]  # parametrised

    assert abs(lag_of(heard, wave)) <= MS
    assert db(power(heard) / power(wave)) == pytest.approx(0, abs=2)
    assert np.corrcoef(heard, wave)[0, 1] > 0.9


def test_a_better_codec_is_nearer_and_a_telephone_has_its_band() -> None:
    wave = coloured("pink", 2 * RATE_HZ, np.random.default_rng(0)) * np.float32(0.05)

    for codec in ("mp3", "vorbis", "opus"):
        worse, better = (power(pass_codec(wave, codec=codec, quality=q) - wave) for q in (0.0, 1.0))
        assert better < worse / 2
    line = pass_codec(wave, codec="mulaw")
    assert level_at(line, 1000, 2000) - level_at(wave, 1000, 2000) == pytest.approx(0, abs=1)
    assert level_at(line, 5000, 8000) < level_at(wave, 5000, 8000) - 25
    assert level_at(line, 50, 150) < level_at(wave, 50, 150) - 25


def test_filters_do_what_they_say_and_move_nothing() -> None:
    wave = coloured("white", 2 * RATE_HZ, np.random.default_rng(0)) * np.float32(0.1)

    band = filter_band(wave, low_hz=500, high_hz=2000)
    tilted = tilt(wave, db_per_octave=-3)

    assert lag_of(band, wave) == lag_of(tilted, wave) == 0
    assert level_at(band, 800, 1500) - level_at(wave, 800, 1500) == pytest.approx(0, abs=0.1)
    assert level_at(band, 4000, 8000) < level_at(wave, 4000, 8000) - 40
    assert level_at(band, 20, 250) < level_at(wave, 20, 250) - 40
    steps = [level_at(tilted, hz, 1.1 * hz) - level_at(wave, hz, 1.1 * hz) for hz in (500, 1000, 2000, 4000)]
    assert np.diff(steps) == pytest.approx([-3, -3, -3], abs=0.1)
    assert db(power(amplify(wave, gain_db=-6)) / power(wave)) == pytest.approx(-6, abs=0.01)
    assert np.abs(amplify(wave, gain_db=40)).max() <= 1


@pytest.mark.parametrize("tail_s", [0.1, 0.4, 5.0])
def test_a_tail_lasts_on_and_changes_nothing_before(tail_s: float) -> None:
    wave, response = spoken(1.0), room(3)

    heard, longer = reverberate(wave, response), reverberate(wave, response, tail_s=tail_s)

    echo_s = (len(response.taps) - response.direct - 1) / RATE_HZ
    assert len(longer) == len(wave) + round(min(tail_s, echo_s) * RATE_HZ)
    assert np.allclose(longer[: len(wave)], heard, atol=1e-6)
    assert np.any(longer[len(wave) :])
