from itertools import product

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.text import compare
from curation.words.accepted import accepted, match_accepted
from curation.words.lattice import Arc, Lattice, Match, best_match

WORDS = st.sampled_from(["a", "b", "c", "ab", "bc", "abc"])
TEXTS = st.lists(WORDS, min_size=1, max_size=8)
SLOTS = st.lists(st.lists(st.lists(WORDS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3), max_size=4)


def errors(text: str, heard: str, *, language: str = "en") -> int:
    return match_accepted([text], heard, language=language).errors.errors


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("the code is 50", "the code is five oh"),
        ("the code is 50", "the code is five zero"),
        ("in 2024 we met", "in two thousand and twenty four we met"),
        ("in twenty twenty-four we met", "in 2024 we met"),
        ("he owes $5.50", "he owes five dollars fifty"),
        ("he owes five dollars and fifty cents", "he owes five fifty"),
        ("meet me at 3:30", "meet me at half past three"),
        ("meet me at half past three", "Meet me at 3:30."),
        ("meet me at three thirty", "Meet me at 3:30."),
        ("at a quarter to four", "at 3:45"),
        ("it starts at 7:00", "it starts at seven o'clock"),
        ("see Dr. Smith", "see Doctor Smith"),
        ("12 Main Street", "12 Main St."),
        ("okay, it's fine", "ok it is fine"),
        ("turn on the smart home", "turn on the smarthome"),
        ("a type-founder", "a typefounder"),
        ("use the ATM", "use the A-T-M"),
        ("call 555-1234", "call five five five one two three four"),
        ("it is 5 km away", "it is five kilometers away"),
        ("add 1/2 cup", "add half a cup"),
        ("on 3/4/2024", "on the fourth of March 2024"),
        ("March 4th is a Monday", "the 4th of March is a Monday"),
        ("a book (printed at Mainz)", "a book printed at Mainz"),
    ],
)
def test_another_way_to_say_or_spell_it_is_no_error(text: str, heard: str) -> None:
    assert errors(text, heard) == 0


@pytest.mark.parametrize(
    ("text", "heard", "wrong"),
    [
        ("the code is 50", "the code is fifteen", 1),
        ("meet me at 3:30", "meet me at half past four", 1),
        ("turn on the smart home", "turn on the smart phone", 1),
        ("turn it on", "turn turn it on", 1),
        ("see Doctor Smith", "see Mister Smith", 1),
    ],
)
def test_a_wrong_word_stays_an_error(text: str, heard: str, wrong: int) -> None:
    assert errors(text, heard) == wrong


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Es kostet 24 Euro", "Es kostet vierundzwanzig Euro"),
        ("Es kostet vierundzwanzig Euro", "Es kostet 24 Euro"),
        ("Das ist ein Haustürschlüssel", "Das ist ein Haustür Schlüssel"),
    ],
)
def test_german_numbers_and_compounds_may_be_written_either_way(text: str, heard: str) -> None:
    assert errors(text, heard, language="de") == 0


def test_a_language_without_spaces_is_compared_by_graphemes() -> None:
    match = match_accepted(["สวัสดีครับ"], "สวัสดีคะ", language="th")

    assert match.errors == compare("สวัสดีครับ", "สวัสดีคะ", language="th").words


def test_the_text_as_spoken_counts_as_well() -> None:
    match = match_accepted(["CU l8r", "see you later"], "See you later!", language="en")

    assert (match.path, match.errors.errors) == (("see", "you", "later"), 0)


def test_the_kinds_of_error_are_those_of_the_best_path() -> None:
    match = match_accepted(["come at 3:30 please"], "come at half past three", language="en")

    assert (match.errors.deletions, match.errors.substitutions, match.errors.insertions) == (1, 0, 0)
    assert match.path == ("come", "at", "half", "past", "3", "please")
    assert match.lost == (5,)


def test_a_lattice_of_single_forms_counts_as_jiwer_does() -> None:
    random = np.random.default_rng(0)
    words = np.array(list("abcdefg"))
    texts = [[words[random.integers(len(words), size=random.integers(1, 15))] for _ in range(2)] for _ in range(2000)]

    for reference, hypothesis in texts:
        match = best_match(Lattice(tuple(reference.tolist()), joins=False), hypothesis.tolist())
        assert match.errors.wer == jiwer.wer(" ".join(reference), " ".join(hypothesis))


@settings(max_examples=300, deadline=None)
@given(slots=SLOTS, heard=TEXTS)
def test_the_best_path_is_no_worse_than_any_path(slots, heard: list[str]) -> None:
    found = best_match(Lattice.of_slots(slots, joins=False), heard)

    paths = [[word for form in forms for word in form] for forms in product(*slots)]
    first, counts = Match.of(paths[0], heard), [Match.of(path, heard).errors.errors for path in paths]
    assert list(found.path) in paths
    assert found.errors.errors == min(counts) or found.path == first.path
    assert found.errors.wer <= first.errors.wer


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, heard=TEXTS)
def test_words_that_are_joined_or_apart_never_make_it_worse(text: list[str], heard: list[str]) -> None:
    found = best_match(Lattice(tuple(text)), heard)

    assert found.errors.wer <= Match.of(text, heard).errors.wer
    assert "".join(found.path) == "".join(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text("ab 0123456789:./$-'", max_size=20), heard=st.text("ab 0123456789:./$-", max_size=20))
def test_an_accepted_text_never_has_more_errors_than_the_text_itself(text: str, heard: str) -> None:
    found = match_accepted([text], heard, language="en")

    plain = compare(text, heard, language="en").words
    assert not plain.length or found.errors.wer <= plain.wer


def test_a_path_may_end_inside_no_word() -> None:
    lattice = Lattice(("one", "two", "three"), (Arc(0, 2, ("both",)),), joins=False)

    assert best_match(lattice, ["both", "three"]).path == ("both", "three")


@pytest.mark.parametrize(
    ("heard", "repeated"),
    [
        ("turn turn it on", 1),
        ("turn it turn it on", 2),
        ("turn it on again", 0),
        ("turn it on on on", 2),
        ("turn it on", 0),
    ],
)
def test_words_said_again_right_after_are_counted(heard: str, repeated: int) -> None:
    assert match_accepted(["turn it on"], heard, language="en").repeated == repeated


def test_a_repetition_in_the_text_is_no_fault() -> None:
    assert match_accepted(["bye bye my love"], "bye bye my love", language="en").repeated == 0


@pytest.mark.parametrize(
    ("heard", "missing"),
    [("please turn it", 2), ("please turn it on", 1), ("please turn it up there", 0), ("turn it on now", 0), ("", 5)],
)
def test_words_missing_at_the_end_are_counted(heard: str, missing: int) -> None:
    assert match_accepted(["please turn it on now"], heard, language="en").cut_off == missing


def test_a_lattice_is_made_once_per_text() -> None:
    assert accepted("meet me at 3:30", "en") is accepted("meet me at 3:30", "en")
