"""Intervals that hold what they promise, and tests between recognisers held against direct computations."""

import re
from dataclasses import replace
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from scipy import stats

from catalogs.intervals import FEWEST
from catalogs.records import Hypothesis, Slot, Understanding
from training.answering import Answer
from training.evaluation.comparing import Answers, compare_systems
from training.evaluation.figures import subsets
from training.evaluation.references import Reference
from training.evaluation.resampling import Groups, Interval, Sums, exchanges, interval, ratio, replicates
from training.evaluation.scoring import score
from training.evaluation.segments import mapsswe, segments

TEXT = "turn the kitchen light off and bring a large cup of tea with milk please"
WER = ratio(0, 1)
texts = st.lists(st.sampled_from("abcd"), max_size=14)


def corpora(number: int, *, speakers: int, wer: float) -> Any:
    """Errors and words of utterances of speakers who are recognised unlike well: Beta with this mean."""
    random = np.random.default_rng(7)
    for _ in range(number):
        rates = random.beta(3 * wer, 3 * (1 - wer), speakers).repeat(6)
        words = random.integers(3, 12, len(rates))
        yield np.stack([random.binomial(words, rates), words], axis=1).astype(float), np.arange(len(rates)) // 6


def share_covered(number: int, *, of_speakers: bool) -> float:
    covered = 0
    for counts, speaker in corpora(number, speakers=40, wer=0.2):
        sums = Groups.of([str(name) for name in speaker]).sums(counts) if of_speakers else counts
        found = interval(WER, sums, replicates(sums, number=400))
        covered += found is not None and found.low <= 0.2 <= found.high
    return covered / number


def test_an_interval_over_speakers_covers_the_truth_as_often_as_it_says() -> None:
    assert 0.90 <= share_covered(300, of_speakers=True) <= 0.98


def test_an_interval_over_utterances_would_promise_too_much() -> None:
    assert share_covered(300, of_speakers=False) < 0.85


def share_of_means_covered(groups: int, *, is_expanded: bool) -> float:
    """How often the interval of a mean of independent normal groups holds the true one, of 400."""
    random = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        sums = np.stack([random.normal(size=groups), np.ones(groups)], axis=1)
        drawn = replicates(sums, number=400)
        found = interval(WER, sums, drawn)
        assert found is not None
        low, high = (found.low, found.high) if is_expanded else np.percentile(WER(drawn), (2.5, 97.5))
        covered += low <= 0 <= high
    return covered / 400


@pytest.mark.parametrize("groups", [5, 8])
def test_the_interval_of_a_few_speakers_is_nearer_to_what_it_promises_than_plain_percentiles(groups: int) -> None:
    expanded, plain = (share_of_means_covered(groups, is_expanded=each) for each in (True, False))

    assert plain + 0.03 < expanded < 0.98
    assert expanded > 0.87


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(8, 60))
def test_the_interval_of_a_mean_is_as_wide_as_students(seed: int, groups: int) -> None:
    values = np.random.default_rng(seed).normal(5.0, 2.0, groups)
    sums = np.stack([values, np.ones(groups)], axis=1)

    found = interval(WER, sums, replicates(sums, seed=seed, number=4000))

    low, high = stats.t.interval(0.95, groups - 1, values.mean(), stats.sem(values))
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(high - low, rel=0.2)
    assert found.low < found.value < found.high


def test_fewer_than_five_groups_have_no_interval_however_many_there_are_of_other_things() -> None:
    sums = np.ones((40, 2))
    sums[FEWEST - 1 :, 1] = 0.0
    enough = sums.copy()
    enough[FEWEST - 1, 1] = 1.0

    few, some = (interval(WER, each, replicates(each, number=200)) for each in (sums, enough))

    assert few is not None
    assert (few.low, few.high) == (None, None)
    assert some is not None
    assert some.low is not None


of_groups = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=7)


@given(of_groups)
def test_all_exchanges_of_a_few_groups_are_those_written_out(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs, dtype=float).T[:, :, None]

    found = exchanges(first, second)[:, 0]

    ways = product((0, 1), repeat=len(pairs))
    by_hand = [sum(pair[turned] for pair, turned in zip(pairs, way, strict=True)) for way in ways]
    whole = float((first + second).sum())
    assert {*found, *(whole - found)} == {*by_hand}
    apart = abs(float((first - second).sum()))
    shares = [np.mean(np.abs(2 * np.array(each) - whole) >= apart) for each in (found, by_hand)]
    assert shares[0] == pytest.approx(shares[1])
    assert shares[0] >= 2 ** (1 - len(pairs))


def test_drawn_exchanges_are_as_far_apart_as_all_of_them() -> None:
    first, second = np.random.default_rng(2).normal(4.0, 1.0, (2, 12, 1))

    every, drawn = (np.abs(2 * exchanges(first, second, number=n)[:, 0] - (first + second).sum()) for n in (2048, 2000))

    assert (len(every), len(drawn)) == (2048, 2001)
    for apart in np.quantile(every, (0.1, 0.5, 0.9, 0.99)):
        assert np.mean(drawn >= apart) == pytest.approx(np.mean(every >= apart), abs=0.03)


