"""Rules for numbers in English text: fractions, decades, ordinals, ranges, years, and plain numbers."""

import re

from synthgen.spoken.numbers import cardinal, one_by_one, ordinal, quantity, year
from synthgen.spoken.rule import NUMBER, WORD_START, Rule, rule

FRACTIONS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth", 16: "sixteenth"}
"""Denominators that are read as a fraction wherever they stand; 3/14 is more likely a date."""


def fraction(above: int, below: int) -> str:
    """Say a fraction: 1/2 is "one half", 3/4 "three quarters"."""
    part = FRACTIONS.get(below) or ordinal(below)
    if above == 1:
        return f"one {part}"
    return f"{cardinal(above)} {'halves' if below == 2 else f'{part}s'}"


def _fraction(match: re.Match[str]) -> str | None:
    above, below = int(match["above"]), int(match["below"])
    if not 0 < above < below or (below not in FRACTIONS and not match["of"]):
        return None
    part = fraction(above, below)
    if match["whole"]:
        part = f"{quantity(match['whole'])} and {'a' + part[3:] if above == 1 else part}"
    return part + match["of"]


def _decade(match: re.Match[str]) -> str:
    words = year(int(match[1])) if len(match[1]) == 4 else cardinal(int(match[1]))
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def _range(match: re.Match[str]) -> str:
    low, high = match[1], match[2]
    if _looks_like_year(low) and _looks_like_year(high):
        return f"{year(int(low))} to {year(int(high))}"
    return f"{quantity(low)} to {quantity(high)}"


def _looks_like_year(written: str) -> bool:
    return len(written) == 4 and written.isdecimal() and 1100 <= int(written) <= 2099


def _plain(match: re.Match[str]) -> str:
    return quantity(match[0])


YEAR_BEFORE = r"\b(?:in|since|by|from|until|till|of|year|circa|around|late|early|mid|before|after|to)"

fractions = (
    rule(
        rf"{WORD_START}(?:(?P<whole>\d{{1,3}})[ -])?(?P<above>\d{{1,2}})/(?P<below>\d{{1,3}})"
        r"(?![\w/])(?P<of>(?: of\b)?)",
        _fraction,
    ),
)
"""Halves, quarters and mixed numbers; to be tried before dates, which are written alike."""

ordinals: tuple[Rule, ...] = (
    rule(r"(?<!\w)'?(\d{3}0|[2-9]0)'?s\b", _decade),
    rule(rf"{WORD_START}(\d{{1,12}})(?:st|nd|rd|th)\b", lambda match: ordinal(int(match[1])), flags=re.I),
)
"""Ranks and decades; before measures, for a decade ends like a number of seconds."""

numbers: tuple[Rule, ...] = (
    rule(rf"{WORD_START}({NUMBER}) ?- ?({NUMBER})(?![\w-])", _range),
    rule(rf"({YEAR_BEFORE} )(1[1-9]\d\d|20\d\d)(?!\w|[.,]\d)", lambda match: match[1] + year(int(match[2]))),
    rule(rf"{WORD_START}(19\d\d|20\d\d)(?!\w|[.,]\d)", lambda match: year(int(match[1]))),
    rule(rf"(?<![\w)])-(?={NUMBER})", lambda _: "minus "),
    rule(r"(?<!\w)\.(\d+)", lambda match: f"zero point {one_by_one(match[1])}"),
    rule(r"(?<!\d)\d++(?:\.\d++){2,}", lambda match: " point ".join(quantity(part) for part in match[0].split("."))),
    rule(NUMBER, _plain),
)
"""Every digit that no other rule has taken."""
