from dataclasses import replace

import numpy as np
import pytest

from catalogs.pronunciations import said_words
from curation.metrics.phones import Phones, PhonesConfig, PhonesMetric, _best_path, _longest_run
from curation.words.faults import spoil

TEXT = "Please turn on the light in the kitchen."


@pytest.fixture(scope="module")
def metric() -> PhonesMetric:
    pytest.importorskip("hama")
    return PhonesConfig().build()


@pytest.fixture(scope="module")
def measured(metric):
    return lambda clip: Phones(*metric.measure([clip])[0].values)


def test_a_text_that_was_said_fits_its_clip(measured, say) -> None:
    phones = measured(say(TEXT))

    assert phones.per < 0.3
    assert phones.phones_logprob > -1.5
    assert phones.ref_phones == 23


@pytest.mark.parametrize("kind", ["dropped", "truncated", "repeated"])
def test_a_fault_shows_in_the_place_that_fits_least(measured, say, kind) -> None:
    clip, other = say(TEXT), say("What is my balance?")

    assert measured(spoil(clip, kind, other=other)).least_word_phones < measured(clip).least_word_phones - 5


def test_lost_and_added_phones_are_counted_in_runs(measured, say) -> None:
    clip = say(TEXT)

    assert measured(replace(clip, spoken=f"Good morning. {TEXT}")).phones_lost >= 5
    assert measured(replace(clip, spoken="Turn on the light in the kitchen.")).phones_added >= 3


def test_a_clip_is_measured_alone(metric, say) -> None:
    clips = [say(TEXT), say("What is my balance?")]

    assert metric.measure(clips) == [metric.measure([clip])[0] for clip in clips]


@pytest.mark.parametrize("changes", [{"language": "de"}, {"spoken": "?!"}])
def test_what_the_judge_cannot_judge_has_no_figures(measured, say, changes) -> None:
    assert measured(replace(say(TEXT), **changes)) == Phones()


@pytest.mark.parametrize("num_samples", [0, 100, 16_000])
def test_a_clip_without_speech_has_lost_its_phones(measured, make_clip, num_samples: int) -> None:
    phones = measured(make_clip(np.zeros(num_samples), text=TEXT))

    assert phones.per > 0.8
    assert phones.phones_logprob is None or phones.phones_logprob < -1


def test_digits_of_a_real_text_are_said_first(measured, say) -> None:
    clip = say("It costs twenty three dollars.")

    assert measured(replace(clip, spoken="It costs $23.")).ref_phones == measured(clip).ref_phones


def test_letters_that_are_spelled_have_their_names() -> None:
    assert list(said_words("an A-T-M, isn't it? X!")) == ["an", "ay", "tee", "em", "isn't", "it", "ex"]


def test_the_longest_run_of_consecutive_places() -> None:
    assert [_longest_run(places) for places in ([], [3], [1, 2, 3, 7, 8], [0, 2, 4])] == [0, 1, 3, 1]


def test_the_best_path_is_the_best_of_all_paths() -> None:
    random = np.random.default_rng(0)
    labels = np.array([0, 1, 0, 1, 0, 2, 0])  # a blank between every two phones, the first two alike
    for _ in range(20):
        scores = random.normal(size=(6, len(labels))).astype(np.float32)

        path = _best_path(scores, labels)

        assert scores[np.arange(6), path].sum() == pytest.approx(max(_scores(scores, labels)), abs=1e-5)


def test_there_is_no_path_through_too_few_frames() -> None:
    assert _best_path(np.zeros((3, 7), np.float32), np.array([0, 1, 0, 1, 0, 2, 0])) is None
    assert _best_path(np.zeros((0, 3), np.float32), np.array([0, 1, 0])) is None


def _scores(scores: np.ndarray, labels: np.ndarray) -> list[float]:
    """The score of every path there is, by brute force."""
    paths = [[0], [1]]
    for _ in range(len(scores) - 1):
        paths = [[*path, state] for path in paths for state in _following(path[-1], labels)]
    ends = {len(labels) - 1, len(labels) - 2}
    return [float(scores[np.arange(len(scores)), path].sum()) for path in paths if path[-1] in ends]


def _following(state: int, labels: np.ndarray) -> list[int]:
    skips = state % 2 == 1 and state + 2 < len(labels) and labels[state] != labels[state + 2]
    return [other for other in (state, state + 1, state + 2 * skips) if state <= other < len(labels)][: 2 + skips]
