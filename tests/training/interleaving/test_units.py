"""Units and the choice of what is heard, held to properties for any words."""

from collections import Counter
from itertools import pairwise
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import TrainingError
from training.interleaving.choosing import Choosing, interleave
from training.interleaving.units import Segments, segments, words_as_units
from training.interleaving.words import Timings, Word, written


@st.composite
def timed(draw, max_size: int = 25) -> list[Word]:
    """Words with gaps of 0 to 1 s, some of which end in a mark."""
    words, at = [], 0.0
    for number in range(draw(st.integers(1, max_size))):
        start = at + draw(st.integers(0, 100)) / 100
        at = start + draw(st.integers(1, 80)) / 100
        mark = draw(st.sampled_from(["", "", ",", "."]))
        words.append(Word(f"w{number}{mark}", start, at, -draw(st.integers(0, 8)) / 1.0))
    return words


CONFIGS = st.builds(
    Choosing,
    granularity=st.sampled_from(["word", "segment", "mixed"]),
    segments=st.builds(
        Segments,
        at=st.sampled_from(["silence", "silence+punctuation"]),
        silence_s=st.floats(0, 1),
        max_s=st.floats(0.9, 8),
    ),
    word_share=st.floats(0, 1),
    entity_heard=st.none() | st.floats(0, 1),
    least_confidence=st.none() | st.floats(-8, 0),
    confidence=st.none() | st.floats(0.01, 5),
)


@given(timed(), CONFIGS, st.integers(0, 5), st.booleans())
def test_a_sequence_ends_in_text_and_holds_every_word_once(words, config, seed, heard_first) -> None:
    parts = interleave(words, config, take_id="t", seed=seed, heard_first=heard_first, entities=["w1", "w3 w4"])

    assert parts[-1].modality == "text"
    assert " ".join(part.text for part in parts) == " ".join(word.text for word in words)
    assert [index for part in parts for index in range(part.first, part.last + 1)] == list(range(len(words)))


@given(timed(), st.sampled_from(["word", "segment", "mixed"]), st.integers(0, 5))
def test_the_variants_complement_each_other_but_for_the_last_unit(words, granularity, seed) -> None:
    one, other = (
        interleave(words, Choosing(granularity), take_id="t", seed=seed, heard_first=first) for first in (True, False)
    )

    assert [part.text for part in one] == [part.text for part in other]
    assert all(a.modality != b.modality for a, b in zip(one[:-1], other[:-1], strict=True))
    assert all(a.modality != b.modality for a, b in pairwise(one[:-1]))
    assert one[-1].modality == other[-1].modality == "text"
    assert len(one) == 1 or one[0].modality == "speech"


@given(timed(), st.floats(0.9, 8), st.sampled_from(["silence", "silence+punctuation"]), st.floats(0, 1))
def test_segments_are_never_too_long(words, max_s, at, silence_s) -> None:
    found = segments(words, Segments(at=at, silence_s=silence_s, max_s=max_s))

    assert all(unit.duration_s <= max_s + 1e-4 for unit in found)
    assert " ".join(unit.text for unit in found) == " ".join(word.text for word in words)


def test_segments_end_at_silences_and_at_marks() -> None:
    words = [Word("well,", 0, 0.3), Word("turn", 0.3, 0.5), Word("it", 0.8, 0.9), Word('off."', 0.9, 1.2)]

    by_silence = segments(words, Segments(at="silence", silence_s=0.25))
    by_marks = segments(words, Segments(silence_s=0.25))

    assert [unit.text for unit in by_silence] == ["well, turn", 'it off."']
    assert [unit.text for unit in by_marks] == ["well,", "turn", 'it off."']


@pytest.mark.parametrize(
    "end", ["।", "。", "，", "、", "；", "：", "？", "！", "؟", "،", "؛", "–", "。」", "!«", "。）", "؟»"]
)
def test_segments_end_at_the_marks_of_any_script(end: str) -> None:
    words = [Word(f"w{end}", 0, 1), Word("x)", 1, 2), Word("y", 2, 3)]

    found = segments(words, Segments())

    assert [unit.text for unit in found] == [f"w{end}", "x) y"]


