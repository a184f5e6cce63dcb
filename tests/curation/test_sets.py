import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.intervals import FEWEST
from curation.bootstrap import Estimate
from curation.sets import figures as sets
from curation.sets.diversity import diversity, diversity_within, reading_distances
from curation.sets.meanings import MEANINGS, meaning
from curation.sets.summary import cells_of, set_figures, set_scores
from curation.sets.watched import Watched
from curation.tokenisers.sequences import TokenRows

RANDOM = np.random.default_rng(1)


def cosine_distances(vectors: np.ndarray) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return 1 - (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def test_diversity_is_the_mean_over_all_pairs() -> None:
    vectors = RANDOM.normal(1, 1, (60, 8))

    found = diversity(vectors)

    assert found.value == pytest.approx(cosine_distances(vectors).mean())
    assert found.low < found.value < found.high


def test_takes_that_are_all_alike_have_no_diversity() -> None:
    vectors = np.tile(RANDOM.normal(0, 1, 8), (30, 1))

    assert diversity(vectors).value == pytest.approx(0, abs=1e-9)
    assert sets.vendi(vectors).value == pytest.approx(1, abs=1e-6)


def test_diversity_within_groups_does_not_see_between_them() -> None:
    centres = 10 * np.eye(3)
    vectors = np.repeat(centres, 5, axis=0)

    assert diversity_within(vectors, np.repeat(np.arange(3), 5)).value == pytest.approx(0, abs=1e-9)
    assert diversity(vectors).value > 0.5


def test_groups_of_one_take_have_no_diversity_to_speak_of() -> None:
    vectors, groups = RANDOM.normal(0, 1, (8, 4)), np.array([0, 0, 0, 1, 2, 2, 2, 3])

    found = diversity_within(vectors, groups)

    assert found.num_items == 6
    assert found.value == pytest.approx(np.mean([cosine_distances(vectors[groups == g]).mean() for g in (0, 2)]))


def test_readings_differ_by_the_edits_between_them() -> None:
    takes = TokenRows.of([[1, 2, 3, 4], [1, 2, 3, 5], [7, 7], [1, 1], [1, 1]])

    found = reading_distances(takes, np.array([0, 0, 1, 2, 2]), rate_hz=50)

    assert np.array_equal(found, [50 / 4, np.nan, np.nan, 0.0, np.nan], equal_nan=True)


def test_cells_are_all_combinations_of_what_occurs() -> None:
    speaker, style = np.array([5, 5, 9, 9]), np.array([0, 1, 0, 0])

    cell, count = sets.cells([speaker, style])

    assert count == 4
    assert cell.tolist() == [0, 1, 2, 2]


def test_coverage_is_the_share_of_cells_with_enough_takes() -> None:
    cell = np.repeat([0, 1, 2], (5, 5, 4))

    assert sets.coverage(cell, 4, least=5).value == 0.5
    assert sets.evenness(np.repeat([0, 1], 50), 2).value == pytest.approx(1)
    assert sets.evenness(np.zeros(50, np.int64), 4).value == pytest.approx(0)


def test_a_corpus_without_variation_lies_in_the_middle_third() -> None:
    assert set(sets.thirds(np.full(20, 180.0), within=1.0).tolist()) == {1}
    assert sets.thirds(np.array([1.0, 5.0, 9.0]), within=2.0).tolist() == [0, 1, 2]


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 12))
def test_even_speakers_count_in_full(speakers) -> None:
    labels = np.tile(np.arange(speakers), 10)

    assert sets.effective_labels(labels).value == pytest.approx(speakers)


def test_a_speaker_who_hardly_speaks_hardly_counts() -> None:
    assert sets.effective_labels(np.repeat([0, 1], (990, 10))).value < 1.1


def test_the_vendi_score_counts_voices_with_nothing_in_common() -> None:
    assert sets.vendi(np.tile(np.eye(6), (20, 1))).value == pytest.approx(6, abs=1e-6)


def test_frechet_knows_the_distance_of_two_gaussians() -> None:
    one, other = RANDOM.normal(0, 1, (20_000, 3)), RANDOM.normal(0, 2, (20_000, 3)) + np.array([3.0, 0, 0])

    assert sets.frechet(other, one).value == pytest.approx(9 + 3, rel=0.05)


def test_a_sample_is_near_its_own_source_and_far_from_another() -> None:
    one, same, other = (RANDOM.normal(mean, 1, (400, 5)) for mean in (0, 0, 0.5))

    near, far = sets.mmd(same, one), sets.mmd(other, one)

    assert abs(near.value) < 0.01
    assert far.low > near.high


