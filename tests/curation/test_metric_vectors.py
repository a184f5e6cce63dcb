from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.metrics.speaker import SpeakerConfig
from curation.metrics.vectors import Vectors, VectorsConfig
from curation.vectors.contours import LENGTH, slow_cosines
from curation.vectors.disentangled import about_means, disentangled
from curation.vectors.probes import equal_error_rate, identify
from curation.vectors.timbre import prosody_directions, shipped_directions, timbre_vector, without

RATE_HZ = 16_000
SPEAKERS = ("en-us", "en-gb+f3", "en-us+m7", "en-us+whisper")
TEXTS = (
    "Where were you yesterday evening, and why did nobody know?",
    "Please turn on the light in the kitchen, and close the door.",
    "The weather was cold, so we stayed at home all day.",
)


@cache
def metric():
    return VectorsConfig().build()


def vectors_of(clip) -> Vectors:
    (score,) = metric().measure([clip])
    return Vectors(*score.values)


def melody(steps_st, *, base_hz: float = 150.0, gain: float = 0.1):
    """A buzz that follows a contour of semitones, a second long."""
    pitch_hz = base_hz * 2 ** (np.interp(np.linspace(0, 1, RATE_HZ), np.linspace(0, 1, len(steps_st)), steps_st) / 12)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    return (gain * sum(np.sin(k * phase) / k for k in range(1, 11))).astype(np.float32)


def test_a_prosody_vector_tells_spread_and_fall(make_clip) -> None:
    flat, falling, rising = (
        vectors_of(make_clip(melody(steps))).prosody_vector for steps in ((0, 0), (4, -4), (-4, 4))
    )

    assert len(flat) == LENGTH
    assert flat[0] < 0.3
    assert falling[0] == pytest.approx(8 / np.sqrt(12), abs=0.2)
    assert falling[1] == pytest.approx(-rising[1], abs=0.3)
    assert falling[1] > 1


def test_a_prosody_vector_knows_neither_pitch_level_nor_loudness(make_clip) -> None:
    low = vectors_of(make_clip(melody((3, -1, 2, -3)))).prosody_vector
    high = vectors_of(make_clip(melody((3, -1, 2, -3), base_hz=260.0, gain=0.03))).prosody_vector

    assert np.allclose(low, high, atol=0.35)


@settings(deadline=None)
@given(contour=st.lists(st.floats(-12, 12), min_size=2, max_size=50), shift=st.floats(-99, 99))
def test_slow_cosines_know_nothing_of_the_mean(contour: list[float], shift: float) -> None:
    plain, moved = (slow_cosines(np.array(contour) + by, terms=4) for by in (0.0, shift))

    assert np.allclose(plain, moved, atol=1e-9)


@settings(deadline=None)
@given(contour=st.lists(st.floats(-12, 12), min_size=2, max_size=50), times=st.integers(2, 4))
def test_slow_cosines_are_much_the_same_at_any_speed(contour: list[float], times: int) -> None:
    slow = slow_cosines(np.repeat(contour, times), terms=1)

    assert slow == pytest.approx(slow_cosines(np.array(contour), terms=1), abs=0.12 * (1 + np.ptp(contour)))


def test_two_halves_of_a_clip_have_one_timbre_and_two_voices_have_two(say, make_clip) -> None:
    halves = []
    for speaker in SPEAKERS:
        wave = say(" ".join(TEXTS), speaker=speaker).at(RATE_HZ)
        halves.append([np.array(vectors_of(make_clip(half)).timbre_vector) for half in np.array_split(wave, 2)])
    likeness = np.array([a for a, _ in halves]) @ np.array([b for _, b in halves]).T

    error = equal_error_rate(likeness.diagonal(), likeness[~np.eye(len(SPEAKERS), dtype=bool)])

    assert error <= 0.1


def test_a_timbre_vector_is_the_embedding_without_its_prosody(say) -> None:
    clip = say(TEXTS[0])

    found = np.array(vectors_of(clip).timbre_vector)
    embedding = np.array(SpeakerConfig().build().measure([clip])[0].values[0])

    assert np.linalg.norm(found) == pytest.approx(1)
    assert np.abs(shipped_directions() @ found).max() < 1e-6
    assert np.allclose(found, timbre_vector(embedding))
    assert found @ embedding > 0.8


def test_silence_has_no_vectors(make_clip) -> None:
    assert vectors_of(make_clip(np.zeros(RATE_HZ, np.float32))) == Vectors()


def test_shipped_directions_are_orthonormal() -> None:
    directions = shipped_directions()

    assert directions.shape == (4, 256)
    assert np.allclose(directions @ directions.T, np.eye(4), atol=1e-5)


def test_the_directions_that_prosody_moves_are_found_and_taken_out() -> None:
    draws = np.random.default_rng(0)
    voices, drift = draws.normal(size=(6, 256)), np.linalg.qr(draws.normal(size=(256, 2)))[0].T
    same = np.repeat(np.arange(6), 20)
    embeddings = voices[same] + draws.normal(size=(120, 2)) * 8 @ drift + 0.01 * draws.normal(size=(120, 256))

    left = without(embeddings, prosody_directions(embeddings, same, count=2))

    one_voice = [row @ other for row, other in pairwise(left[same == 0])]
    assert min(one_voice) > 0.99
    assert left[0] @ left[20] < 0.5


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8))
def test_about_its_speaker_a_vector_has_no_mean_and_no_speaker(seed: int) -> None:
    draws = np.random.default_rng(seed)
    speakers = np.repeat(np.arange(8), 24)
    vectors = draws.normal(size=(192, 6)) + 5 * draws.normal(size=(8, 6))[speakers]
    folds = np.arange(192) % 2

    own = about_means(vectors, speakers)

    assert np.allclose([own[speakers == speaker].mean(axis=0) for speaker in range(8)], 0)
    assert identify(vectors, speakers, folds).value > 0.9
    assert identify(own, speakers, folds).value <= 2 / 8


def test_a_mean_can_be_that_of_some_rows() -> None:
    found = about_means(np.array([[1.0], [3.0], [9.0]]), np.array([7, 7, 4]), of=np.array([True, False, True]))

    assert found.tolist() == [[0.0], [2.0], [0.0]]


def test_speakers_with_few_takes_are_left_out() -> None:
    draws = np.random.default_rng(0)
    speakers, texts = np.array([0] * 12 + [1] * 12 + [2] * 9), np.arange(33)
    vectors, spread_st = draws.normal(size=(33, 4)), draws.normal(size=33)

    found = disentangled(vectors, vectors, spread_st, speakers, texts, least=5)

    assert found is not None
    assert (found.num_takes, found.chance) == (24, 0.5)
    assert disentangled(vectors, vectors, spread_st, speakers, texts, least=6) is not None
    assert disentangled(vectors, vectors, spread_st, speakers, texts, least=7) is None
