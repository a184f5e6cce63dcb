import subprocess
import sys

import jiwer
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalogs.text import NORMALISER, WordErrors, char_errors, compare, counted_words, normalise, word_errors

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
def test_digits_one_by_one_are_a_word_as_when_they_are_spelled(digits: str) -> None:
    spelled = " ".join(DIGITS[int(digit)] for digit in digits)

    for written in (" ".join(digits), ", ".join(digits), spelled):
        assert counted_words(f"Room {written}, please.", "en") == ["room", digits, "please"]


PIECES = [*DIGITS, *"0123456789", "10", "12", "2015", "1:30pm", "3.5", "$5", "2nd", "and", "ounce", "1-2", "one's"]


@given(*[st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join) for _ in "ab"])
@example("page 1, 2 and 3", "page one, 2 and 3")
@example("10:00am", "10:00 am")
@example("one 12 ounce latte", "1 12 ounce latte")
def test_what_is_normalised_alike_has_no_error_and_what_is_not_has_one_unless_its_digits_are_alike(
    one: str, other: str
) -> None:
    errors = compare(one, other, language="en").words.errors

    if normalise(one, "en") == normalise(other, "en"):
        assert errors == 0
    if errors == 0:
        assert unspaced(one) == unspaced(other)


def unspaced(text: str) -> str:
    return normalise(text, "en").replace(" ", "").replace("one", "1")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "words"),
    [
        ("four five six five", "4 5 6 5", 0, 1),
        ("four five six five", "4 5 6 7", 1, 1),
        ("call one two three now", "call 1, 2, 3 now", 0, 3),
        ("I saw one cat and 1 dog", "I saw 1 cat and one dog", 0, 7),
        ("2010 to 2015", "2010-2015", 1, 3),
        ("vier fünf", "4 5", 0, 2),
    ],
)
def test_errors_in_numbers(reference: str, hypothesis: str, errors: int, words: int) -> None:
    found = compare(reference, hypothesis, language="de" if "ü" in reference else "en").words

    assert (found.errors, found.length) == (errors, words)


def test_a_very_long_row_of_digits_is_a_word() -> None:
    assert counted_words("5 " * 5_000, "en") == ["5" * 5_000]


@pytest.mark.parametrize("text", ["wait...", "wait..", "wait…", "… wait", "wait ...", "...wait …."])
def test_an_ellipsis_is_no_word(text: str) -> None:
    assert counted_words(text, "en") == counted_words(text, "fr") == ["wait"]


def test_typographic_apostrophes_are_apostrophes() -> None:
    assert normalise("I don’t know, it’s Anna’s ‘new’ car", "en") == normalise(
        "I don't know, it's Anna's new car", "en"
    )


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
