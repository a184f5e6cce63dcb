"""The sequence that an SLU decoder writes: read back without loss, and whatever is written is read somehow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.records import Slot
from training.labels import Labels
from training.slu.sequence import Meaning, parse, render, rendered, understood

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


def test_values_are_written_as_they_are_said_and_those_that_are_not_said_last() -> None:
    labels = Labels("order", (Slot("milk", "yes"), Slot("drink", "Tea"), Slot("size", "small")))

    written = rendered("a small tea with it", labels)

    assert written == "order|size=small;drink=Tea;milk=yes|a small tea with it"
    transcript, found = understood(written)
    assert (transcript, found.intent, set(found.values)) == ("a small tea with it", "order", set(labels.values))


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
