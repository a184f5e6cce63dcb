import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from num2words import num2words

from catalogs.text import normalise
from synthgen.spoken import SpokenConfig
from synthgen.spoken.german.numbers import cardinal, ordinal, year

SPOKEN = SpokenConfig().build()

SAID = {
    # numbers
    "Ich zahle 12,5 Euro": "Ich zahle zwölf Komma fünf Euro",
    "1.234.567 Leute": ("eine Million zweihundertvierunddreißigtausend fünfhundertsiebenundsechzig Leute"),
    "agent 007, 3-5 Tage, -5": "agent null null sieben, drei bis fünf Tage, minus fünf",
    "½ Liter, 2½ Stunden, 3/4 voll": "ein halb Liter, zweieinhalb Stunden, drei Viertel voll",
    "B12 und A3": "B zwölf und A drei",
    # years
    "1984, 2024, 1998-2004": (
        "neunzehnhundertvierundachtzig, zweitausendvierundzwanzig, neunzehnhundertachtundneunzig bis zweitausendvier"
    ),
    "die 1990er": "die neunzehnhundertneunziger",
    # dates and ranks
    "am 3. Mai 2024": "am dritten Mai zweitausendvierundzwanzig",
    "der 3. Mai, 3. Mai": "der dritte Mai, dritter Mai",
    "am 3. und 4. Mai": "am dritten und vierten Mai",
    "vom 05.03.2024 bis 1.4.": "vom fünften März zweitausendvierundzwanzig bis ersten April",
    "2024-03-05": "fünfter März zweitausendvierundzwanzig",
    "im 3. Stock, 2. Klasse": "im dritten Stock, zweite Klasse",
    "Es waren 3. Dann kam der 4.": "Es waren drei. Dann kam der vier.",
    "Heinrich VIII. und Kapitel IV": "Heinrich der Achte und Kapitel vier",
    # times
    "um 7:30 Uhr, 19:05, 1 Uhr": "um sieben Uhr dreißig, neunzehn Uhr fünf, ein Uhr",
    "von 8-17 Uhr": "von acht bis siebzehn Uhr",
    "Es steht 3:1": "Es steht drei zu eins",
    # money
    "1.200,50 €, 0,99 €, 1 €, 5,- €": "eintausend zweihundert Euro fünfzig, neunundneunzig Cent, ein Euro, fünf Euro",
    "2,5 Mio. € und € 3": "zwei Komma fünf Millionen Euro und drei Euro",
    # units
    "20 kg, 1 h, 2 h, 5 %, 20 °C, 80 km/h": (
        "zwanzig Kilogramm, eine Stunde, zwei Stunden, fünf Prozent, zwanzig Grad Celsius, achtzig Kilometer pro Stunde"
    ),
    "120/80 mmHg": "einhundertzwanzig zu achtzig Millimeter Quecksilbersäule",
    # words
    "z. B. ca. 20, z.B. bzw. usw.": "zum Beispiel circa zwanzig, zum Beispiel beziehungsweise und so weiter.",
    "Dr. Weiß in der Hauptstr. 12": "Doktor Weiß in der Hauptstraße zwölf",
    "Die EU, NATO und PKWs": "Die E-U, Nato und P-K-Ws",
    "§ 5 & mehr": "Paragraf fünf und mehr",
    "„Straße“ – größer 🙂": "Straße, größer",
    # codes
    "PIN 0042, Tel. 030 12345": "Pin null null vier zwei, Telefon null drei null, eins zwei drei vier fünf",
    "max@example.de": "max ät example Punkt de",
}


@pytest.mark.parametrize("text", SAID, ids=lambda text: text[:24])
def test_german_is_written_as_it_is_said(text: str) -> None:
    assert SPOKEN(text, "de") == SAID[text]


TRIGGERS = [
    *("z. B.", "Dr.", "Str.", "Hauptstr.", "Nr.", "usw.", "ADAC", "PIN", "GmbH", "Heinrich", "VIII", "Kapitel", "IV"),
    *("12,50 €", "€", "5,- €", "Mio.", "3,5 %", "2024-03-05", "3.4.", "3.", "Mai", "am", "der", "7:30 Uhr", "19:05"),
    *("5mg", "20°C", "120/80", "B12", "1990er", "030 1234", "+49", "a.b@c.de", "www.x.org", "½", "²", "١٢", "ß", "Ä"),
    *"#@&+-—()[]'\".,!?:;/\\|_*~<>=",
]
PIECES = st.one_of(
    st.sampled_from(TRIGGERS), st.text(max_size=4), st.text(alphabet="aAIVXZäß .,'-:1509/€%", max_size=6)
)
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", "  "])), max_size=8).map(
    lambda pairs: "".join(piece + space for piece, space in pairs)
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_a_spoken_german_text_stays_as_it_is_and_has_no_digits(text: str) -> None:
    spoken = SPOKEN(text, "de")

    assert SPOKEN(spoken, "de") == spoken
    assert not any(char.isdigit() for char in spoken)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=999_999_999_999))
def test_counts_are_those_of_num2words_but_for_spaces(number: int) -> None:
    assert cardinal(number).replace(" ", "") == num2words(number, lang="de").replace(" ", "")


@given(st.integers(min_value=1, max_value=9_999))
@example(100)
@example(1000)
def test_ranks_are_those_of_num2words_but_for_spaces(number: int) -> None:
    assert ordinal(number, "e").replace(" ", "") == num2words(number, lang="de", to="ordinal")


@given(st.integers(min_value=1100, max_value=2099))
def test_a_year_that_was_said_is_heard_as_the_year(number: int) -> None:
    assert normalise(year(number), "de") == str(number)


@settings(deadline=None)
@given(euros=st.integers(min_value=1, max_value=999_999), cents=st.integers(min_value=0, max_value=99))
def test_a_sum_as_written_and_as_said_is_one_to_the_normaliser(euros: int, cents: int) -> None:
    written = f"{euros:,}".replace(",", ".") + f",{cents:02} €"

    assert normalise(SPOKEN(written, "de"), "de") == normalise(written, "de")


def test_no_word_of_a_number_is_too_long_to_be_cast() -> None:
    assert max(len(word) for word in cardinal(777_777_777_777).split()) < 60


@pytest.mark.parametrize("unit", ["1", "a.", "1.", "-", "a@", "A.", "1-", " ", "1 €", "a1", "(", "1. ", "am 1.", "0 1"])
def test_a_hostile_text_takes_no_longer_than_a_long_one(unit: str) -> None:
    text = unit * (4000 // len(unit)) + "!"

    started_s = time.process_time()
    SPOKEN(text, "de")

    assert time.process_time() - started_s < 2


def test_numbers_and_acronyms_can_be_left_to_the_engine() -> None:
    assert SpokenConfig(numbers=False).build()("5 % & ADAC", "de") == "5 % und A-D-A-C"
    assert SpokenConfig(acronyms=False).build()("5 % und ADAC", "de") == "fünf Prozent und ADAC"
