"""German words for numbers: cardinals, ordinals, decimals, years, and digits one by one."""

from typing import Literal, TypeAlias

Gender: TypeAlias = Literal["ein", "eine"]
"""How the number one stands before a word: "ein Euro", "eine Stunde"."""

SMALL = (
    *("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"),
    *("elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn"),
)
TENS = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
SCALES = (
    (10**12, "Billion", "Billionen"),
    (10**9, "Milliarde", "Milliarden"),
    (10**6, "Million", "Millionen"),
)
IRREGULAR_RANKS = {"eins": "erst", "drei": "dritt", "sieben": "siebt", "acht": "acht"}
LONGEST_COUNT = 15
"""Digits of the longest number that is counted; a longer one is a code, read digit by digit."""


def cardinal(number: int, *, one: Gender | None = None) -> str:
    """Count in words, up to 999 billions: 121 is "einhunderteinundzwanzig".

    The thousands are a word of their own, which is easier to read and no longer than a word may be. ``one`` is how a
    lone 1 stands before its word.
    """
    if number == 1 and one:
        return one
    for size, single, many in SCALES:
        if number >= size:
            count, rest = divmod(number, size)
            said = f"eine {single}" if count == 1 else f"{cardinal(count)} {many}"
            return f"{said} {cardinal(rest)}" if rest else said
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_1000(rest)
    said = f"{_inside(thousands)}tausend"
    return f"{said} {_below_1000(rest)}" if rest > 99 else f"{said}{_below_1000(rest)}" if rest else said


def _below_1000(number: int) -> str:
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        return f"{_inside(hundreds)}hundert{_below_1000(rest) if rest else ''}"
    if number < 20:
        return SMALL[number]
    tens, units = divmod(number, 10)
    return f"{_inside(units)}und{TENS[tens]}" if units else TENS[tens]


def _inside(number: int) -> str:
    """A count in front of another number word: "ein", not "eins"."""
    return "ein" if number == 1 else _below_1000(number)


def ordinal(number: int, ending: str) -> str:
    """Rank in words: 3 with the ending "en" is "dritten", 20 with "e" is "zwanzigste"."""
    words = cardinal(number)
    if number in {100, 1000}:
        words = words.removeprefix("ein")
    if number % 100 in {1, 3, 7, 8}:
        last = SMALL[number % 100]
        return f"{words.removesuffix(last)}{IRREGULAR_RANKS[last]}{ending}"
    return f"{words}{'t' if 0 < number % 100 < 20 else 'st'}{ending}"


def year(number: int) -> str:
    """Name a year: 1984 is "neunzehnhundertvierundachtzig", 2024 "zweitausendvierundzwanzig"."""
    if not 1100 <= number <= 1999:
        return cardinal(number)
    century, rest = divmod(number, 100)
    return f"{SMALL[century]}hundert{_below_1000(rest) if rest else ''}"


def one_by_one(digits: str) -> str:
    """Read digits one by one: "407" is "vier null sieben"."""
    return " ".join(SMALL[int(digit)] for digit in digits)


def in_groups(digits: str) -> str:
    """Read a long digit string one by one, with a pause after every third digit."""
    return ", ".join(one_by_one(digits[start : start + 3]) for start in range(0, len(digits), 3))


def quantity(written: str, *, one: Gender | None = None) -> str:
    """Say a number as it is written: "1.200,50" is "eintausend zweihundert Komma fünf null"."""
    whole, _, decimals = written.replace(".", "").replace("'", "").replace(" ", "").partition(",")
    if decimals:
        return f"{quantity(whole)} Komma {one_by_one(decimals)}"
    if len(whole) > LONGEST_COUNT or (len(whole) >= 7 and whole == written and not whole.endswith("000")):
        return in_groups(whole)
    return one_by_one(whole) if len(whole) > 1 and whole[0] == "0" else cardinal(int(whole), one=one)
