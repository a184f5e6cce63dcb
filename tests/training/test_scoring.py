"""Hypotheses held against references, and corpus figures of them; jiwer is the oracle of word errors."""

import re
from dataclasses import replace
from typing import Any

import jiwer
import numpy as np
import pytest

from catalogs.records import Hypothesis, Slot
from training.answering import Answer
from training.evaluation.figures import Subset, subsets
from training.evaluation.references import Reference
from training.evaluation.scoring import missed, num_misspelt, num_sayable, score, written_in

WORDS = ("tea", "milk", "cake", "kitchen", "light", "please", "stop", "morning")


def pairs(number: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """References of one word at least, and hypotheses that may be empty."""
    random = np.random.default_rng(seed)
    lengths = zip(random.integers(1, 12, number), random.integers(0, 12, number), strict=True)
    return [(" ".join(random.choice(WORDS, a)), " ".join(random.choice(WORDS, b))) for a, b in lengths]


def scored(members: Any, texts: list[tuple[str, str]]) -> tuple[list[Reference], list[Hypothesis]]:
    references = [
        Reference(replace(members[n % 60], take_id=f"take-{n:04d}", text=wanted, spoken=wanted), slices={})
        for n, (wanted, _) in enumerate(texts)
    ]
    rows = [
        score("evaluation", reference, Answer(reference.member.take_id, heard, 0, hit_limit=False))
        for reference, (_, heard) in zip(references, texts, strict=True)
    ]
    return references, rows


def test_errors_are_those_of_jiwer(members: Any) -> None:
    texts = pairs(400)

    _, rows = scored(members, texts)

    for (wanted, heard), row in zip(texts, rows, strict=True):
        words, characters = jiwer.process_words(wanted, heard), jiwer.process_characters(wanted, heard)
        counts = (words.substitutions, words.insertions, words.deletions)
        assert (row.substitutions, row.insertions, row.deletions) == counts
        assert row.wer == pytest.approx(words.wer)
        assert row.cer == pytest.approx(characters.cer)
        assert row.length_ratio == pytest.approx(len(heard.split()) / len(wanted.split()))


def test_corpus_figures_are_those_of_jiwer_and_not_means_of_utterances(members: Any) -> None:
    texts = pairs(200, seed=1)
    wanted, heard = (list(side) for side in zip(*texts, strict=True))

    (found,) = subsets(*scored(members, texts), number=200)

    figures = {figure.name: figure.value for figure in found.figures}
    words = jiwer.process_words(wanted, heard)
    num_words = words.hits + words.substitutions + words.deletions
    assert figures["wer"] == pytest.approx(words.wer)
    assert figures["insertions"] == pytest.approx(words.insertions / num_words)
    assert figures["deletions"] == pytest.approx(words.deletions / num_words)
    assert figures["cer"] == pytest.approx(jiwer.cer(wanted, heard))
    assert found.num_words == num_words


def test_slices_part_all_utterances(members: Any) -> None:
    references, rows = scored(members, pairs(40, seed=2))
    references = [replace(r, slices={"place": "home" if n % 4 else "out"}) for n, r in enumerate(references)]

    every, home, out = subsets(references, rows, number=50, by=["place"])

    assert [home.name, out.name] == ["place=home", "place=out"]
    assert (every.num_utterances, home.num_utterances, out.num_utterances) == (40, 30, 10)
    assert wer(every) * every.num_words == pytest.approx(wer(home) * home.num_words + wer(out) * out.num_words)


def wer(subset: Subset) -> float:
    return next(figure.value for figure in subset.figures if figure.name == "wer")


def test_a_text_may_be_heard_as_written_or_as_spoken(members: Any) -> None:
    member = replace(members[0], text="Dr. No, 24/7", spoken="doctor no, twenty four seven")
    answers = ("doctor no twenty four seven", "dr no 24/7")

    rows = [score("e", Reference(member), Answer(member.take_id, text, 0, hit_limit=False)) for text in answers]

    assert [row.wer for row in rows] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("labels", "heard", "lost"),
    [
        ({"drink": "Iced Coffee"}, "an iced coffee please", ()),
        ({"drink": "iced coffee"}, "ice coffee please", ("drink=iced coffee",)),
        ({"shots": "two"}, "with 2 shots", ()),
        ({"size": "small"}, "smaller", ("size=small",)),
        ({"first": "tea", "second": "tea"}, "a tea", ("second=tea",)),
        ({"first": "tea", "second": "tea"}, "a tea and a tea", ()),
        ({"pin": "4 5 6"}, "it is four five six", ()),
        ({"pin": "four five six"}, "it is 4 5 6", ()),
        ({"pin": "four five six", "again": "4 5 6"}, "it is 4 5 6", ("again=4 5 6",)),
        ({"cups": "4"}, "4 5 or 6", ()),
        ({"pin": "4 5 6"}, "it is four five seven", ("pin=4 5 6",)),
        ({"empty": "[noise]"}, "nothing", ()),
        ({}, "nothing", ()),
    ],
)
def test_a_value_is_heard_if_its_words_are(labels: dict[str, str], heard: str, lost: tuple[str, ...]) -> None:
    slots = [Slot(name, value) for name, value in labels.items()]

    assert missed(slots, heard, language="en") == lost
    assert num_sayable(slots, "en") == sum(value != "[noise]" for value in labels.values())


