"""German and Dutch text has one form of its numbers; the number words of num2words are the oracle."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from num2words import num2words

from catalogs.numerals import DUTCH, GERMAN, NUMERALS
from catalogs.text import compare, normalise

BELOW_A_MILLION = st.integers(min_value=0, max_value=999_999).filter(lambda number: number != 1)
LANGUAGES = st.sampled_from(sorted(NUMERALS))


@settings(deadline=None)
@given(number=BELOW_A_MILLION, language=LANGUAGES)
def test_a_number_in_words_is_the_number_in_digits(number: int, language: str) -> None:
    words = num2words(number, lang=language)

    assert normalise(f"x {words} y", language) == f"x {number} y"


@settings(deadline=None)
@given(number=st.integers(min_value=1, max_value=9_999))
def test_a_german_rank_is_its_number_whatever_its_ending(number: int) -> None:
    rank = num2words(number, lang="de", to="ordinal")

    for ending in ("", "n", "r", "s", "m"):
        assert normalise(rank + ending, "de") == str(number)


@pytest.mark.parametrize("number", [*range(2, 32), 100, 101, 103, 108, 123])
def test_a_dutch_rank_is_its_number(number: int) -> None:
    assert normalise(num2words(number, lang="nl", to="ordinal"), "nl") == str(number)


@settings(deadline=None)
@given(number=st.integers(min_value=1_000_000, max_value=999_999_999_999), language=LANGUAGES)
def test_millions_are_the_same_in_words_and_in_digits(number: int, language: str) -> None:
    assume(number % 1_000_000 != 1)  # "een" alone is the Dutch article
    grouped = f"{number:,}".replace(",", ".")

    assert normalise(grouped, language) == normalise(str(number), language)
    assert normalise(num2words(number, lang=language), language) == normalise(str(number), language)


@settings(deadline=None)
@given(year=st.integers(min_value=1100, max_value=1999))
def test_a_year_may_be_said_in_hundreds(year: int) -> None:
    assert normalise(num2words(year, lang="de", to="year"), "de") == str(year)


@settings(deadline=None)
@given(
    words=st.lists(
        st.sampled_from(
            ["ein", "eine", "Straße", "hundert", "und", "acht", "Komma", "Euro", "12", "3,5", "7:30", "Uhr", "Haustür"]
        )
    )
)
def test_normal_german_stays_as_it_is(words: list[str]) -> None:
    once = normalise(" ".join(words), "de")

    assert normalise(once, "de") == once


SAME = [
    ("de", "einundzwanzig", "21"),
    ("de", "Straße", "Strasse"),
    ("de", "am 3. Mai 2024", "am dritten Mai zweitausendvierundzwanzig"),
    ("de", "am 03.05.2024", "am dritten Mai zweitausend vierundzwanzig"),
    ("de", "um 7:30 Uhr", "um sieben Uhr dreißig"),
    ("de", "um 7.30 Uhr", "um 7:30"),
    ("de", "1 Uhr", "ein Uhr"),
    ("de", "12,50 €", "zwölf Euro fünfzig"),
    ("de", "€ 12,50", "zwölf Euro und fünfzig Cent"),
    ("de", "0,99 EUR", "neunundneunzig Cent"),
    ("de", "5,- €", "fünf Euro"),
    ("de", "2,5 %", "zwei Komma fünf Prozent"),
    ("de", "3,14", "drei Komma eins vier"),
    ("de", "1.234.567", "eine Million zweihundertvierunddreißigtausendfünfhundertsiebenundsechzig"),
    ("de", "777 000", "777.000"),
    ("de", "21 °C", "einundzwanzig Grad Celsius"),
    ("nl", "€ 22,50", "tweeëntwintig euro vijftig"),
    ("nl", "om 7.30 uur", "om zeven uur dertig"),
    ("nl", "één huis", "een huis"),
]


@pytest.mark.parametrize(("language", "one", "other"), SAME)
def test_two_ways_to_write_one_thing_are_no_error(language: str, one: str, other: str) -> None:
    assert normalise(one, language) == normalise(other, language)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mütter", "Mutter"),
        ("schon", "schön"),
        ("ein Haus", "eine Haus"),
        ("einundzwanzig", "zweiundzwanzig"),
        ("dritter", "vierter"),
        ("nächste", "erste"),
        ("verachten", "acht"),
        ("null null sieben", "sieben"),
    ],
)
def test_what_sounds_different_stays_different(one: str, other: str) -> None:
    assert compare(one, other, language="de").words.errors > 0


@pytest.mark.parametrize(
    "word", ["", "ein", "eine", "haus", "tausendsassa", "undzwanzig", "hundehütte", "st", "te", "e"]
)
def test_other_words_are_no_numbers(word: str) -> None:
    assert GERMAN.value_of(word) is None


def test_the_dutch_article_is_no_number() -> None:
    assert DUTCH.value_of("een") is None
    assert normalise("een huis", "nl") == "een huis"
