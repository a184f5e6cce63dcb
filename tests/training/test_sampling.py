from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.errors import TrainingError
from training.members import Member
from training.sampling import Draw, Epochs, SamplingConfig

from .conftest import make_member

MEMBERS = [make_member(number, is_synthetic=number % 3 > 0) for number in range(60)]
CONFIG = SamplingConfig(batch_s=12.0, buckets=3)


def drawn(
    config: SamplingConfig = CONFIG, *, epoch: int = 0, epochs: int = 3, seed: int = 0, variants: int = 0
) -> list[list[Draw]]:
    return list(Epochs(MEMBERS, config, seed=seed, epochs=epochs, variants=variants).batches(epoch))


def real_share(batches: list[list[Draw]]) -> float:
    draws = [draw for batch in batches for draw in batch]
    return sum(not draw.member.is_synthetic for draw in draws) / len(draws)


def test_an_epoch_has_every_utterance_once_within_the_seconds_of_a_batch() -> None:
    batches = drawn()

    assert Counter(draw.member.take_id for batch in batches for draw in batch) == Counter(m.take_id for m in MEMBERS)
    assert all(sum(draw.member.duration_s for draw in batch) <= CONFIG.batch_s for batch in batches)


def test_utterances_of_like_length_are_together() -> None:
    def padding(batches: list[list[Draw]]) -> float:
        lengths = [[draw.member.duration_s for draw in batch] for batch in batches]
        return sum(max(batch) * len(batch) - sum(batch) for batch in lengths)

    assert padding(drawn()) < 0.6 * padding(drawn(replace(CONFIG, buckets=1)))


def test_an_epoch_is_the_same_again_and_another_is_not() -> None:
    assert drawn() == drawn()
    assert drawn(epoch=1) != drawn()
    assert drawn(seed=1) != drawn()


@settings(max_examples=20, deadline=None)
@given(first=st.floats(0, 1), last=st.floats(0, 1), size=st.integers(10, 150), epochs=st.integers(1, 4))
def test_the_share_of_real_speech_goes_in_a_line_from_the_first_epoch_to_the_last(
    first: float, last: float, size: int, epochs: int
) -> None:
    config = replace(CONFIG, real=(first, last), size=size)

    for epoch in range(epochs):
        draws = Epochs(MEMBERS, config, seed=0, epochs=epochs).plan(epoch)
        wanted = first + (last - first) * (epoch / (epochs - 1) if epochs > 1 else 0)
        assert len(draws) == size
        assert sum(not draw.member.is_synthetic for draw in draws) == round(wanted * size)
        counts = Counter(draw.member.take_id for draw in draws if not draw.member.is_synthetic)
        assert not counts or max(counts.values()) - min(counts.values()) <= 1 or len(counts) < 20


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_handful_of_utterances_is_an_epoch_too(count: int) -> None:
    batches = list(Epochs(MEMBERS[:count], CONFIG, seed=0, epochs=1).batches(0))

    assert sum(map(len, batches)) == count


def test_steps_hear_so_many_utterances_however_long_they_are() -> None:
    config = replace(CONFIG, batch_s=1e6, batch_takes=7, buckets=1)

    lengths = [len(batch) for batch in Epochs(MEMBERS, config, seed=0, epochs=1).batches(0)]

    assert set(lengths[:-1]) == {7}
    assert sum(lengths) == len(MEMBERS)


def test_readings_of_the_same_texts_by_others_are_heard_in_the_same_order() -> None:
    config = SamplingConfig(batch_s=1e6, batch_takes=4, buckets=1, order="texts")
    texts = [f"text {number}" for number in range(30)]

    def heard(*, is_synthetic: bool) -> list[list[str]]:
        members = [make_member(n + 50 * is_synthetic, is_synthetic=is_synthetic) for n in range(len(texts))]
        ordered = reversed(members) if is_synthetic else members  # by another id each
        said = [replace(member, text=text) for member, text in zip(ordered, texts, strict=True)]
        epochs = Epochs(sorted(said, key=lambda member: member.take_id), config, seed=3, epochs=2)
        return [[draw.member.text for draw in batch] for epoch in range(2) for batch in epochs.batches(epoch)]

    real = heard(is_synthetic=False)

    assert real == heard(is_synthetic=True)
    assert real[: len(real) // 2] != real[len(real) // 2 :]


def test_a_share_of_speech_that_is_not_there_is_refused() -> None:
    synthetic = [member for member in MEMBERS if member.is_synthetic]

    with pytest.raises(TrainingError, match=r"asks for real speech"):
        Epochs(synthetic, replace(CONFIG, real=(0.0, 0.5)), seed=0, epochs=2)


def test_an_epoch_hears_one_of_the_planned_variants_of_a_take() -> None:
    heard: dict[str, set[int]] = {}
    for epoch in range(8):
        for batch in drawn(epoch=epoch, epochs=8, variants=2):
            for draw in batch:
                heard.setdefault(draw.member.take_id, set()).add(draw.variant)

    assert set().union(*heard.values()) == {0, 1, 2}
    assert sum(len(variants) == 3 for variants in heard.values()) > 40
    assert drawn(variants=2) == drawn(variants=2)


@pytest.mark.parametrize("steps", [None, 1, 7, 1000])
def test_a_schedule_is_of_what_the_steps_hear(steps: int | None) -> None:
    epochs = Epochs(MEMBERS, CONFIG, seed=0, epochs=3, variants=2)
    batches = [list(epochs.batches(epoch)) for epoch in range(3)]
    whole = sum(-(-len(each) // 2) for each in batches)

    taken, draws = epochs.schedule(2, steps=steps)

    assert taken == min(whole, steps or whole)
    assert draws == [draw for each in batches for batch in each for draw in batch][: len(draws)]
    if taken == whole:
        assert len(draws) == 3 * len(MEMBERS)
    elif taken == 1:
        assert draws == batches[0][0] + batches[0][1]


def test_draws_of_one_epoch_have_ids_of_their_own() -> None:
    config = replace(CONFIG, real=(1.0, 1.0), size=50)

    ids = [draw.id for batch in drawn(config) for draw in batch]

    assert len(ids) == len(set(ids)) == 50
    assert real_share(drawn(config)) == 1.0


def test_members_know_what_is_said() -> None:
    assert isinstance(MEMBERS[0], Member)
    assert MEMBERS[0].spoken == "good morning"
