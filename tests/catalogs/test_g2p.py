"""Texts become phones: by the dictionary, else as asked, and nothing is passed over in silence."""

from string import ascii_lowercase
from typing import get_args

import pytest

from catalogs.errors import UsageError
from catalogs.g2p import BOUNDARY, PHONES, Pronouncer, Unknown, cmu_dictionary
from catalogs.pronunciations import said_words

pytest.importorskip("pocketsphinx")

INVENTED = "blorptastic"


def test_known_words_are_said_as_the_dictionary_has_them() -> None:
    found = Pronouncer(unknown="refuse").pronounce("Two teas, please!")

    assert " ".join(found.phones) == "T UW | T IY Z | P L IY Z"
    assert (found.guessed, found.lost) == ((), ())


def test_the_dictionary_has_no_other_phones() -> None:
    assert {phone for phones in cmu_dictionary().values() for phone in phones} == set(PHONES)
    assert BOUNDARY not in PHONES


def test_an_unknown_word_is_read_by_its_letters() -> None:
    pytest.importorskip("hama")

    found = Pronouncer().pronounce(f"a {INVENTED} tea")

    assert found.guessed == (INVENTED,)
    assert set(found.phones) <= {*PHONES, BOUNDARY}
    assert found.phones.count(BOUNDARY) == 2


def test_an_unknown_word_can_be_spelled() -> None:
    found = Pronouncer(unknown="spell").pronounce("xqv")

    assert found.guessed == ("xqv",)
    assert " ".join(found.phones) == "EH K S K Y UW V IY"


@pytest.mark.parametrize("unknown", get_args(Unknown))
@pytest.mark.parametrize("letter", ascii_lowercase)
def test_every_letter_is_said_by_its_name(letter: str, unknown: Unknown) -> None:
    dictionary = cmu_dictionary()

    found = Pronouncer(unknown=unknown).pronounce(f"press {letter}-{letter}")

    said = [phone for phone in found.phones if phone != BOUNDARY]
    name = {"a": ("EY",), "o": ("OW",)}.get(letter, dictionary[letter])
    assert said == [*dictionary["press"], *name, *name]
    assert (found.guessed, found.lost) == ((), ())
    assert all(word in dictionary for word in said_words(f"{letter}-{letter}"))


@pytest.mark.parametrize(
    ("text", "phones"), [("press f", "P R EH S | EH F"), ("H", "EY CH"), ("plan F", "P L AE N | EH F")]
)
def test_a_letter_that_stands_alone_is_said_by_its_name(text: str, phones: str) -> None:
    assert " ".join(Pronouncer(unknown="refuse").pronounce(text).phones) == phones


def test_an_unknown_word_can_be_lost() -> None:
    found = Pronouncer(unknown="refuse").pronounce(f"a {INVENTED} tea")

    assert found.lost == (INVENTED,)
    assert " ".join(found.phones) == "AH | T IY"


@pytest.mark.parametrize(
    ("text", "lost"),
    [("at 9", ("9",)), ("an ö", ("ö",)), ("茶", ("茶",)), ("half & half, 5 %", ("&", "5", "%")), ("", ())],
)
def test_what_has_no_sound_here_is_told(text: str, lost: tuple[str, ...]) -> None:
    assert Pronouncer(unknown="refuse").pronounce(text).lost == lost


def test_another_way_with_unknown_words_is_refused() -> None:
    with pytest.raises(UsageError, match="read, spell, refuse"):
        Pronouncer(unknown="guess")  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "lost"), [("ba" * 24, ()), ("ba" * 24 + "b", ("ba" * 24 + "b",))])
def test_a_word_that_is_too_long_to_be_read_whole_is_lost(word: str, lost: tuple[str, ...]) -> None:
    pytest.importorskip("hama")

    found = Pronouncer().pronounce(f"tea {word}")

    assert found.lost == lost
    assert (found.guessed == (word,)) is not bool(lost)


def test_a_word_with_a_letter_whose_name_has_no_phones_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {word: phones for word, phones in cmu_dictionary().items() if word != "vee"}
    monkeypatch.setattr("catalogs.g2p.cmu_dictionary", lambda: known)

    found = Pronouncer(unknown="spell").pronounce("tea xqv")

    assert (found.lost, found.guessed) == (("xqv",), ())
    assert " ".join(found.phones) == "T IY"


@pytest.mark.parametrize("apostrophe", "\u2019\u2018\u02bc")
def test_typographic_apostrophes_within_words_are_plain_ones(apostrophe: str) -> None:
    pronouncer = Pronouncer(unknown="refuse")
    plain = "I don't know the driver's name"

    found = pronouncer.pronounce(plain.replace("'", apostrophe))

    assert found == pronouncer.pronounce(plain)
    assert found.lost == ()
    assert list(said_words(f"{apostrophe}tea{apostrophe} don{apostrophe}t")) == ["tea", "don't"]
