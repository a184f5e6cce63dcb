"""Numbers in languages without rules of their own: said by num2words where it knows the language, else left alone."""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from num2words import CONVERTER_CLASSES, num2words

from synthgen.spoken import lao

DECIMAL_POINT = frozenset({"ar", "fa", "he", "hi", "bn", "ja", "ko", "zh", "th", "te", "kn", "lo"})
"""Languages that write 1,234.5; the others that num2words knows write 1.234,5 or 1 234,5."""

WITHOUT_SPACES = frozenset({"ja", "zh", "th", "lo", "km", "my"})
DOT_RANKS = frozenset({"de", "da", "no", "fi", "is", "cs", "sk", "sl", "hr", "sr", "hu", "pl", "tr", "lv", "et"})
"""Languages in which "3. May" is the third of May; such a number is left to the engine."""

NUMBER = r"(?:\d{1,3}(?: \d{3})+(?!\d)(?:,\d+)?|\d+(?:[.,]\d+)*)"
ALONE = re.compile(rf"(?<![\w.,/:-]){NUMBER}(?![\w/:-])")
ALONE_AND_NO_RANK = re.compile(rf"{ALONE.pattern}(?!\d|\. ?[^\W\d_])")
ANYWHERE = re.compile(rf"(?<![\d.,/:-]){NUMBER}(?![\d/:-])")
LONGEST_COUNT = 15
DECIMALS_AS_MONEY = frozenset({"ar"})
"""Languages in which num2words reads what is behind the point as cents."""


def say_numbers(text: str, *, language: str) -> str:
    """Write the numbers of a text in words; dates, times, codes and unknown languages are left alone.

    Args:
        text: clean text.
        language: a code such as "de" or "pt-br".
    """
    name = converter_of(language)
    if name is None:
        return text
    base = name[:2]
    pattern = ANYWHERE if base in WITHOUT_SPACES else ALONE_AND_NO_RANK if base in DOT_RANKS else ALONE
    return pattern.sub(lambda match: _say(match[0], name) or match[0], text)


def converter_of(language: str) -> str | None:
    """The name under which num2words knows a language, or we do."""
    base, _, region = language.replace("_", "-").partition("-")
    regional = f"{base.lower()}_{region.upper()}"
    known = (*CONVERTER_CLASSES, lao.NAME)
    return next((name for name in (regional, base.lower()) if name in known), None)


@lru_cache(maxsize=4096)
def _say(written: str, name: str) -> str | None:
    mark = "." if name[:2] in DECIMAL_POINT else ","
    whole, _, decimals = written.partition(mark)
    groups = re.split("[ .,]", whole)
    is_grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    if not (decimals == "" or decimals.isdecimal()) or (len(groups) > 1 and not is_grouped):
        return None
    digits = "".join(groups)
    if decimals and name[:2] in DECIMALS_AS_MONEY:
        return None
    is_code = not decimals and len(groups) == 1 and len(digits) > 1 and (digits[0] == "0" or len(digits) >= 7)
    if is_code or len(digits) > LONGEST_COUNT:
        said = [_convert(int(digit), name) for digit in digits]
        return " ".join(word for word in said if word) if all(said) else None
    return _convert(Decimal(f"{digits}.{decimals}") if decimals else int(digits), name)


def _convert(number: int | Decimal, name: str) -> str | None:
    if name == lao.NAME:
        return lao.say(number)
    try:
        words = num2words(number, lang=name)
    except (NotImplementedError, ArithmeticError, InvalidOperation, LookupError, TypeError, ValueError):
        return None  # num2words knows the language, but not this number in it
    return " ".join(str(words).split()) or None
