import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.writing import LETTER_S, SCRIPT_S, expected_s, letters_of, script_of


@pytest.mark.parametrize(
    ("text", "language", "seconds"),
    [
        ("one", "en", 0.39),
        ("One!", "en-GB", 0.39),
        ("Guten Morgen", "de", 0.88),
        ("สวัสดี", "th", 0.53),
        ("你好", "zh", 0.59),
        ("Привет 7", "ru", 0.93),
        ("", "en", None),
        ("?!", "en", None),
        ("ᏣᎳᎩ", "chr", None),
    ],
)
def test_letters_make_the_expected_duration(text: str, language: str, seconds: float | None) -> None:
    assert expected_s(text, language) == (None if seconds is None else pytest.approx(seconds, abs=0.01))


def test_vowel_signs_and_tones_take_no_time_of_their_own() -> None:
    assert len(letters_of("ที่นี่")) == 2
    assert len(letters_of("ກິນ")) == 2
    assert len(letters_of("é")) == len(letters_of("e\u0301")) == 1


@given(text=st.text("abc ёж กา 你好 1", min_size=1), more=st.text("aกё你", min_size=1))
def test_more_letters_take_longer(text: str, more: str) -> None:
    longer = expected_s(text + more, "xx")

    assert longer is not None
    assert longer > (expected_s(text, "xx") or 0.0)


def test_a_language_takes_about_the_time_of_its_script() -> None:
    letters = {"en": "a", "de": "a", "nl": "a", "lo": "ກ", "sw": "a", "th": "ก", "vi": "a"}

    for language, per_letter_s in LETTER_S.items():
        assert per_letter_s == pytest.approx(SCRIPT_S[script_of(letters[language])], rel=0.15)


def test_a_wide_letter_is_of_the_script_it_is_a_form_of() -> None:
    assert script_of("Ａ") == "LATIN"
    assert script_of("ｱ") == "KATAKANA"
