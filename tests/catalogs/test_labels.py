"""A text has one set of labels in a corpus, and whatever says otherwise is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs import takes
from catalogs.labels import add_prompts, is_held_out, merged
from catalogs.records import Prompt, Slot

TEA = Prompt(Prompt.id_of("tea", "en"), "tea", "en")
BARE = replace(TEA, id=Prompt.id_of("water", "en"), text="water")
SPLITS = st.sampled_from([None, "train", "train-clean", "dev", "test"])


def stored(studio: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = studio.catalog.lake.rows(
        "SELECT split, domain, intent, slots, entities FROM prompt WHERE text = 'tea'"
    )
    return rows


def test_what_a_text_lacks_is_filled_in(studio: Any) -> None:
    labelled = replace(
        TEA, split="dev", domain="bar", intent="order", slots=(Slot("a", "b"),), entities=(Slot("c", "d"),)
    )

    told = [add_prompts(studio.catalog, [row]) for row in (TEA, labelled, TEA)]

    assert told == [{}, {}, {}]
    assert stored(studio) == [("dev", "bar", "order", {"a": "b"}, [{"name": "c", "value": "d"}])]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("splits", [("train", "test"), ("test", "train")])
def test_a_text_that_is_held_out_anywhere_is_held_out_and_told(
    studio: Any, splits: tuple[str, str], at_once: bool
) -> None:
    rows = [replace(TEA, split=split) for split in splits]

    told = add_prompts(studio.catalog, rows if at_once else rows[:1])
    if not at_once:
        told = add_prompts(studio.catalog, rows[1:])

    assert [row[0] for row in stored(studio)] == ["test"]
    assert list(told) == rows[1:]
    assert "the text 'tea' is stored with split 'test', not 'train'" in told[rows[1]]


def test_other_labels_are_told_and_the_first_stay(studio: Any) -> None:
    slots = (Slot("drink", "tea"), Slot("size", "small"))
    first = replace(TEA, domain="bar", intent="order", slots=slots)
    add_prompts(studio.catalog, [first, BARE])

    told = add_prompts(studio.catalog, [replace(first, intent="offer", slots=slots[::-1]), BARE])

    (sentence,) = told.values()
    assert sentence.startswith("the text 'tea' is stored with intent 'order', not 'offer'; ")
    assert stored(studio)[0][1:3] == ("bar", "order")
    assert studio.catalog.count("prompt") == 2


def test_takes_that_are_there_follow_their_text(studio: Any) -> None:
    studio.record([1])
    takes.flatten(studio.catalog.lake)
    (prompt_id, text) = studio.catalog.lake.rows("SELECT prompt_id::VARCHAR, text FROM takes")[0]

    add_prompts(studio.catalog, [Prompt(prompt_id, text, "en", split="test")])

    assert studio.catalog.lake.rows("SELECT split FROM takes") == [("test",)]


@given(st.lists(SPLITS, min_size=1, max_size=5))
def test_a_text_is_held_out_whatever_the_order_of_its_rows(splits: list[str | None]) -> None:
    text = TEA
    for split in splits:
        text = merged(text, replace(TEA, split=split))

    assert is_held_out(text.split) == any(is_held_out(split) for split in splits)
    assert (text.split is None) == (set(splits) == {None})