@pytest.mark.parametrize("groups", [2, 3, 4, 5, 8])
def test_two_that_do_not_differ_are_told_apart_no_more_often_than_p_says(groups: int) -> None:
    random = np.random.default_rng(groups)
    found = []
    for _ in range(300):
        first, second = random.normal(size=(2, groups, 1))
        apart = 2 * exchanges(first, second)[:, 0] - (first + second).sum()
        found.append(np.mean(np.abs(apart) >= abs((first - second).sum()) - 1e-12))

    assert np.mean(np.array(found) < 0.05) < 0.08
    assert min(found) >= 2 ** (1 - groups)


def test_replicates_are_spread_as_the_mean_of_independent_groups_is() -> None:
    values = np.random.default_rng(0).normal(5.0, 2.0, (200, 1))

    drawn = replicates(values, number=10_000)[:, 0] / 200

    assert drawn.std() == pytest.approx(values.std() / sqrt(200), rel=0.05)
    assert drawn.mean() == pytest.approx(values.mean(), rel=0.01)


def test_one_speaker_alone_is_resampled_by_utterance() -> None:
    alone, several = Groups.of(["anna"] * 4), Groups.of(["anna", "bela", "anna", "cora"])

    assert (alone.unit, alone.number) == ("utterances", 4)
    assert (several.unit, several.number) == ("speakers", 3)
    assert several.sums(np.array([[1.0], [2.0], [4.0], [8.0]])).tolist() == [[5.0], [2.0], [8.0]]


def test_a_group_alone_has_a_figure_and_no_interval() -> None:
    alone: Sums = np.array([[1.0, 4.0]])

    assert interval(WER, alone, replicates(alone, number=10)) == Interval(0.25, None, None)


def test_a_figure_over_nothing_has_no_value() -> None:
    nothing: Sums = np.zeros((3, 2))

    assert interval(WER, nothing, replicates(nothing, number=10)) is None


@given(texts, texts, texts)
def test_segments_are_parted_by_two_words_that_both_have_right(wanted: Any, first: Any, second: Any) -> None:
    found = segments(wanted, first, second)

    assert found == parted_by_hand(wanted, first, second)
    assert sum(errors for errors, _ in found) == Levenshtein.distance(wanted, first)
    assert sum(errors for _, errors in found) == Levenshtein.distance(wanted, second)


def parted_by_hand(wanted: list[str], first: list[str], second: list[str]) -> list[tuple[int, int]]:
    """Every place as a letter: g a word that both have right, e an error; parted where two g stand together."""
    events: list[tuple[str, int, int]] = []
    edits = [Levenshtein.editops(wanted, heard).as_list() for heard in (first, second)]
    for place in range(len(wanted) + 1):
        inserted = [sum(tag == "insert" and at == place for tag, at, _ in each) for each in edits]
        events += [("e", *inserted)] if any(inserted) else []
        if place < len(wanted):
            wrong = [sum(tag != "insert" and at == place for tag, at, _ in each) for each in edits]
            events.append(("e" if any(wrong) else "g", *wrong))
    letters = "".join(event[0] for event in events)
    parts = [m.span() for m in re.finditer(r"g?e(?:g?e)*", letters)]
    return [(sum(e[1] for e in events[a:b]), sum(e[2] for e in events[a:b])) for a, b in parts]


def test_matched_pairs_are_a_z_test_of_differences_per_segment() -> None:
    random = np.random.default_rng(3)
    both = list(zip(random.poisson(2.0, 80).tolist(), random.poisson(1.5, 80).tolist(), strict=True))
    differences = np.array([a - b for a, b in both])

    found = mapsswe(both)

    z = differences.mean() / np.sqrt(np.var(differences, ddof=1) / 80)
    assert found.num_segments == 80
    assert found.z == pytest.approx(z)
    assert found.p == pytest.approx(2 * normal_tail(abs(z)), rel=1e-4)
    assert mapsswe([(b, a) for a, b in both]).z == pytest.approx(-z)


def normal_tail(z: float) -> float:
    """By summing the density."""
    at = np.linspace(z, z + 40, 400_001)
    return float(np.trapezoid(np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), at))


def test_segments_that_differ_alike_are_no_evidence() -> None:
    assert mapsswe([]).p == 1.0
    assert mapsswe([(1, 1), (2, 2)]).p == 1.0
    assert mapsswe([(2, 1), (3, 2)]).p is None


@pytest.fixture
def losing(members: Any) -> Any:
    """References, and what a recogniser hears of them that loses words at this rate."""
    references = [
        Reference(
            replace(members[n % 60], take_id=f"take-{n:04d}", text=TEXT, spoken=TEXT, speaker=f"voice-{n % 12}"),
            slots=(Slot("drink", "cup of tea"), Slot("room", "kitchen")),
        )
        for n in range(120)
    ]

    def heard(rate: float, *, seed: int) -> list[Hypothesis]:
        random = np.random.default_rng(seed)
        kept = [" ".join(word for word in TEXT.split() if random.random() > rate) for _ in references]
        answers = [Answer(r.member.take_id, text, 0, hit_limit=False) for r, text in zip(references, kept, strict=True)]
        return [score("e", r, answer) for r, answer in zip(references, answers, strict=True)]

    return references, heard