def test_recall_counts_values_and_not_utterances(members: Any) -> None:
    labels = [("tea", "milk"), ("cake",), ()]
    references = [
        Reference(replace(members[n], text="x", spoken="x"), entities=tuple(Slot("what", v) for v in values))
        for n, values in enumerate(labels)
    ]
    rows = [
        score("e", r, Answer(r.member.take_id, "tea and milk", 0, hit_limit=n == 0)) for n, r in enumerate(references)
    ]

    (found,) = subsets(references, rows, number=50)

    figures = {figure.name: figure for figure in found.figures}
    assert figures["entity_recall"].value == pytest.approx(2 / 3)
    assert figures["hit_limit"].value == pytest.approx(1 / 3)
    assert "slot_recall" not in figures


def test_what_is_alike_for_all_has_no_interval(members: Any) -> None:
    pairs = [("a cup of tea", "a cup of tea")] * 5
    references, rows = scored([replace(m, speaker=str(n)) for n, m in enumerate(members)], [*pairs, ("tea", "tea")])
    worse = [*rows[:-1], replace(rows[-1], substitutions=1)]

    (found,), (apart,) = (subsets(references, each, number=200) for each in (rows, worse))

    of = [{figure.name: figure for figure in subset.figures}["wer"] for subset in (found, apart)]
    assert (of[0].value, of[0].low, of[0].high) == (0.0, None, None)
    assert of[1].low == 0.0
    assert of[1].high is not None
    assert of[1].high > of[1].value > 0


def test_the_same_hypotheses_have_the_same_intervals(members: Any) -> None:
    one, other = (subsets(*scored(members, pairs(50)), number=300) for _ in range(2))

    assert one == other


