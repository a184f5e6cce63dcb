"""The pure parts of the SYN2REAL experiment: what is kept apart, and what the figures come to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.errors import Errors
from benchmarks.figures import mean_reduction, wer
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
    small = heard([1, 1, 1], "abc"), heard([2, 2, 2], "abc")
    large = heard([30, 30, 30, 30], "abcd"), heard([40, 40, 40, 40], "abcd")

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
    domains = [5, 10, 7, 9, 4, 8, 6, 3], [9, 2, 8, 1]

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
