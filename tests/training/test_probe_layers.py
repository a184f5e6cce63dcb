"""The probe on vectors whose truth is known, and what it must not know of the takes that it is tested on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import ReleaseError
from training.members import Member
from training.probing.activations import Layer
from training.probing.cells import Grid
from training.probing.classifier import Vectors
from training.probing.layers import Bench, shuffled
from training.probing.pairing import Readings, paired
from training.probing.surface import surface
from training.probing.sweep import SweepRow, sweep_rows

from .conftest import make_member

LAYER = Layer("encoder", 1)


def made(*, texts: int = 40, real: int = 6, synthetic: int = 4) -> Readings:
    """Texts that one of some real speakers and one of some synthetic ones have read."""
    members: list[Member] = []
    for text in range(texts):
        for name, voices in (("ann", real), ("tts", synthetic)):
            member = make_member(len(members), is_synthetic=name == "tts")
            said = f"text {'abcdefghij'[text % 10]} {'abcdefghij'[text // 10]}"
            members.append(replace(member, text=said, spoken=said, speaker=f"{name}-{text % voices}"))
    return paired(members, members, most=texts)


def noise(readings: Readings, width: int = 24) -> Vectors:
    return np.random.default_rng(5).normal(size=(len(readings.members), width)).astype(np.float32)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench.of(made(), groups=3, replicates=200)


TAKE = st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz"), st.booleans())


@given(st.lists(TAKE, min_size=2, max_size=60), st.integers(2, 5))
def test_no_cell_trains_on_a_speaker_or_a_text_that_it_is_tested_on(
    takes: list[tuple[str, str, bool]], groups: int
) -> None:
    speakers, texts, kinds = zip(*takes, strict=True)

    cells = Grid.of(speakers, texts, np.array(kinds), groups=groups).cells()

    for cell in cells:
        assert not {speakers[place] for place in cell.train} & {speakers[place] for place in cell.test}
        assert not {texts[place] for place in cell.train} & {texts[place] for place in cell.test}
        assert {kinds[place] for place in cell.train} == {True, False}
    tested = [place for cell in cells for place in cell.test]
    assert len(tested) == len(set(tested))


def test_every_take_is_tested_once_where_there_are_enough_speakers_and_texts(bench: Bench) -> None:
    tested = sorted(place for cell in bench.cells for place in cell.test)

    assert tested == list(range(len(bench.readings.members)))


def test_what_is_planted_in_a_layer_is_found(bench: Bench) -> None:
    vectors = noise(bench.readings)
    vectors[bench.readings.is_synthetic] += 2.0

    row = bench.row(LAYER, vectors, bench.probe(vectors))

    assert row.auc.low is not None
    assert row.auc.value > 0.99
    assert row.accuracy.value > 0.95
    assert row.random_auc.low is not None
    assert row.random_auc.high is not None
    assert row.random_auc.low < 0.5 < row.random_auc.high


def test_where_there_is_nothing_nothing_is_found(bench: Bench) -> None:
    vectors = noise(bench.readings)

    row = bench.row(LAYER, vectors, bench.probe(vectors))

    for found in (row.auc, row.accuracy, row.random_auc, row.random_accuracy):
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0.5 < found.high


def test_speakers_and_texts_known_by_heart_are_of_no_use(bench: Bench) -> None:
    """Vectors say exactly who speaks and what, and nothing else: all that a leak could go by."""
    readings = bench.readings
    names = np.array([[*readings.speakers], [*readings.texts]])
    vectors = np.concatenate([(of[:, None] == np.unique(of)).astype(np.float32) for of in names], axis=1)

    row = bench.row(LAYER, vectors, bench.probe(vectors))

    assert row.auc.value == pytest.approx(0.5, abs=0.1)


def swept(bench: Bench, before: Vectors, after: Vectors) -> SweepRow:
    """The row of synthetic takes."""
    row, of_real = sweep_rows(
        "marked", bench, {LAYER: bench.probe(before)}, before={LAYER: before}, after={LAYER: after}
    )
    assert (row.kind, of_real.kind, of_real.auc_anew, of_real.auc_both_anew) == ("synthetic", "real", None, None)
    return row


def told(bench: Bench, *, is_destroyed: bool) -> SweepRow:
    """A perturbation that leaves a mark on all that it touches, and what was planted or nothing of it."""
    before = noise(bench.readings)
    after = before.copy()
    before[bench.readings.is_synthetic, :8] += 3.0
    after[bench.readings.is_synthetic, :8] += 0.0 if is_destroyed else 3.0
    after[:, 8:16] += 3.0
    return swept(bench, before, after)


def test_a_perturbation_that_destroys_the_signal_is_seen_beneath_the_mark_that_it_leaves(bench: Bench) -> None:
    row = told(bench, is_destroyed=True)

    assert row.auc_anew is not None
    assert row.auc_anew.value > 0.95
    for found in (row.auc_both, row.auc_both_anew):
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0.5 < found.high


def test_a_perturbation_that_only_leaves_a_mark_destroys_nothing(bench: Bench) -> None:
    row = told(bench, is_destroyed=False)

    for found in (row.auc_anew, row.auc_both, row.auc_both_anew):
        assert found is not None
        assert found.value > 0.95


def test_what_only_a_new_probe_can_tell_is_not_destroyed(bench: Bench) -> None:
    """A perturbation that moves the signal to where the old probe does not look."""
    before = noise(bench.readings)
    after = before.copy()
    before[bench.readings.is_synthetic, :8] += 3.0
    after[bench.readings.is_synthetic, 8:16] += 3.0

    row = swept(bench, before, after)

    assert row.auc_both is not None
    assert row.auc_both_anew is not None
    assert row.auc_both.value < 0.75
    assert row.auc_both_anew.value > 0.95


def test_takes_of_another_length_are_told_apart_without_a_model(bench: Bench) -> None:
    random = np.random.default_rng(0)
    seconds = random.uniform(1.0, 2.0, len(bench.readings.members)) * np.where(bench.readings.is_synthetic, 1.0, 2.2)
    waves = [random.normal(0, 0.1, int(16_000 * s)).astype(np.float32) for s in seconds]

    row = bench.row(Layer("surface"), (vectors := surface(waves)), bench.probe(vectors))

    assert row.width == 4
    assert row.auc.value > 0.95


def test_the_surface_of_a_wave_is_what_was_put_into_it() -> None:
    tone = np.sin(np.arange(16_000) * 0.3).astype(np.float32)
    wave = np.concatenate([tone, np.zeros(16_000, np.float32)])

    ((duration, level, spread, silence),) = surface([wave])

    assert duration == pytest.approx(np.log(2.0))
    assert level == pytest.approx(10 * np.log10(0.5), abs=0.1)
    assert spread == pytest.approx(0, abs=0.1)
    assert silence == pytest.approx(0.5, abs=0.02)


def test_random_labels_are_as_many_of_either_kind_in_each_text(bench: Bench) -> None:
    readings = bench.readings
    labels = shuffled(readings)

    for text in set(readings.texts):
        of_text = np.array([text == other for other in readings.texts])
        assert labels[of_text].sum() == readings.is_synthetic[of_text].sum()
    assert (labels != readings.is_synthetic).any()


def test_one_speaker_of_a_kind_is_too_few() -> None:
    with pytest.raises(ReleaseError, match="1 real and 4 synthetic speakers"):
        Bench.of(made(real=1), groups=3, replicates=10)


def test_a_few_takes_of_each_kind_are_of_the_same_texts() -> None:
    members = made(texts=30).members

    few = paired(members, members, most=8)

    assert (few.counts(synthetic=False)[0], few.counts(synthetic=True)[0]) == (8, 8)
    assert len(set(few.texts)) == 8


def test_takes_without_a_text_in_common_are_refused() -> None:
    real = [make_member(0, is_synthetic=False)]
    synthetic = [make_member(1)]

    with pytest.raises(ReleaseError, match="1 real takes have 1 texts, 1 synthetic ones 1 others"):
        paired(real, synthetic, most=5)