@pytest.mark.parametrize(
    ("values", "text", "heard", "written", "misspelt"),
    [
        (["latte"], "Latte, please.", "Latte please", [("Latte",)], 0),
        (["latte"], "Latte, please.", "latte please", [("Latte",)], 1),
        (["co-codamol"], "Take co-codamol.", "take cocodamol", [("co", "-", "codamol")], 1),
        (["jazz"], "2 teas", "two teas", [], 0),
        (["tea", "tea"], "tea with tea", "tea with milk", [("tea",), ("tea",)], 1),
        (["metformin", "aspirin"], "metformin, aspirin", "Metformin aspirin", [("metformin",), ("aspirin",)], 1),
        (["art"], "art", "a cart", [("art",)], 1),
        (["$5"], "pay $5.", "pay $5.50", [("$", "5")], 1),
        (["1,000"], "pay 1,000", "pay 1,000,000", [("1,000",)], 1),
        (["1,000"], "pay 1,000, please", "pay 1,000.", [("1,000",)], 0),
        (["3"], "at 3:30", "at 3:30", [("3",)], 0),
        (["कि"], "वह कि आया", "वह किताब आया", [("कि",)], 1),
        (["café"], "the café", "the cafe\u0301", [("café",)], 0),
    ],
)
def test_values_are_heard_as_the_text_writes_them_or_not_at_all(
    members: Any, values: list[str], text: str, heard: str, written: list[Any], misspelt: int
) -> None:
    said = replace(members[0], text=text, spoken=text)

    found = written_in([Slot("label", value) for value in values], said)

    assert found == [(each,) for each in written]
    assert num_misspelt(found, heard) == misspelt


@pytest.mark.parametrize(
    ("value", "text", "spoken", "written"),
    [
        ("twelve ounce", "a 12 ounce, please", "a 12 ounce, please", ["12 ounce", "twelve ounce"]),
        ("Twelve ounce", "a 12-ounce latte", "a twelve ounce latte", ["12-ounce", "twelve ounce"]),
        ("twelve ounce", "a twelve ounce latte", "a twelve ounce latte", ["twelve ounce"]),
        ("five dollars", "it is $5.", "it is five dollars", ["$5", "five dollars"]),
        ("four five", "it is 4 5.", "it is four five", ["4 5", "four five"]),
        ("twenty", "twenty four cups", "twenty four cups", ["twenty"]),
        ("20", "twenty four cups", "twenty four cups", []),
        ("deux cafés", "2 x café", "deux cafés", ["deux cafés"]),
        ("!", "a 12 ounce", "a 12 ounce", []),
    ],
)
def test_a_value_that_the_text_writes_otherwise_may_be_written_in_each_way_of_the_reference(
    members: Any, value: str, text: str, spoken: str, written: list[str]
) -> None:
    found = written_in([Slot("label", value)], replace(members[0], text=text, spoken=spoken))

    assert [" ".join(way) for ways in found for way in ways] == [" ".join(re.findall(r"\w+|\S", w)) for w in written]
    for way in written:
        assert num_misspelt(found, f"well, {way} it is") == 0
        assert num_misspelt(found, f"well, {way[:-1]} it is") == 1
    assert num_misspelt(found * 2, f"{written[0]} or {written[-1]}" if written else "") == 0


def test_spelling_counts_in_the_error_and_not_in_the_recall(members: Any) -> None:
    entity = (Slot("drug", "Aspirin"),)
    wanted, heard = "Take Aspirin now", "take aspirin now"
    references, rows = scored(members, [(wanted, heard), (wanted, wanted)])
    references = [replace(reference, entities=entity) for reference in references]
    rows = [
        score("evaluation", r, Answer(row.take_id, row.text, 0, hit_limit=False))
        for r, row in zip(references, rows, strict=True)
    ]

    (every,) = subsets(references, rows, number=50)

    figures = {figure.name: figure.value for figure in every.figures}
    assert (figures["entity_error"], figures["entity_recall"]) == (0.5, 1.0)
    assert "slot_error" not in figures


def test_a_size_in_figures_counts_among_the_slots(members: Any) -> None:
    size, drink = Slot("size", "twelve ounce"), Slot("drink", "latte")
    heard = ("a twelve ounce latte", "a 12 ounce latte", "a 20 ounce latte", "a twelve ounces latte")
    references, rows = scored(members, [("a 12 ounce latte", text) for text in heard])
    references = [replace(reference, slots=(size, drink)) for reference in references]

    (every,) = subsets(references, rows, number=50)

    assert {figure.name: figure.value for figure in every.figures}["slot_error"] == 2 / 8
