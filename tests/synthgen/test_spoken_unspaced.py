"""Thai and Lao: numbers in words, and the mark that says a syllable again."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthgen.spoken import SpokenConfig, lao
from synthgen.spoken.repeats import MARKS, say_repeats

SPOKEN = SpokenConfig().build()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "ສູນ"),
        (7, "ເຈັດ"),
        (10, "ສິບ"),
        (11, "ສິບເອັດ"),
        (20, "ຊາວ"),
        (21, "ຊາວເອັດ"),
        (35, "ສາມສິບຫ້າ"),
        (101, "ໜຶ່ງຮ້ອຍໜຶ່ງ"),
        (1986, "ໜຶ່ງພັນເກົ້າຮ້ອຍແປດສິບຫົກ"),
        (10_000, "ໜຶ່ງໝື່ນ"),
        (2_500_000, "ສອງລ້ານຫ້າແສນ"),
        (Decimal("1.50"), "ໜຶ່ງຈຸດຫ້າສູນ"),
    ],
)
def test_lao_counts_by_powers_of_ten(number: int | Decimal, said: str) -> None:
    assert lao.say(number) == said


@given(one=st.integers(min_value=0, max_value=10**12), other=st.integers(min_value=0, max_value=10**12))
def test_two_lao_numbers_are_never_said_alike(one: int, other: int) -> None:
    assert (lao.say(one) == lao.say(other)) == (one == other)


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("เด็กๆ", "th", "เด็กเด็ก"),
        ("บ่อย ๆ", "th", "บ่อยบ่อย"),
        ("เราไปบ่อยๆ", "th", "เราไปบ่อยบ่อย"),
        ("หลายคนๆ", "th", "หลายคนคน"),
        ("จริงๆ แล้วช้าๆ", "th", "จริงจริง แล้วช้าช้า"),
        ("มี 25 คน", "th", "มี ยี่สิบห้า คน"),
        ("ມີຫຼາຍໆຄົນ", "lo", "ມີຫຼາຍຫຼາຍຄົນ"),
        ("ເລື້ອຍ ໆ", "lo", "ເລື້ອຍເລື້ອຍ"),
        ("ຂ້ອຍມີ ໒໑ ຄົນ", "lo", "ຂ້ອຍມີ ຊາວເອັດ ຄົນ"),
        ("ໆ", "lo", "ໆ"),
    ],
)
def test_thai_and_lao_are_written_as_they_are_said(text: str, language: str, said: str) -> None:
    assert SPOKEN(text, language) == said


@given(st.lists(st.sampled_from(["เด็ก", "บ่อย", "คน", "ໄປ", "ຫຼາຍ", "ຄົນ", "ๆ", "ໆ", " "]), max_size=8))
def test_only_a_mark_with_nothing_before_it_is_left(pieces: list[str]) -> None:
    said = say_repeats("".join(pieces))

    assert say_repeats(said) == said
    assert not any(mark in said.lstrip(f"{MARKS} ") for mark in MARKS)
