"""Alphabets: what of a text is written, however its apostrophes are."""

import pytest

from training.alphabet import ENGLISH, Alphabet
from training.objective import Utterance

LETTERS = Alphabet(ENGLISH, key="ctc.alphabet")
PLAIN = "I don't know the driver's name"


def saying(text: str) -> Utterance:
    return Utterance("take", text, text, "en", is_synthetic=True)


@pytest.mark.parametrize("apostrophe", "\u2019\u2018\u02bc")
def test_typographic_apostrophes_within_words_are_plain_ones(apostrophe: str) -> None:
    text = PLAIN.replace("'", apostrophe)

    assert LETTERS.text(LETTERS.numbers(saying(text))) == PLAIN.lower()
    assert LETTERS.known(text) == LETTERS.known(PLAIN)


def test_quotation_marks_part_words_still() -> None:
    assert LETTERS.text(LETTERS.known("a \u2018large\u2019 tea")) == "a large tea"


def test_an_alphabet_with_typographic_apostrophes_keeps_them_and_one_without_any_parts_words() -> None:
    typographic = Alphabet(" \u2019dnot", key="ctc.alphabet")
    without = Alphabet(" dnot", key="ctc.alphabet")

    assert typographic.text(typographic.numbers(saying("Don\u2019t"))) == "don\u2019t"
    assert without.text(without.numbers(saying("Don\u2019t"))) == "don t"
