import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from curation.bootstrap import block_sums, estimate, mean_of, ratio_of
from curation.sets.entropy import conditional_entropy, miller_madow_bits, plugin_bits, token_entropy
from curation.tokenisers.sequences import TokenRows


def takes_of(probabilities: list[float], *, takes: int, tokens: int, seed: int) -> TokenRows:
    random = np.random.default_rng(seed)
    values = random.choice(len(probabilities), size=takes * tokens, p=probabilities) + 1
    return TokenRows(values.astype(np.int64), np.full(takes, tokens))


def bits(probabilities: list[float]) -> float:
    return float(plugin_bits(np.array(probabilities)))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_the_entropy_of_even_counts_is_the_logarithm_of_their_number(size) -> None:
    assert float(plugin_bits(np.full(size, 7.0))) == pytest.approx(np.log2(size))


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_entropy_lies_between_none_and_even(counts) -> None:
    found = float(plugin_bits(np.array(counts, np.float64)))

    assert -1e-9 <= found <= np.log2(len(counts)) + 1e-9


def test_the_correction_takes_away_most_of_the_bias_of_a_small_sample() -> None:
    even = np.full(100, 0.01)
    samples = np.random.default_rng(1).multinomial(500, even, size=200).astype(np.float64)

    plain, corrected = plugin_bits(samples).mean(), miller_madow_bits(samples).mean()

    assert np.log2(100) - plain > 0.12
    assert abs(np.log2(100) - corrected) < 0.02


def test_the_interval_holds_the_entropy_of_a_known_source() -> None:
    source = (np.arange(1, 51) / np.arange(1, 51).sum()).tolist()

    found = [token_entropy(takes_of(source, takes=100, tokens=60, seed=seed)) for seed in range(40)]

    hits = sum(estimate.low <= bits(source) <= estimate.high for estimate in found)
    assert hits >= 34


def test_tokens_that_belong_together_widen_the_interval() -> None:
    random = np.random.default_rng(3)
    loose = takes_of([1 / 20] * 20, takes=200, tokens=40, seed=4)
    stuck = TokenRows(np.repeat(random.integers(1, 21, 200), 40), np.full(200, 40))

    assert token_entropy(stuck).standard_error > 3 * token_entropy(loose).standard_error


def test_figures_at_a_fixed_number_of_tokens_compare() -> None:
    source = [1 / 100] * 100
    small = token_entropy(takes_of(source, takes=50, tokens=40, seed=5), num_tokens=1500)
    large = token_entropy(takes_of(source, takes=2000, tokens=40, seed=6), num_tokens=1500)

    assert small.value == pytest.approx(large.value, abs=0.05)
    assert large.standard_error < small.standard_error


def test_more_tokens_than_there_are_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="ask for fewer"):
        token_entropy(takes_of([0.5, 0.5], takes=8, tokens=5, seed=1), num_tokens=100)


def test_pauses_are_no_tokens() -> None:
    takes = TokenRows.of([[1, 0, 0, 2], [2, 0, 1]] * 4)
    without = TokenRows.of([[1, 2], [2, 1]] * 4)

    assert token_entropy(takes).value == token_entropy(without).value


def test_what_follows_from_what_came_before_has_no_conditional_entropy() -> None:
    takes = TokenRows.of([[1, 2, 3, 4] * 50] * 20)

    assert token_entropy(takes).value == pytest.approx(2.0, abs=0.01)
    assert conditional_entropy(takes).value == pytest.approx(0.0, abs=0.01)


def test_independent_tokens_keep_all_of_it() -> None:
    takes = takes_of([1 / 8] * 8, takes=200, tokens=100, seed=8)

    assert conditional_entropy(takes).value == pytest.approx(3.0, abs=0.01)


def test_pairs_do_not_reach_from_take_to_take() -> None:
    takes = TokenRows.of([[1], [2], [1, 1], [2, 2], [], [1, 1]] * 2)

    assert conditional_entropy(takes).num_items == 6
    assert conditional_entropy(takes).value == pytest.approx(0.0)


def test_the_mean_of_a_normal_sample_has_its_textbook_error() -> None:
    sample = np.random.default_rng(9).normal(5, 2, 5000)

    found = mean_of(sample)

    assert found.value == pytest.approx(sample.mean())
    assert found.standard_error == pytest.approx(2 / np.sqrt(5000), rel=0.15)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=900))
def test_an_interval_holds_its_figure_and_is_the_same_every_time(values) -> None:
    found = mean_of(np.array(values))

    assert found.low <= found.value <= found.high
    assert found == mean_of(np.array(values))


def test_readings_of_one_text_count_as_one() -> None:
    texts = np.random.default_rng(10).normal(0, 1, 500)
    text = np.repeat(np.arange(500), 4)

    together, apart = mean_of(np.repeat(texts, 4), text), mean_of(np.repeat(texts, 4))

    assert together.standard_error == pytest.approx(1 / np.sqrt(500), rel=0.15)
    assert together.standard_error > 1.7 * apart.standard_error


def test_a_ratio_is_of_sums() -> None:
    assert ratio_of(np.array([1.0, 0.0] * 3), np.array([1.0, 9.0] * 3)).value == pytest.approx(0.1)


def test_four_items_have_no_interval_and_four_texts_neither() -> None:
    with pytest.raises(ValueError, match="5 independent items"):
        estimate(block_sums(np.ones((4, 1))), lambda s: s[..., 0], num_items=4)
    with pytest.raises(ValueError, match="5 independent items"):
        mean_of(np.arange(40.0), np.arange(40) % 4)


@pytest.mark.parametrize("items", [5, 8])
def test_the_interval_of_a_few_items_holds_what_it_promises(items) -> None:
    samples = np.random.default_rng(11).normal(size=(400, items))

    found = [mean_of(sample) for sample in samples]

    assert np.mean([estimate.low <= 0 <= estimate.high for estimate in found]) >= 0.89


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 100), st.integers(8, 300))
def test_the_interval_of_a_mean_is_as_wide_as_students(seed, items) -> None:
    sample = np.random.default_rng(seed).normal(5, 2, items)

    found = mean_of(sample)

    low, high = stats.t.interval(0.95, items - 1, sample.mean(), stats.sem(sample))
    assert found.high - found.low == pytest.approx(high - low, rel=0.15)
    assert found.standard_error == pytest.approx(stats.sem(sample), rel=0.15)