@pytest.mark.parametrize("shift", [-3.0, -0.1, 0.0, 2.0])
def test_a_shift_is_moved_by_its_own_length(shift) -> None:
    sample = np.random.default_rng(5).normal(0, 2, 500)

    found = sets.wasserstein(sample + shift, sample)

    assert found.value == pytest.approx(abs(shift) / sample.std(), abs=0.02)


def test_missing_figures_are_left_out() -> None:
    sample = np.array([1.0, 2.0, np.nan, 3.0, 4.0, 5.0])

    assert sets.wasserstein(sample, sample).value == pytest.approx(0)
    assert sets.wasserstein(sample, sample).num_items == 5


def test_figures_do_not_change_from_run_to_run() -> None:
    vectors = RANDOM.normal(0, 1, (500, 6))

    assert sets.vendi(vectors) == sets.vendi(vectors)
    assert sets.mmd(vectors[:200], vectors[200:]) == sets.mmd(vectors[:200], vectors[200:])


@given(errors=st.lists(st.integers(0, 9), min_size=FEWEST, max_size=30), real=st.floats(0, 1))
def test_what_real_speech_has_of_errors_is_taken_off(errors: list[int], real: float) -> None:
    counts, chars = np.array(errors, np.float64), np.full(len(errors), 10.0)

    found = sets.calibrated_rate(counts, chars, np.arange(len(errors)), real=real)

    assert found.value == pytest.approx(max(0.0, counts.mean() / 10 - real))
    assert 0 <= found.low <= found.value <= found.high


def heard(cer: float, *, takes: int = 40, seed: int = 1, language: str = "en", chars: float = 20.0) -> Watched:
    """Takes with a character error rate."""
    figures = {"cer": np.full(takes, cer), "text_chars": np.full(takes, chars)}
    names = np.full(takes, language)
    return replace(watched(takes, seed=seed), text=np.arange(takes), figures=figures, language=names)


def joined(one: Watched, other: Watched) -> Watched:
    parts = [one, other]
    return replace(
        one,
        take_ids=one.take_ids + other.take_ids,
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in ("is_synthetic", "text", "language")},
        figures={name: np.concatenate([p.figures[name] for p in parts]) for name in one.figures},
        reading=np.arange(len(one) + len(other)),
        tokens=None,
        labels={},
        vectors={},
    )


def test_a_set_is_held_against_real_speech_of_its_language() -> None:
    ours = joined(joined(heard(0.1), heard(0.4, chars=60.0)), heard(0.2, language="de"))
    real = joined(heard(0.08, chars=5.0), heard(0.02, chars=15.0))

    found = set_figures(ours, real)

    assert [name for name in found if name.startswith("calibrated_cer")] == ["calibrated_cer:en"]
    assert found["calibrated_cer:en"].value == pytest.approx((0.1 * 20 + 0.4 * 60) / 80 - (0.08 * 5 + 0.02 * 15) / 20)
    assert found["calibrated_cer:en"].num_items == 40  # texts, each read twice
    assert set_figures(ours).keys().isdisjoint({"calibrated_cer:en"})
    assert "calibrated_cer:en" not in set_figures(ours, heard(0.08, takes=19))
    assert "calibrated_cer:en" not in set_figures(replace(ours, is_synthetic=np.zeros(len(ours), np.bool_)), real)


def test_codes_of_one_voice_are_apart_from_those_of_another_and_zero_is_one() -> None:
    takes, random = replace(watched(200, seed=11), text=np.arange(200)), np.random.default_rng(11)
    codec = np.array(["gpt"] * 120 + ["semantic"] * 60 + [""] * 20)
    stuck = [np.zeros(40, np.int64)] * 60
    rows = [*random.integers(0, 4, (120, 40)), *stuck, *([()] * 20)]

    found = set_figures(replace(takes, codec=codec, codes=TokenRows.of(rows)))

    assert found["code_entropy:gpt"].value == pytest.approx(2.0, abs=0.01)
    assert found["code_entropy:semantic"].value == 0.0
    assert found["code_repetition:semantic"].value == 1.0
    assert found["code_repetition:gpt"].value == pytest.approx(4**-4, abs=0.01)
    assert (found["code_entropy:gpt"].num_items, found["code_repetition:semantic"].num_items) == (120, 60)
    assert not {"code_entropy:gpt", "code_entropy:"} & set(set_figures(takes.rows(np.arange(200))))


