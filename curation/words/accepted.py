"""Accepted spoken forms: the ways to say and to spell a text that all count as right.

A text becomes a lattice. Times, sums, fractions, dates, numbers and codes are slots with the forms that people say and
recognisers write; titles, units and a few words have a second spelling; words may be joined or apart. The spoken form
of the engine is among the forms, but what counts does not depend on which voice spoke.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeAlias

from catalogs.numerals import NUMERALS
from catalogs.text import counted_words, has_spaces, normalise, primary
from curation.words.lattice import Lattice, Match, best_match
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.spoken.abbreviations import PLACES, TITLES
from synthgen.spoken.dates import MONTHS, SHORT_MONTHS
from synthgen.spoken.measures import UNITS
from synthgen.spoken.numbers import SCALES, SMALL, TENS

Form: TypeAlias = tuple[str, ...]

REVISION = 3
"""Raised with every change that may alter what is accepted."""

_SAME = (
    ("okay", "ok"),
    ("all right", "alright"),
    ("versus", "vs"),
    ("et cetera", "etc"),
    ("for example", "e g"),
    ("that is", "i e"),
    ("a half", "half"),
    ("one half", "half"),
)
_NUMBER_WORD = "|".join(sorted({*SMALL, *TENS, *(name for _, name in SCALES), "hundred", "oh", "double"}, reverse=True))
_NUMBER = rf"(?:{_NUMBER_WORD})(?:(?:-| | and | point )(?:{_NUMBER_WORD}))*"
_MONTH = f"(?:{'|'.join((*MONTHS, *SHORT_MONTHS))})"
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_SPAN = re.compile(
    rf"(?P<time>\b(?:[01]?\d|2[0-3]):[0-5]\d\b(?!:))"
    rf"|(?P<past>\b(?:half|(?:a )?quarter) (?:past|to) (?:\d+|{_NUMBER_WORD})\b|\b(?:\d+|{_NUMBER_WORD}) o'clock\b)"
    rf"|(?P<date>\b{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}}\b)?|\b\d{{1,4}}[/.-]\d{{1,2}}[/.-]\d{{1,4}}\b)"
    rf"|(?P<fraction>(?:\b\d+ )?\b\d{{1,2}}/\d{{1,2}}\b)"
    rf"|(?P<measure>\b\d[\d.,]* ?(?:{_UNIT})(?!\w))"
    rf"|(?P<number>\b{_NUMBER}(?: (?:dollars?|euros?|pounds?|cents?)(?: and {_NUMBER} cents?)?)?\b)"
    rf"|(?P<code>\S*\d\S*|\b[A-Z]{{2,}}\b)",
    re.IGNORECASE,
)
_CAPITALS = re.compile("[A-Z]{2,}")
_SUM = re.compile(r"(?P<sign>[$€£])(?P<units>\d+)(?:\.(?P<parts>\d\d))?")
_RANKED = re.compile(r"(?P<month>[a-z]+) (?P<day>\d+)(?:st|nd|rd|th)?(?P<year> \d{4})?")
_CURRENCY = {"$": "dollars", "€": "euros", "£": "pounds"}


def match_accepted(texts: Sequence[str], heard: str, *, language: str) -> Match:
    """Align what was heard with the nearest accepted form of any of the texts, normalised.

    Args:
        texts: the text as written, and as it was to be spoken; at least one.
        heard: a transcript.
        language: a BCP 47 tag.
    """
    hypotheses = [words for form in _spellings(heard, language) for words in _counted(form, language)]
    found = []
    for text in dict.fromkeys(texts):
        for hypothesis in hypotheses:
            plain = [Match.of(words, hypothesis) for words in _counted(text, language)]
            if right := [match for match in plain if match.path and not match.edits]:
                return right[0]
            found += [*plain, best_match(accepted(text, primary(language)), hypothesis)]
    return min(found, key=lambda match: (not match.path, match.errors.wer))


def _counted(text: str, language: str) -> list[Form]:
    """The words of a text, and those that its errors are counted over elsewhere, if they are others."""
    return list(dict.fromkeys((tuple(normalise(text, language).split()), tuple(counted_words(text, language)))))


@lru_cache(maxsize=32_768)
def accepted(text: str, language: str) -> Lattice:
    """The lattice of a text, from normalised words; in a language without spaces, of graphemes."""
    text = re.sub("[()]", " ", text)  # the normaliser would drop what is between them, but it is read
    slots = _english_slots(text) if language == "en" else _slots(text, language)
    return Lattice.of_slots((slot for slot in slots if slot and slot[0]), joins=has_spaces(language))


def _spellings(heard: str, language: str) -> list[str]:
    """A transcript, and for languages whose normaliser leaves numbers alone, the same with its numbers in words."""
    if primary(language) == "en" or not any(char.isdecimal() for char in heard):
        return [heard]
    return [heard, _spoken()(heard, language)]


def _slots(text: str, language: str) -> Iterator[list[Form]]:
    """Slots of a language without rules of its own: numbers as digits and in words, unless it writes them one way."""
    if primary(language) in NUMERALS:
        for word in normalise(text, language).split():
            yield [(word,)]
        return
    for part in re.split(r"(\d[\d.,]*)", text):
        if part[:1].isdecimal():
            yield _forms([_spoken()(part, language), part], language)
        else:
            for word in normalise(part, language).split():
                yield [(word,)]


def _english_slots(text: str) -> Iterator[list[Form]]:
    done = 0
    for span in _SPAN.finditer(text):
        if span.lastgroup == "code" and not (_CAPITALS.search(span[0]) or re.search(r"\d", span[0])):
            continue
        yield from _word_slots(text[done : span.start()])
        yield _forms(_variants(span), "en")
        done = span.end()
    yield from _word_slots(text[done:])


def _word_slots(text: str) -> Iterator[list[Form]]:
    """One slot a word, or a pair of words that has another spelling."""
    words, at = normalise(text, "en").split(), 0
    while at < len(words):
        for size in (2, 1):
            form = tuple(words[at : at + size])
            if form in _same() or size == 1:
                yield [form, *_same().get(form, ())]
                at += len(form)
                break


def _variants(span: re.Match[str]) -> list[str]:
    """The ways to say a span, the likeliest first, not yet normalised."""
    kind, written = span.lastgroup, span[0]
    spoken = _spoken()(written, "en")
    if kind == "time":
        hours, _, minutes = written.partition(":")
        return [written, spoken, *_times(int(hours), int(minutes))]
    if kind == "past":
        return [written, *_times(*_clock(written))]
    if kind == "date":
        return [spoken, written, *_dates(normalise(spoken, "en"))]
    if kind == "fraction":
        return [spoken, written, *(["half", "half a", "a half", "0.5"] if written == "1/2" else [])]
    return [written, spoken, *_sums(normalise(spoken, "en"))]


def _times(hours: int, minutes: int) -> list[str]:
    following = hours % 12 + 1
    if minutes == 0:
        return [f"{hours}:00", f"{hours} o'clock", f"{hours}", f"{hours} hundred"]
    said = [f"{hours}:{minutes:02}", f"{hours}{minutes:02}", f"{hours} {minutes}"]
    said += [f"{minutes} past {hours}", f"{60 - minutes} to {following}"]
    said += [f"{minutes} minutes past {hours}", f"{60 - minutes} minutes to {following}"]
    names = {15: f"quarter past {hours}", 30: f"half past {hours}", 45: f"quarter to {following}"}
    return [*said, names[minutes], f"a {names[minutes]}"] if minutes in names else said


def _clock(written: str) -> tuple[int, int]:
    """Hours and minutes of "half past three", "a quarter to 4" or "five o'clock"."""
    *before, hour = written.lower().removeprefix("a ").removesuffix(" o'clock").split()
    hours = int(hour) if hour.isdecimal() else SMALL.index(hour) if hour in SMALL else 12
    if not before:
        return hours, 0
    part, word = before
    minutes = 30 if part == "half" else 15
    return (hours, minutes) if word == "past" else ((hours - 2) % 12 + 1, 60 - minutes)


def _dates(said: str) -> list[str]:
    date = _RANKED.fullmatch(said)
    if date is None:
        return []
    month, day, year = date["month"], _ordinal(int(date["day"])), date["year"] or ""
    orders = (f"{month} {date['day']}", f"{month} the {day}", f"{day} of {month}", f"the {day} of {month}")
    return [f"{order}{year}" for order in (*orders, f"{date['day']} {month}")]


def _ordinal(day: int) -> str:
    return f"{day}{'th' if 10 < day < 14 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def _sums(said: str) -> list[str]:
    amount = _SUM.fullmatch(said)
    if amount is None:
        return []
    units, parts, name = amount["units"], amount["parts"], _CURRENCY[amount["sign"]]
    if parts is None:
        return [units]
    return [
        f"{units}.{parts}",
        f"{units} {parts}",
        f"{units}{parts}",
        f"{amount['sign']}{units} {parts}",
        f"{units} {name} {parts}",
    ]


def _forms(variants: Sequence[str], language: str) -> list[Form]:
    forms = (tuple(normalise(variant, language).split()) for variant in variants)
    return [form for form in dict.fromkeys(forms) if form]


@cache
def _spoken() -> Spoken:
    return SpokenConfig().build()


@cache
def _same() -> dict[Form, tuple[Form, ...]]:
    """Normalised words that are spelled another way, both ways."""
    pairs = [*_SAME, *((name, short) for short, name in (*TITLES.items(), *PLACES.items()))]
    pairs += [(f"{name}s", unit) for unit, name in UNITS.items() if len(unit) > 1 and unit.isalpha()]
    found: dict[Form, tuple[Form, ...]] = {}
    for pair in pairs:
        one, other = (tuple(normalise(word, "en").split()) for word in pair)
        if one != other and one and other:
            for form, twin in ((one, other), (other, one)):
                found[form] = tuple(dict.fromkeys((*found.get(form, ()), twin)))
    return found
