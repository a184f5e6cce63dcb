"""English words for numbers: cardinals, ordinals, decimals, years, and digits one by one."""

SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"))
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LONGEST_COUNT = 15
"""Digits of the longest number that is counted; a longer one is a code, read digit by digit."""


def cardinal(number: int) -> str:
    """Count in words, up to 999 trillion: 123 is "one hundred twenty-three"."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number < 20:
        return SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{TENS[tens]}-{SMALL[ones]}" if ones else TENS[tens]
    size, name = next(((size, name) for size, name in SCALES if number >= size), (100, "hundred"))
    whole, rest = divmod(number, size)
    return f"{cardinal(whole)} {name} {cardinal(rest)}" if rest else f"{cardinal(whole)} {name}"


def ordinal(number: int) -> str:
    """Rank in words: 23 is "twenty-third"."""
    words = cardinal(number)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    last = words[cut:]
    if last in ORDINALS:
        return words[:cut] + ORDINALS[last]
    return f"{words[:-1]}ieth" if last.endswith("y") else f"{words}th"


def year(number: int) -> str:
    """Name a year: 1984 is "nineteen eighty-four", 2005 "two thousand five", 1900 "nineteen hundred"."""
    century, rest = divmod(number, 100)
    if not 1000 <= number <= 9999 or (century % 10 == 0 and rest < 10):
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {short_pair(rest)}"


def short_pair(number: int) -> str:
    """Name the last two digits of a year or a clock: 5 is "oh five"."""
    return f"oh {SMALL[number]}" if number < 10 else cardinal(number)


def one_by_one(digits: str) -> str:
    """Read digits one by one: "407" is "four zero seven"."""
    return " ".join(SMALL[int(digit)] for digit in digits)


def in_groups(digits: str) -> str:
    """Read a long digit string one by one, with a pause after every third or fourth digit."""
    size = 4 if len(digits) % 4 == 0 else 3
    starts = list(range(0, len(digits), size))
    if len(starts) > 1 and len(digits) - starts[-1] == 1:
        starts.pop()  # a single digit left over joins the group before it
    ends = [*starts[1:], len(digits)]
    return ", ".join(one_by_one(digits[start:end]) for start, end in zip(starts, ends, strict=True))


def quantity(written: str) -> str:
    """Say a number as it is written: "1,200.50" is "one thousand two hundred point five zero"."""
    whole, _, decimals = written.replace(",", "").partition(".")
    if decimals:
        return f"{quantity(whole)} point {one_by_one(decimals)}"
    if len(whole) > LONGEST_COUNT or (len(whole) >= 7 and "," not in written and not _is_round(whole)):
        return in_groups(whole)
    return one_by_one(whole) if len(whole) > 1 and whole[0] == "0" else cardinal(int(whole))


def _is_round(digits: str) -> bool:
    return digits.endswith("000")
