"""The sequence that an SLU decoder writes: read back without loss, and whatever is written is read somehow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.records import Slot
from training.slu.sequence import Meaning, parse, render

TEXTS = st.text(st.sampled_from("ab |;=\\\n'é"), max_size=8)
MEANINGS = st.builds(
    Meaning, st.none() | TEXTS.filter(bool), st.lists(st.builds(Slot, TEXTS, TEXTS), max_size=4).map(tuple), TEXTS
)


@given(MEANINGS)
def test_a_sequence_is_read_back_without_loss(meaning: Meaning) -> None:
    assert parse(render(meaning)) == meaning


@given(TEXTS)
def test_anything_can_be_read_and_then_stays_what_it_is(text: str) -> None:
    once = parse(text)

    assert parse(render(once)) == once


def test_intent_and_values_come_before_the_transcript() -> None:
    order = Meaning("order", (Slot("size", "small"), Slot("drink", "tea")), "a small tea")

    assert render(order) == "order|size=small;drink=tea|a small tea"
    assert render(Meaning(None, (), "a|b")) == r"||a\|b"


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("", Meaning(None, (), "")),
        ("order", Meaning("order", (), "")),
        ("order|size=sm", Meaning("order", (Slot("size", "sm"),), "")),
        ("order|size;drink=tea=hot;|tea|please", Meaning("order", (Slot("drink", "tea=hot"),), "tea|please")),
    ],
)
def test_of_what_is_malformed_there_is_what_can_be_read(written: str, meaning: Meaning) -> None:
    assert parse(written) == meaning
