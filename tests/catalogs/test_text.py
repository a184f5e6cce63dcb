import subprocess
import sys

import jiwer
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from whisper_normalizer.english import EnglishTextNormalizer

from catalogs.text import NORMALISER, WordErrors, char_errors, compare, normalise, word_errors

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd", "ee", "fff", "one", "two"]), max_size=12)
FILLED = WORDS.filter(bool)


@given(reference=FILLED, hypothesis=WORDS)
def test_word_errors_are_jiwers(reference: list[str], hypothesis: list[str]) -> None:
    ours = word_errors(" ".join(reference), " ".join(hypothesis))

    theirs = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    assert ours == WordErrors(theirs.substitutions, theirs.insertions, theirs.deletions, theirs.hits)
    assert ours.wer == pytest.approx(theirs.wer)


@given(reference=st.text("ab c", min_size=1).filter(str.strip), hypothesis=st.text("ab c"))
def test_character_errors_are_jiwers(reference: str, hypothesis: str) -> None:
    reference, hypothesis = " ".join(reference.split()), " ".join(hypothesis.split())

    ours = char_errors(reference, hypothesis)

    assert ours.wer == pytest.approx(jiwer.cer(reference, hypothesis))


@given(pairs=st.lists(st.tuples(FILLED, WORDS), min_size=1, max_size=8))
def test_the_total_of_a_corpus_is_jiwers(pairs: list[tuple[list[str], list[str]]]) -> None:
    references = [" ".join(reference) for reference, _ in pairs]
    hypotheses = [" ".join(hypothesis) for _, hypothesis in pairs]

    total = sum(map(word_errors, references, hypotheses), WordErrors())

    assert total.wer == pytest.approx(jiwer.wer(references, hypotheses))


@pytest.mark.parametrize(("hypothesis", "wer"), [("", 0.0), ("one", 1.0), ("one two", 2.0)])
def test_an_empty_reference_counts_as_one_word(hypothesis: str, wer: float) -> None:
    assert word_errors("", hypothesis).wer == wer


@pytest.mark.parametrize(
    ("text", "language", "normal"),
    [
        ("Fifty items, please!", "en", "50 items please"),
        ("Mr. Neil's colour", "en-GB", "mister neil is color"),
        ("Schöne Grüße, Zoë!", "de", "schöne grüsse zoë"),
        ("C'est l'été.", "fr-CA", "c est l été"),
        ("", "en", ""),
        ("?!", "sw", ""),
    ],
)
def test_a_text_has_one_form(text: str, language: str, normal: str) -> None:
    assert normalise(text, language) == normal


DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@given(st.text("0123456789", min_size=2, max_size=8))
@example("007")
@example("11")
def test_a_row_of_digits_is_one_word_however_it_is_written(digits: str) -> None:
    spelled = " ".join(DIGITS[int(digit)] for digit in digits)

    assert normalise(f"Room {digits}, please.", "en") == f"room {digits} please"
    assert normalise(f"Room {' '.join(digits)}, please.", "en") == f"room {digits} please"
    assert normalise(f"Room {', '.join(digits)}, please.", "en") == f"room {digits} please"
    assert normalise(f"Room {spelled}, please.", "en") == f"room {digits} please"


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("10:30", "ten thirty"),
        ("10:05", "ten oh five"),
        ("555-1234", "five five five one two three four"),
        ("May 5, 2024", "May five, twenty twenty-four"),
        ("9/11", "nine eleven"),
        ("2 12 ounce", "two twelve ounce"),
        ("3.5 2", "three point five two"),
        ("$0.50 each", "fifty cents each"),
        ("the 1 2nd one", "the one second one"),
        ("x2 3", "x two three"),
    ],
)
def test_numbers_in_a_row_are_joined_as_when_they_are_spelled(written: str, spelled: str) -> None:
    assert normalise(written, "en") == normalise(spelled, "en")


@pytest.mark.parametrize("text", ["4 x 5", "$4 500", "1st 2nd", "0.5", "100.00", "one cat and 1 dog", "01x"])
def test_what_is_no_row_of_digits_is_as_whispers_rules_have_it(text: str) -> None:
    assert normalise(text, "en") == EnglishTextNormalizer()(text).strip()


def test_vowel_signs_are_not_lost() -> None:
    assert normalise("हिन्दी भाषा।", "hi") == "हिन्दी भाषा"


@pytest.mark.parametrize(
    ("text", "language", "graphemes"),
    [("ที่นี่", "th", ["ที่", "นี่"]), ("你好。", "zh-CN", ["你", "好"]), ("ສະບາຍດີ", "lo", ["ສ", "ະ", "ບ", "າ", "ຍ", "ດີ"])],
)
def test_words_are_graphemes_where_a_language_has_no_spaces(text: str, language: str, graphemes: list[str]) -> None:
    assert normalise(text, language).split() == graphemes


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=40), language=st.sampled_from(["en", "de", "nl", "th", "lo", "xx"]))
@example(text="1 ² ½ ٣ 1/0 £ $ ¢ 3.4.5 o's", language="en")
def test_every_text_can_be_normalised(text: str, language: str) -> None:
    normal = normalise(text, language)

    assert normal == normal.strip()
    assert "  " not in normal


def test_spelling_is_no_error() -> None:
    assert compare("It's fifty.", "it is 50", language="en").words.errors == 0


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("น้ำ", "น\u0e4d\u0e49า", "th"),
        ("เเม่", "แม่", "th"),
        ("๒๕ คน", "25คน", "th"),
        ("เด็ก ๆ", "เด็กๆ", "th"),
        ("ນ້ຳ", "ນ\u0ecd\u0ec9າ", "lo"),
        ("ໜຶ່ງ", "ຫນຶ່ງ", "lo"),
        ("ຫຼາຍ\u200bຄົນ ໒໕", "ຫຼາຍຄົນ25", "lo"),
        ("١٢ قطة", "12 قطة", "ar"),
        ("Haus\u00adtür", "Haustür", "de"),
    ],
)
def test_what_looks_the_same_is_the_same(one: str, other: str, language: str) -> None:
    assert normalise(one, language) == normalise(other, language)


def test_a_lost_word_is_named_by_its_place() -> None:
    compared = compare("please turn the lights off", "turn the light", language="en")

    assert compared.lost == (0, 4)
    assert compared.words == WordErrors(substitutions=1, deletions=2, hits=2)


def test_spaces_are_no_characters_where_a_language_has_none() -> None:
    compared = compare("你好吗", "你 好 呢", language="zh")

    assert compared.characters == WordErrors(substitutions=1, hits=2)
    assert compared.words == compared.characters


def test_the_normaliser_says_which_release_it_is() -> None:
    assert NORMALISER.startswith("whisper-normalizer-0.")


def test_importing_is_light() -> None:
    code = "import sys, catalogs.text; print(*sorted(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not {"numpy", "torch", "whisper_normalizer", "duckdb"} & set(loaded.split())
