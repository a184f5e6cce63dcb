"""Lao words for numbers: tens and powers of ten in order, with forms of their own for 20 and for a 1 behind tens."""

from decimal import Decimal

NAME = "lo"
DIGITS = ("ສູນ", "ໜຶ່ງ", "ສອງ", "ສາມ", "ສີ່", "ຫ້າ", "ຫົກ", "ເຈັດ", "ແປດ", "ເກົ້າ")
POWERS = ((100_000, "ແສນ"), (10_000, "ໝື່ນ"), (1000, "ພັນ"), (100, "ຮ້ອຍ"))
TEN, TWENTY, ONE_BEHIND_TENS, MILLION, POINT = "ສິບ", "ຊາວ", "ເອັດ", "ລ້ານ", "ຈຸດ"


def say(number: int | Decimal) -> str:
    """Say a number, not negative; decimals one by one: 21 is "ຊາວເອັດ", 1.5 "ໜຶ່ງຈຸດຫ້າ"."""
    whole, _, decimals = str(number).partition(".")
    said = _count(int(whole))
    return said + POINT + "".join(DIGITS[int(digit)] for digit in decimals) if decimals else said


def _count(number: int) -> str:
    if number >= 1_000_000:
        millions, rest = divmod(number, 1_000_000)
        return _count(millions) + MILLION + (_count(rest) if rest else "")
    said = ""
    for size, name in POWERS:
        count, number = divmod(number, size)
        said += DIGITS[count] + name if count else ""
    return said + _below_100(number) if number or not said else said


def _below_100(number: int) -> str:
    tens, units = divmod(number, 10)
    if tens == 0:
        return DIGITS[units]
    said = TEN if tens == 1 else TWENTY if tens == 2 else DIGITS[tens] + TEN
    if units == 0:
        return said
    return said + (ONE_BEHIND_TENS if units == 1 else DIGITS[units])
