"""The characters of a text: what is cleaned before words are looked for, and what is left for an engine.

Emoji, pictograms and control characters are dropped, not named: a voice that reads "smiling face" says
something its text does not. A lexicon can name the few that matter.
"""

import re
import unicodedata

from synthgen.spoken.rule import Rule, anyone_of, rule

TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
        **dict.fromkeys("“”„‟″«»❝❞", '"'),
        **dict.fromkeys("‐‑‒−", "-"),
        **dict.fromkeys("\t\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029\xa0\u202f", " "),
        **dict.fromkeys("©®™", " "),
    }
)
JOINERS = "\u200c\u200d"
"""Zero-width, but they change how Persian and Hindi letters join, so that only emoji lose them."""

PICTOGRAMS = "\U0001f000-\U0001faff\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u20e3"
EMOJI = re.compile(f"[{PICTOGRAMS}][{PICTOGRAMS}{JOINERS}]*")


def clean(text: str) -> str:
    """Make quotes, hyphens and spaces plain, and drop control characters and lone surrogates."""
    text = text.translate(TYPOGRAPHY)
    if text.isascii():
        return text if text.isprintable() else re.sub(r"[\x00-\x1f\x7f]", "", text)
    kept = (char for char in text if char in JOINERS or unicodedata.category(char) not in {"Cc", "Cf", "Cs"})
    return unicodedata.normalize("NFC", "".join(kept))


def drop_emoji(text: str) -> str:
    """Drop emoji and collapse white space: all that is done to a language without rules of its own."""
    return " ".join((text if text.isascii() else EMOJI.sub(" ", text)).split())


FOREIGN_MARKS = str.maketrans("。、؟،؛⁄º", ".,?,;/°")
VULGAR = re.compile("[¼-¾⅐-⅞]")


def to_latin(text: str) -> str:
    """Fold compatibility forms for English: ½ to 1/2, ² to 2, 3–5 to 3-5, ﬁ to fi, any digits to 0-9."""
    if text.isascii():
        return text
    text = VULGAR.sub(lambda match: f" {unicodedata.normalize('NFKC', match[0])}", text)
    text = unicodedata.normalize("NFKC", text.translate(FOREIGN_MARKS)).translate(FOREIGN_MARKS)
    text = "".join(_ascii_digit(char) for char in text if not unicodedata.category(char).startswith("M"))
    text = re.sub(r"(?<=\d) ?[–—] ?(?=\d)", "-", text)
    return unicodedata.normalize("NFKC", text).translate(TYPOGRAPHY)


def _ascii_digit(char: str) -> str:
    return str(unicodedata.digit(char)) if char.isdigit() else char


SYMBOLS = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "%": "percent",
    "#": "hash",
    "/": "slash",
    "\\": "backslash",
    "<": "less than",
    ">": "greater than",
    "≤": "at most",
    "≥": "at least",
    "≠": "is not",
    "≈": "about",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "§": "section",
    "°": "degrees",
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "¥": "yen",
    "₹": "rupee",
    "¢": "cent",
}
NUMBER_SIGNS = "$€£¥₹¢%°+/"
"""Signs that are left beside a number where numbers are left to the engine."""


def symbols(*, with_numbers: bool) -> tuple[Rule, ...]:
    """Rules that name the signs of English text; those beside numbers only if numbers are said too."""
    said = tuple(sign for sign in SYMBOLS if with_numbers or sign not in NUMBER_SIGNS)
    return (
        rule(r"#(?=[^\W\d_])", lambda _: "hashtag "),
        rule(r"~ ?(?=\w)", lambda _: "about "),
        rule(r"(?<!\S)\*(?!\S)", lambda _: "star"),
        rule(rf" ?({anyone_of(said)}) ?", lambda match: f" {SYMBOLS[match[1]]} "),
        rule(r"(?<=[a-z])\.(?=[a-z])", lambda _: " dot "),
    )


BREAKS = re.compile(r"[()\[\]{}|–—]| -+ |--+")
UNSPOKEN = re.compile(r"[^A-Za-z ',.;:!?-]")
UNSPOKEN_BUT_NUMBERS = re.compile(rf"[^A-Za-z0-9 ',.;:!?{re.escape(NUMBER_SIGNS)}-]")
MARKS = re.compile(r"[,.;:!?](?:\s*[,.;:!?])+(?!\d)")
STRONGEST_FIRST = ("?", "!", "..", ".", ";", ":", ",")


def tidy(text: str, *, with_numbers: bool) -> str:
    """Finish an English text: letters, apostrophes, hyphens, and the marks that carry prosody.

    Brackets and dashes become a comma, and a run of marks becomes the strongest of them.
    """
    text = BREAKS.sub(", ", text)
    text = (UNSPOKEN if with_numbers else UNSPOKEN_BUT_NUMBERS).sub(_letter_or_space, text)
    text = re.sub(r"(?<!\w)'|'(?!\w)", "", text)
    text = re.sub(r"(?<!\w)-(?!\d)|-(?!\w)", " ", text)
    text = MARKS.sub(_strongest, " ".join(text.split()))
    text = re.sub(r" (?=[,.;:!?](?!\d))", "", text)
    text = re.sub(r"(?<=[,.;:!?])(?=[^\W\d])", " ", text)
    return unicodedata.normalize("NFC", " ".join(text.lstrip(" ,.;:!?'-").split()))


def _letter_or_space(match: re.Match[str]) -> str:
    return match[0] if match[0].isalpha() else " "


def _strongest(match: re.Match[str]) -> str:
    strongest = next(mark for mark in STRONGEST_FIRST if mark in match[0])
    return "..." if strongest == ".." else strongest
