"""Typographic apostrophes, which texts that people have written are full of: "don’t" is "don't"."""

import re
from typing import Final

TYPOGRAPHIC: Final = "\u2018\u2019\u02bc"
"""Quotation marks that open and close, and the letter that looks like the latter."""

_WITHIN_WORDS = re.compile(rf"(?<=\w)[{TYPOGRAPHIC}](?=\w)")


def plain_apostrophes(text: str) -> str:
    """The text with ' for each of them that stands between two letters or digits; those about words stay."""
    return _WITHIN_WORDS.sub("'", text)