@given(st.text(alphabet="ab.,;:!?…—-%'\"”’»)]", min_size=1, max_size=6))
def test_english_words_end_segments_as_they_always_have(text: str) -> None:
    found = segments([Word(text, 0, 1), Word("end", 1, 2)], Segments())

    assert len(found) == 1 + (text.rstrip("\"'”’»)]")[-1:] in tuple(".,;:!?…—"))


@given(st.integers(0, 2000), st.integers(0, 100))
def test_a_pause_or_length_in_single_precision_counts_as_what_it_was(start: int, pause: int) -> None:
    moments = [start / 100, start / 100 + 0.3, start / 100 + 0.3 + pause / 100, start / 100 + 0.6 + pause / 100]
    a, b, c, d = np.array(moments, np.float32).tolist()
    words = [Word("a", a, b), Word("b", c, d)]

    assert len(segments(words, Segments(silence_s=pause / 100))) == 2
    assert len(segments(words, Segments(silence_s=pause / 100 + 0.001))) == 1
    assert len(segments(words, Segments(silence_s=2, max_s=0.6 + pause / 100))) == 1
    assert len(segments(words, Segments(silence_s=2, max_s=0.599 + pause / 100))) == 2


def test_a_long_segment_is_parted_at_its_widest_gap() -> None:
    words = [Word("a", 0, 1), Word("b", 1, 2), Word("c", 2.1, 3), Word("d", 3, 4)]

    found = segments(words, Segments(silence_s=1, max_s=2))

    assert [unit.text for unit in found] == ["a b", "c d"]


def test_one_seed_gives_one_sequence_and_takes_differ() -> None:
    words = [Word(f"w{number}", number, number + 0.5) for number in range(12)]
    config = Choosing(granularity="word", entity_heard=0.5)
    entities = [word.text for word in words]

    def drawn(take_id: str, seed: int) -> list[str]:
        parts = interleave(words, config, take_id=take_id, seed=seed, heard_first=True, entities=entities)
        return [part.modality for part in parts]

    assert drawn("a", 1) == drawn("a", 1)
    assert len({tuple(drawn(take_id, seed)) for take_id in "abc" for seed in (1, 2)}) > 1


@pytest.mark.parametrize(("probability", "modality"), [(1.0, "speech"), (0.0, "text")])
def test_entities_are_heard_as_often_as_is_asked(probability, modality) -> None:
    texts = ["send", "Aunt", "May,", "a", "card", "now"]
    words = [Word(text, number, number + 0.5) for number, text in enumerate(texts)]
    config = Choosing(granularity="word", entity_heard=probability)

    for heard_first in (True, False):
        parts = interleave(words, config, take_id="t", seed=0, heard_first=heard_first, entities=["aunt may"])
        assert {part.modality for part in parts[1:3]} == {modality}


@pytest.mark.parametrize(
    ("text", "entity", "heard"),
    [
        ("is Anna's order here", "Anna", {"Anna's"}),
        ("take Ben-Ali home now", "ben ali", {"Ben-Ali"}),
        ("an A-T-M is there", "ATM", {"A-T-M"}),
        ("मुझे पीना है अब", "पानी", set()),
        ("मुझे पानी, दो अब", "पानी", {"पानी,"}),
        ("मुझे पानी दो अब", "पान", set()),
        ("go to cafe\u0301 one now", "café one", {"cafe\u0301", "one"}),
    ],
)
def test_entities_are_found_by_their_letters_and_vowels(text: str, entity: str, heard: set[str]) -> None:
    words = [Word(token, number, number + 0.5) for number, token in enumerate(text.split())]
    config = Choosing(granularity="word", entity_heard=1.0)

    parts = interleave(words, config, take_id="t", seed=0, heard_first=True, entities=[entity])
    others = interleave(words, config, take_id="t", seed=0, heard_first=False, entities=[entity])

    both = {one.text for one, other in zip(parts, others, strict=True) if one.modality == other.modality == "speech"}
    assert both == heard