def contrasted(references: Any, first: Any, second: Any, *, number: int) -> Any:
    """Two recognisers that transcribe alone."""
    return compare_systems(references, Answers(first), Answers(second), number=number)


def test_a_worse_recogniser_is_found_to_be_worse(losing: Any) -> None:
    references, heard = losing

    found = contrasted(references, heard(0.3, seed=1), heard(0.1, seed=2), number=2000)

    wer, recall, slot_error = found.contrasts
    assert [each.name for each in found.contrasts] == ["wer", "slot_recall", "slot_error"]
    assert 0.1 < wer.difference.low < wer.difference.value < wer.difference.high
    assert recall.difference.high < -0.1 < 0.1 < slot_error.difference.low
    for each in found.contrasts:
        assert each.difference.value == pytest.approx(each.first - each.second)
        assert each.p < 0.01
    assert found.matched_pairs.p < 0.001
    assert found.matched_pairs.difference > 0


def test_two_that_are_alike_are_not_told_apart(losing: Any) -> None:
    references, heard = losing

    found = contrasted(references, heard(0.2, seed=1), heard(0.2, seed=2), number=2000)
    same = contrasted(references, heard(0.2, seed=1), heard(0.2, seed=1), number=2000)

    for each in found.contrasts:
        assert each.difference.low < 0 < each.difference.high
        assert each.p > 0.05
    assert found.matched_pairs.p > 0.05
    assert {(each.difference.value, each.p) for each in same.contrasts} == {(0.0, 1.0)}
    assert same.matched_pairs.p == 1.0


def test_three_speakers_prove_nothing(losing: Any) -> None:
    references, heard = losing
    of_three = [replace(r, member=replace(r.member, speaker=f"voice-{n % 3}")) for n, r in enumerate(references)]

    found = contrasted(of_three, heard(0.6, seed=1), heard(0.1, seed=2), number=2000)

    for each in found.contrasts:
        assert (each.difference.low, each.difference.high, each.p) == (None, None, 0.25)


def test_figures_of_two_are_those_of_each(losing: Any) -> None:
    references, heard = losing
    both = heard(0.3, seed=1), heard(0.1, seed=2)

    found = contrasted(references, *both, number=50)

    for place, rows in zip(("first", "second"), both, strict=True):
        alone = {figure.name: figure.value for figure in subsets(references, rows, number=50)[0].figures}
        assert {each.name: getattr(each, place) for each in found.contrasts}.items() <= alone.items()


def test_what_is_not_labelled_is_not_contrasted(losing: Any) -> None:
    references, heard = losing
    plain = [replace(reference, slots=()) for reference in references]
    rows = [[replace(row, num_slots=0, missed_slots=()) for row in heard(0.2, seed=seed)] for seed in (1, 2)]

    found = contrasted(plain, *rows, number=50)

    assert [each.name for each in found.contrasts] == ["wer"]


def test_one_speaker_with_labels_tells_no_spread_of_theirs(losing: Any) -> None:
    references, heard = losing
    speaker = references[0].member.speaker
    few = [r if r.member.speaker == speaker else replace(r, slots=()) for r in references]
    labelled = {r.member.take_id for r in few if r.slots}
    first, second = (
        [row if row.take_id in labelled else replace(row, num_slots=0, missed_slots=()) for row in heard(rate, seed=1)]
        for rate in (0.0, 0.9)
    )

    wer, recall, *_ = contrasted(few, first, second, number=500).contrasts

    assert wer.p < 0.01
    assert (recall.name, recall.p, recall.difference.low) == ("slot_recall", None, None)
    assert recall.difference.value > 0.5
    assert subsets(few, second, number=500)[0].figures[5].low is None


def test_what_is_understood_is_contrasted_too(losing: Any) -> None:
    references, heard = losing
    rows = heard(0.2, seed=1)
    understood = [
        [
            Understanding("e", row.take_id, "order", n % 10 < right, (), 2, 2, n % 10 < right)
            for n, row in enumerate(rows)
        ]
        for right in (9, 4)
    ]

    found = compare_systems(references, *(Answers(rows, each) for each in understood), number=500)

    by_name = {each.name: each for each in found.contrasts}
    assert by_name["wer"].difference.value == 0
    assert (by_name["intent_accuracy"].first, by_name["intent_accuracy"].second) == (0.9, 0.4)
    assert by_name["slot_f1"].first == pytest.approx(0.45)
    assert max(by_name[name].p for name in ("intent_accuracy", "slot_f1")) < 0.05


def test_only_what_both_have_heard_is_compared(losing: Any) -> None:
    references, heard = losing

    found = contrasted(references, heard(0.2, seed=1)[:50], heard(0.2, seed=2)[30:], number=50)

    assert found.num_utterances == 20
    assert contrasted(references, heard(0.2, seed=1)[:1], heard(0.4, seed=2), number=50).contrasts[0].p is None
    assert contrasted(references, [], [], number=50) is None
