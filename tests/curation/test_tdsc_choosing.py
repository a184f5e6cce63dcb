"""Which accepted candidates a release gets: few word errors first, then expressive ones, then those that differ."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.ids import content_id
from catalogs.records import Line
from curation.tdsc.candidates import Candidate, Text
from curation.tdsc.choosing import chosen_of, preference_of
from curation.tdsc.config import TdscConfig
from curation.tokenisers.distance import edits_per_token

CONFIG = TdscConfig(keep=4)
RATES = (0.0, 0.05, 0.1, 0.2, 0.39)

candidates = st.lists(
    st.tuples(st.sampled_from(RATES) | st.floats(0, 1), st.text("abc", max_size=8), st.booleans(), st.booleans()),
    max_size=9,
)


def reading(number: int, *, words: float = 0.0, tokens: str = "", is_kept: bool = True) -> Candidate:
    return Candidate(1.0, 1, take_id(number), 1.0, words, 0.0, 1.0, is_kept, tokens=tokens)


def take_id(number: int) -> str:
    """Ids whose order is that of the numbers: so the first of equals is the first that came."""
    return f"{number:032x}"


def text(*made: Candidate) -> Text:
    line = Line.new(prompt_id=content_id("p"), voice_id=content_id("v"), text="ten letters", normaliser="none")
    return Text(line, content_id("g"), ("", False), made)


def total_distance(made: Sequence[Candidate]) -> float:
    return float(sum(edits_per_token([a.tokens, b.tokens])[0, 1] for a, b in combinations(made, 2)))


def test_the_fewest_errors_win_over_the_most() -> None:
    late = replace(reading(1, words=0.1), iteration=2)
    found = preference_of(text(reading(0, words=0.2), late, reading(2, words=0.5), reading(3, words=0.9)), CONFIG)

    assert found is not None
    assert (found.winner, found.loser, found.iteration) == (take_id(1), take_id(3), 2)


@pytest.mark.parametrize("words", [0.0, 0.8])
def test_without_a_winner_or_a_loser_there_is_no_preference(words: float) -> None:
    assert preference_of(text(reading(0, words=words)), CONFIG) is None


def test_of_equals_those_that_differ_most_are_chosen() -> None:
    found = text(
        reading(0, tokens="aaaa"), reading(1, tokens="aaab"), reading(2, tokens="bbbb"),
        reading(3, tokens="cccc", words=0.3),
    )  # fmt: skip

    assert chosen_of(found, replace(CONFIG, keep=2)) == [take_id(0), take_id(2)]


def test_rates_within_the_tolerance_are_equals() -> None:
    found = text(reading(0, tokens="aaaa"), reading(1, tokens="aaab"), reading(2, tokens="bbbb", words=0.1))

    assert chosen_of(found, replace(CONFIG, keep=2)) == [take_id(0), take_id(1)]
    assert chosen_of(found, replace(CONFIG, keep=2, same_wer=0.1)) == [take_id(0), take_id(2)]


def test_of_equals_expressive_readings_come_before_those_that_differ() -> None:
    found = text(
        reading(0, tokens="aaaa"), reading(1, tokens="bbbb"), reading(2, tokens="aabb"),
        reading(3, tokens="abab"), reading(4, tokens="cccc", words=0.1),
    )  # fmt: skip

    chosen = chosen_of(found, replace(CONFIG, keep=2), lively={take_id(n) for n in (2, 3, 4)})

    assert chosen == [take_id(2), take_id(3)]


def test_without_tokens_the_first_of_equals_are_chosen() -> None:
    found = text(*(reading(n) for n in range(6)))

    assert chosen_of(found, CONFIG) == [take_id(n) for n in range(4)]


@given(made=candidates, same_wer=st.sampled_from((0.0, 0.05, 0.2)), data=st.data())
def test_what_is_chosen_has_no_more_errors_than_allowed_and_is_at_least_as_far_apart_as_the_first(
    made: list[tuple[float, str, bool, bool]], same_wer: float, data: st.DataObject
) -> None:
    config = replace(CONFIG, same_wer=same_wer)
    pool = [reading(n, words=w, tokens=t, is_kept=k) for n, (w, t, k, _) in enumerate(made)]
    lively = {take_id(n) for n, (*_, is_lively) in enumerate(made) if is_lively}
    found = text(*pool)

    chosen = chosen_of(found, config, lively=lively)

    by_id = {candidate.take_id: candidate for candidate in pool}
    accepted = sorted(found.accepted(config), key=lambda c: (c.words, c.take_id))
    first, picked = accepted[:4], [by_id[take] for take in chosen]
    assert len(chosen) == len(set(chosen)) == len(first)
    assert set(chosen) <= {c.take_id for c in accepted}
    for one, best in zip(picked, first, strict=True):
        assert one.words is not None
        assert best.words is not None
        assert one.words <= best.words + same_wer + 1e-6
    lively_now, lively_first = (sum(c.take_id in lively for c in those) for those in (picked, first))
    assert lively_now >= lively_first
    if lively_now == lively_first:
        assert total_distance(picked) >= total_distance(first) - 1e-6
    shuffled = text(*data.draw(st.permutations(pool)))
    assert chosen_of(shuffled, config, lively=lively) == chosen


@given(st.lists(st.text("abcd", min_size=1, max_size=10), min_size=4, max_size=8))
def test_the_choice_comes_to_half_of_the_largest_distance_at_least(tokens: list[str]) -> None:
    pool = [reading(n, tokens=t) for n, t in enumerate(tokens)]
    by_id = {candidate.take_id: candidate for candidate in pool}

    chosen = [by_id[take] for take in chosen_of(text(*pool), CONFIG)]

    largest = max(total_distance(those) for those in combinations(pool, 4))
    assert total_distance(chosen) >= 0.5 * largest - 1e-6


def test_a_tolerance_is_not_negative() -> None:
    with pytest.raises(ValueError, match=r"tdsc\.same_wer"):
        TdscConfig(same_wer=-0.1)
