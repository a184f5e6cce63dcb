"""Spoken German: the rules, in the order in which they are tried; what is most special is said first, as in English."""

import re
from collections.abc import Callable

from synthgen.spoken.characters import tidy, to_latin
from synthgen.spoken.german.amounts import measures, money, numbers
from synthgen.spoken.german.dates import dates, ranks, times
from synthgen.spoken.german.words import abbreviations, addresses, capitals, codes, mixed, signs

__all__ = ["build_german"]

MOST_PASSES = 4
DIGITS = (*codes, *dates, *times, *ranks, *money, *measures, *mixed, *numbers)


def build_german(*, say_numbers: bool, say_acronyms: bool) -> Callable[[str], str]:
    """Build the function that writes a clean German text as it is spoken; passes go on until one changes nothing."""
    words = (*capitals, *signs(with_numbers=say_numbers)) if say_acronyms else signs(with_numbers=say_numbers)

    def once(text: str) -> str:
        text = " ".join(to_latin(text).split())
        for each in (*addresses, *abbreviations):
            text = each.apply(text)
        if say_numbers and re.search(r"\d", text):
            for each in DIGITS:
                text = each.apply(text)
        for each in words:
            text = each.apply(text)
        return tidy(text, with_numbers=say_numbers)

    def until_nothing_changes(text: str) -> str:
        for _ in range(MOST_PASSES):
            before, text = text, once(text)
            if text == before:
                break
        return text

    return until_nothing_changes