def test_a_badly_timed_unit_is_read() -> None:
    words = [Word("one", 0, 1, -1.0), Word("two", 1, 2, -9.0), Word("three", 2, 3, -9.0), Word("four", 3, 4, -1.0)]
    config = Choosing(granularity="word", least_confidence=-5.0)

    parts = [interleave(words, config, take_id="t", seed=0, heard_first=first) for first in (True, False)]

    assert [[part.modality[0] for part in each] for each in parts] == [["s", "t", "t", "t"], ["t", "t", "t", "t"]]


def test_a_unit_is_heard_the_less_often_the_worse_it_is_timed() -> None:
    words = [Word("well", 0, 1, 0.0), Word("worse", 1, 2, -0.7), Word("badly", 2, 3, -7.0), Word("end", 3, 4, 0.0)]
    config = Choosing(granularity="word", confidence=2.0)

    def heard(seed: int) -> list[str]:
        sequences = [interleave(words, config, take_id="t", seed=seed, heard_first=first) for first in (True, False)]
        return [part.text for parts in sequences for part in parts if part.modality == "speech"]

    counts = Counter(text for seed in range(400) for text in heard(seed))
    assert counts["well"] == 400
    assert counts["worse"] / 400 == pytest.approx(exp(-1.4), abs=0.07)
    assert counts["badly"] == 0
    assert heard(3) == heard(3)


@given(timed(), st.sampled_from(["word", "segment", "mixed"]), st.integers(0, 5))
def test_weighing_by_confidence_only_reads_what_would_have_been_heard(words, granularity, seed) -> None:
    plain, weighed = (
        interleave(words, Choosing(granularity, confidence=weight), take_id="t", seed=seed, heard_first=True)
        for weight in (None, 0.5)
    )

    assert [part.text for part in weighed] == [part.text for part in plain]
    assert all(one.modality in (other.modality, "text") for one, other in zip(weighed, plain, strict=True))


def test_written_words_have_the_times_of_what_is_said() -> None:
    spoken = [
        Word(text, number, number + 1.0, -number)
        for number, text in enumerate(["it", "costs", "five", "dollars,", "I", "say."])
    ]

    words = written("It costs $5, I say.", spoken)

    assert [(word.text, word.start_s, word.end_s) for word in words] == [
        ("It", 0, 1), ("costs", 1, 2), ("$5,", 2, 4), ("I", 4, 5), ("say.", 5, 6),
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["a", "b", "c", "1", "2"]), min_size=1), timed(8))
def test_every_written_word_is_there_once_and_in_order(tokens, spoken) -> None:
    words = written(" ".join(tokens), spoken)

    assert " ".join(word.text for word in words).split() == tokens
    moments = [moment for word in words for moment in (word.start_s, word.end_s)]
    assert moments == sorted(moments)


@given(timed())
def test_units_of_words_are_the_words(words) -> None:
    assert [(unit.text, unit.start_s, unit.end_s) for unit in words_as_units(words)] == [
        (word.text, word.start_s, word.end_s) for word in words
    ]


@pytest.mark.parametrize("row", [((), (), (), ()), (("a",), (0.0,), (), (0.0,)), (("a", "b"), (0, 1), (2, 3), (0, 0))])
def test_broken_timings_are_refused(row) -> None:
    with pytest.raises(TrainingError, match=r"^take 7 of a corpus has .*measure the family timing again"):
        Timings(*row).words(of="take 7 of a corpus")


@pytest.mark.parametrize(
    "make", [lambda: Segments(max_s=0), lambda: Segments(silence_s=-1), lambda: Choosing(word_share=2),
             lambda: Choosing(entity_heard=-0.1), lambda: Choosing(least_confidence=1),
             lambda: Choosing(confidence=0)],
)  # fmt: skip
def test_settings_are_checked(make) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()