def watched(takes: int, *, seed: int, spread_st: float = 2.0) -> Watched:
    random = np.random.default_rng(seed)
    return Watched(
        take_ids=tuple(f"{seed}-{n}" for n in range(takes)),
        is_synthetic=np.ones(takes, np.bool_),
        text=np.arange(takes) // 2,
        reading=np.arange(takes) // 2,
        figures={
            "f0_median_hz": 180 * 2 ** (random.normal(0, spread_st, takes) / 12),
            "chars_per_s": random.normal(14, 2, takes),
        },
        tokens=TokenRows.of(list(random.integers(0, 30, (takes, 40)))),
        labels={"voice": np.arange(takes) % 2, "style": np.zeros(takes, np.int64)},
        vectors={"speaker_embedding": random.normal(0, 1, (takes, 6))},
    )


def test_a_set_is_described_alone_and_beside_real_speech() -> None:
    alone, beside = set_figures(watched(200, seed=1)), set_figures(watched(200, seed=1), watched(200, seed=2))

    assert {"token_entropy", "reading_distance", "coverage", "vendi:speaker_embedding"} <= set(alone)
    assert {"wasserstein:f0_median_hz", "mmd:speaker_embedding", "frechet:speaker_embedding"} <= set(beside) - set(
        alone
    )
    assert all(figure.low <= figure.value <= figure.high for figure in beside.values())


def test_voices_that_vary_cover_more_than_voices_that_do_not() -> None:
    lively, flat = watched(400, seed=3), watched(400, seed=3, spread_st=0.1)

    assert cells_of(lively)[1] == 18
    assert set_figures(lively)["coverage"].low > set_figures(flat)["coverage"].high


def test_vectors_of_a_set_are_probed_for_voice_and_manner() -> None:
    random, takes = np.random.default_rng(8), watched(400, seed=8)
    voice, habit_st = takes.labels["voice"], np.array([2.0, 4.0])
    spread_st = habit_st[voice] + random.normal(0, 0.5, 400)
    prosody = np.column_stack((spread_st, random.normal(0, 1, (400, 3))))
    timbre = random.normal(0, 1, (2, 8))[voice] + 0.1 * random.normal(0, 1, (400, 8))
    vectors = {"prosody_vector": prosody, "timbre_vector": timbre}
    spoken = replace(takes, figures={**takes.figures, "f0_sd_st": spread_st}, vectors=vectors)

    found = set_figures(spoken)
    leaky = set_figures(replace(spoken, vectors={"prosody_vector": timbre, "timbre_vector": prosody}))

    assert found["speaker_by_chance"].value == 0.5
    assert found["speaker_from_prosody"].low < 0.5 < found["speaker_from_prosody"].high
    assert found["spread_from_prosody"].value > 0.99
    assert found["speaker_from_timbre"].value == 1
    assert found["spread_from_timbre"].value < 0.1
    assert leaky["spread_from_prosody"].value < 0.1
    assert leaky["spread_from_timbre"].value > 0.99
    assert "speaker_from_prosody" not in set_figures(takes)


def test_every_figure_of_a_set_has_a_meaning() -> None:
    random = np.random.default_rng(9)
    vectors = {name: random.normal(0, 1, (200, 4)) for name in ("prosody_vector", "timbre_vector")}
    ours, theirs = (
        replace(
            takes,
            figures={
                **takes.figures,
                "f0_sd_st": random.normal(3, 1, 200),
                "f0_correlation": random.normal(0.5, 0.1, 200),
                "f0_rmse_st": random.normal(3, 1, 200),
                "cer": np.full(200, 0.1),
                "text_chars": np.full(200, 9.0),
            },
            codec=np.full(200, "gpt"),
            codes=TokenRows.of(list(random.integers(0, 30, (200, 40)))),
            vectors=vectors,
            language=np.full(200, "en"),
        )
        for takes in (watched(200, seed=1), watched(200, seed=2))
    )

    figures = set_figures(ours, theirs)

    assert {name.partition(":")[0] for name in figures} == set(MEANINGS) - {"alpha"}
    assert all(meaning(name) for name in figures)


