"""Spoken English: the rules, in the order in which they are tried, and the test that most texts pass.

The order is the design. What looks most special is said first (an address, a date, a sum of money), and
what is left of the digits is counted last, so that no rule has to know what another would have done.
"""

import re
from collections.abc import Callable

from synthgen.spoken.abbreviations import CHAPTERS, KINGS, PHRASES, PLACES, TITLES, abbreviations, calm, capitals
from synthgen.spoken.characters import symbols, tidy, to_latin
from synthgen.spoken.codes import addresses, codes, mixed
from synthgen.spoken.counts import fractions, numbers, ordinals
from synthgen.spoken.dates import DateOrder, bare_dates, dates, times
from synthgen.spoken.measures import measures
from synthgen.spoken.money import money
from synthgen.spoken.rule import anyone_of

PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z]|[ '-](?=[A-Za-z])|[,.;:!?](?= [A-Za-z]|$)|\.\.\.(?= [A-Za-z]|$))*")
"""Letters, single spaces, and marks where they belong."""

SHORTENED = re.compile(
    rf"[A-Z]{{2}}|\b(?:{anyone_of(TITLES | PLACES)}|{anyone_of(PHRASES)})(?!\w)"
    rf"|\b(?:{KINGS}|{CHAPTERS}) [IVXL]|[A-Z]\. [A-Z]\.|\b[A-Z] [A-Z] [A-Z]\b"
)
MOST_PASSES = 4


def build_english(*, say_numbers: bool, say_acronyms: bool, date_order: DateOrder) -> Callable[[str], str]:
    """Build the function that writes a clean English text as it is spoken.

    A pass may bring together what a rule was looking for (an emoji goes, and an abbreviation appears), so
    passes are made until one changes nothing; nearly every text needs one, or none.
    """
    dated = (*codes, *dates(date_order), *times, *ordinals, *money, *measures, *fractions)
    digits = (*dated, *bare_dates(date_order), *mixed, *numbers)
    words = (*capitals, *symbols(with_numbers=say_numbers)) if say_acronyms else symbols(with_numbers=say_numbers)

    def once(text: str) -> str:
        text = calm(" ".join(to_latin(text).split()))
        for each in (*addresses, *abbreviations):
            text = each.apply(text)
        if say_numbers and re.search(r"\d", text):
            for each in digits:
                text = each.apply(text)
        for each in words:
            text = each.apply(text)
        return tidy(text, with_numbers=say_numbers)

    def until_nothing_changes(text: str) -> str:
        for _ in range(MOST_PASSES):
            if is_plain(text):
                break
            before, text = text, once(text)
            if text == before:
                break
        return text

    return until_nothing_changes


def is_plain(text: str) -> bool:
    """Whether no rule can have anything to say about a text."""
    return PLAIN.fullmatch(text) is not None and SHORTENED.search(text) is None
