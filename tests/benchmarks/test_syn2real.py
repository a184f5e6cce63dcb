"""The pure parts of the SYN2REAL experiment: what is kept apart, and what the figures come to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.errors import Errors
from benchmarks.figures import mean_points, mean_reduction, wer
from benchmarks.slam_asr.data import is_for_training
from benchmarks.syn2real.data import PARTS, Sizes, parted
from catalogs.text import normalise

ALL = Sizes(10_000, 10_000, 10_000)


def recordings(
    num_speakers: int, num_texts: int, number: int, seed: int, *, domain: str = "digits"
) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    return [
        {
            "audio": f"{n}.flac", "text": f"Text {random.integers(num_texts)}!", "speaker": f"s{n % num_speakers}",
            "domain": domain,
        }
        for n in range(number)
    ]  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(5, 200), st.integers(20, 120), st.integers(0, 5))
def test_parts_share_no_text_and_the_test_no_speaker(speakers: int, texts: int, number: int, seed: int) -> None:
    rows = recordings(speakers, texts, number, seed)

    found = parted(rows, sizes=ALL)

    of = {part: [row for row in found if row["split"] == part] for part in PARTS}
    said = {part: {normalise(row["text"], "en") for row in of[part]} for part in PARTS}
    assert sum(map(len, said.values())) == len(set().union(*said.values()))
    if speakers > 1:
        assert not {row["speaker"] for row in of["test"]} & {row["speaker"] for row in (*of["train"], *of["dev"])}
    assert len(said["train"]) == len(of["train"])
    assert found == parted(rows[::-1], sizes=ALL)


def test_orders_are_tested_by_the_speakers_who_test_the_other_methods() -> None:
    found = parted(recordings(20, 400, 200, 0, domain="orders"), sizes=ALL)

    assert all(is_for_training(row["speaker"]) == (row["split"] != "test") for row in found)


def test_parts_are_no_larger_than_asked() -> None:
    found = parted(recordings(6, 500, 400, 0), sizes=Sizes(7, 3, 5))

    assert [sum(row["split"] == part for row in found) for part in PARTS] == [7, 3, 5]


def heard(errors: Sequence[float], speakers: Sequence[str]) -> Errors:
    takes = [str(number) for number in range(len(errors))]
    return Errors(takes, np.array(errors, float), np.full(len(errors), 10.0), list(speakers))


def test_every_domain_weighs_alike_in_the_mean() -> None:
    small = heard([1] * 5, "abcde"), heard([2] * 5, "abcde")
    large = heard([3] * 6, "abcdef"), heard([4] * 6, "abcdef")

    found = mean_reduction([small, large])

    assert found is not None
    assert found.value == pytest.approx((0.5 + 0.25) / 2)
    assert (found.low, found.high) == pytest.approx((found.value, found.value))


def of_speakers(errors: Sequence[int]) -> tuple[Errors, Errors]:
    """Each speaker has so many errors, and twice ten by the other model."""
    names = "".join("abcdefghijklmnop"[n] * 2 for n in range(len(errors)))
    return heard([each for each in errors for _ in "12"], names), heard([10] * len(names), names)


def test_the_interval_draws_speakers_again() -> None:
    errors = [5, 10] * 4

    found = mean_reduction([of_speakers(errors)])

    low, high = stats.t.interval(0.95, 7, 0.25, stats.sem([0.5, 0.0] * 4))
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((low, 0.25, high), abs=0.04)


def test_the_interval_over_domains_is_welchs() -> None:
    domains = [5, 10, 7, 9, 4, 8, 6, 3], [9, 2, 8, 1, 5]

    found = mean_reduction([of_speakers(each) for each in domains])

    reductions = [1 - np.array(each) / 10 for each in domains]
    low, high = stats.ttest_ind(reductions[0], -reductions[1], equal_var=False).confidence_interval()
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value == pytest.approx((low + high) / 4)
    assert found.high - found.low == pytest.approx((high - low) / 2, rel=0.2)


def test_a_few_speakers_in_all_have_no_interval() -> None:
    found = mean_reduction([of_speakers([5, 10, 7]), of_speakers([5, 9])])

    assert found is not None
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("others", [[], [of_speakers([5, 10, 7, 9, 4, 8, 6, 3])]])
def test_a_speaker_who_errs_alone_makes_no_interval(others: list[tuple[Errors, Errors]]) -> None:
    alone = heard([2, *[0] * 7], "abcdefgh"), heard([4, *[0] * 7], "abcdefgh")

    found = mean_reduction([alone, *others])

    assert found is not None
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize(("silent", "is_known"), [(3, True), (12, False)])
def test_what_is_undefined_more_often_than_a_limit_is_passed_has_no_interval(silent: int, is_known: bool) -> None:
    """Of five speakers and three more, 4 of 10,000 draws have no errors to reduce; of five and twelve, 27."""
    names = "abcdefghijklmnopq"[: 5 + silent]
    pair = heard([1, 2, 3, 4, 5, *[0] * silent], names), heard([4] * 5 + [0] * silent, names)

    found = mean_reduction([pair])

    assert found is not None
    assert (found.low is not None) == is_known


def test_points_are_known_where_hardly_anybody_errs() -> None:
    one = heard([0, *[0] * 7], "abcdefgh"), heard([4, *[0] * 7], "abcdefgh")
    none = heard([0] * 8, "abcdefgh"), heard([0] * 8, "abcdefgh")

    found = mean_points([one, none])

    assert found is not None
    assert found.value == pytest.approx(2.5)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0 < 2.5 < found.high


def test_the_interval_of_points_is_students_over_speakers() -> None:
    found = mean_points([of_speakers([5, 10] * 4)])

    low, high = stats.t.interval(0.95, 7, 25, stats.sem([50, 0] * 4))
    assert found is not None
    assert (found.low, found.value, found.high) == pytest.approx((low, 25, high), abs=4)


def test_a_few_speakers_have_no_interval_of_points_either() -> None:
    found = mean_points([of_speakers([5, 10, 7]), of_speakers([5, 10] * 4)])

    assert found is not None
    assert (found.low, found.high) == (None, None)
    assert mean_points([]) is None


def test_what_has_no_errors_cannot_have_fewer() -> None:
    assert mean_reduction([(heard([0, 0], "ab"), heard([0, 0], "ab"))]) is None
    assert mean_reduction([]) is None


def test_other_takes_are_not_compared() -> None:
    with pytest.raises(ValueError, match="2 takes against 3"):
        mean_reduction([(heard([1, 1], "ab"), heard([1, 1, 1], "abc"))])


def test_the_error_rate_is_over_all_words() -> None:
    found = wer(heard([1, 3], "ab"))

    assert found is not None
    assert found.value == pytest.approx(0.2)