def readings(seed: int, *, texts: int) -> Watched:
    """Four voices read each text; what is said moves their vectors more than chance does."""
    random, takes = np.random.default_rng(seed), watched(4 * texts, seed=seed)
    text, voice = np.repeat(np.arange(texts), 4), np.tile(np.arange(4), texts)
    of_text = np.repeat(random.normal(0, 1, (texts, 6)), 4, axis=0)
    vectors = 1 + of_text + np.eye(6)[voice] + random.normal(0, 0.3, (4 * texts, 6))
    labels = {"voice": voice, "style": 0 * voice}
    figures = {"chars_per_s": 14 + of_text[:, 0], "f0_median_hz": 180 * 2 ** (of_text[:, 1] / 6)}
    return replace(
        takes, text=text, labels=labels, figures=figures, tokens=None, vectors={"speaker_embedding": vectors}
    )


@pytest.fixture(scope="module")
def many_sets() -> list[dict[str, Estimate]]:
    return [set_figures(readings(seed, texts=25)) for seed in range(80)]


@pytest.mark.parametrize("name", ["diversity", "diversity_in_voice", "vendi"])
def test_intervals_of_four_readings_a_text_hold_what_they_promise(name, many_sets) -> None:
    found = [figures[f"{name}:speaker_embedding"] for figures in many_sets]
    mean = np.mean([figure.value for figure in found])

    assert {figure.num_items for figure in found} == {25}
    assert 0.88 <= np.mean([figure.low <= mean <= figure.high for figure in found]) <= 0.99


def test_intervals_over_takes_would_promise_too_much() -> None:
    found = [diversity(readings(seed, texts=25).vectors["speaker_embedding"]) for seed in range(80)]
    mean = np.mean([figure.value for figure in found])

    assert np.mean([figure.low <= mean <= figure.high for figure in found]) < 0.8


def speech(speakers: int) -> Watched:
    """Real speakers, who read two texts each, beside four readings each of forty texts by one synthetic voice."""
    real, synthetic = np.repeat(np.arange(speakers), 2), np.zeros(160, np.int64)
    return Watched(
        take_ids=tuple(map(str, range(2 * speakers + 160))),
        is_synthetic=np.repeat([False, True], (2 * speakers, 160)),
        text=np.concatenate((np.arange(2 * speakers), 100 + np.repeat(np.arange(40), 4))),
        reading=np.arange(2 * speakers + 160),
        figures={},
        labels={"voice": np.concatenate((real, synthetic + 50)), "style": np.zeros(2 * speakers + 160, np.int64)},
    )


@pytest.mark.parametrize(("speakers", "of_real"), [(4, 8), (5, 5), (20, 20)])
def test_real_takes_of_a_speaker_come_together_and_synthetic_ones_of_a_text(speakers, of_real) -> None:
    takes = speech(speakers)

    clusters = takes.clusters

    assert len(np.unique(clusters[~takes.is_synthetic])) == of_real
    assert len(np.unique(clusters[takes.is_synthetic])) == 40
    assert len(np.unique(clusters)) == of_real + 40


def test_of_real_speakers_the_speakers_are_drawn() -> None:
    random, takes = np.random.default_rng(12), speech(12).between(0, 24)
    own = np.repeat(random.normal(0, 1, (12, 6)), 2, axis=0) + random.normal(0, 0.1, (24, 6))

    found = set_figures(replace(takes, vectors={"speaker_embedding": own}))

    assert {figure.num_items for figure in found.values()} == {12}
    assert found["diversity_in_voice:speaker_embedding"].value < 0.1


def test_many_takes_of_a_few_texts_have_no_figures() -> None:
    takes = replace(readings(1, texts=10), text=np.arange(40) % 4)

    assert set_figures(takes) == {}


def test_a_few_takes_have_no_figures() -> None:
    assert set_figures(watched(8, seed=4), watched(8, seed=5)) == {}


def test_rows_of_a_set_name_its_takes_and_do_not_depend_on_their_order() -> None:
    takes = watched(60, seed=6)
    turned = takes.rows(np.arange(60)[::-1])

    rows, others = (set_scores(part, set_figures(takes), "set") for part in (takes, turned))

    assert rows == others


@pytest.mark.slow
def test_a_hundred_thousand_takes_cost_seconds() -> None:
    vectors = RANDOM.normal(0, 1, (100_000, 64))
    labels = RANDOM.integers(0, 40, 100_000)
    began = time.process_time()

    diversity(vectors)
    diversity_within(vectors, labels)
    sets.vendi(vectors)
    sets.frechet(vectors, vectors[:5000])
    sets.coverage(labels, 40)
    sets.wasserstein(vectors[:, 0], vectors[:5000, 0])

    assert time.process_time() - began < 30
