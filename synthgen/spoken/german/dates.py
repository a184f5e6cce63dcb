"""Rules for ranks, dates and times of day in German text: the third is "dritte", "dritten" or "dritter"."""

import re

from synthgen.spoken.german.numbers import cardinal, ordinal, year
from synthgen.spoken.rule import WORD_START, Rule, rule

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
SHORT_MONTHS = {"Jan": "Januar", "Feb": "Februar", "Mär": "März", "Apr": "April", "Jun": "Juni", "Jul": "Juli"}
SHORT_MONTHS |= {"Aug": "August", "Sept": "September", "Sep": "September", "Okt": "Oktober", "Nov": "November"}
SHORT_MONTHS |= {"Dez": "Dezember", "Jänner": "Jänner", "Feber": "Feber"}
MONTH = rf"(?P<month>{'|'.join(MONTHS)}|(?:{'|'.join(SHORT_MONTHS)})\b\.?)"
DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])\."
CUE = r"(?:(?P<cue>\b(?i:am|vom|zum|beim|im|dem|den|des|bis|ab|seit|nach|vor|und|oder|der|die|das|zur)) )?"
YEAR = r"(?P<year>[12]\d{3})(?![\w-]|[.,:]\d)"
WEAK_E = frozenset({"der", "die", "das"})
"""Articles after which a rank ends in e; after the other cues it ends in en, and alone in er."""


def _ending(cue: str | None, *, alone: str) -> str:
    if cue is None:
        return alone
    return "e" if cue.lower() in WEAK_E else "en"


def _ranked(match: re.Match[str], number: int, *, alone: str = "er") -> str:
    cue = match.groupdict().get("cue")
    return f"{f'{cue} ' if cue else ''}{ordinal(number, _ending(cue, alone=alone))}"


def _numeric(match: re.Match[str]) -> str | None:
    day, month = int(match["day"]), int(match["month"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return None
    said = f"{_ranked(match, day)} {MONTHS[month - 1]}"
    written = match["year"]
    if not written:
        return said
    number = int(written) if len(written) == 4 else int(written) + (2000 if int(written) < 50 else 1900)
    return f"{said} {year(number)}"


def _named(match: re.Match[str]) -> str:
    name = match["month"].rstrip(".")
    said = f"{_ranked(match, int(match['day']))} {SHORT_MONTHS.get(name, name)}"
    return f"{said} {year(int(match['year']))}" if match["year"] else said


def _listed(match: re.Match[str]) -> str:
    return f"{_ranked(match, int(match['day']))} {match['link']}"


def _ranked_thing(match: re.Match[str]) -> str:
    return _ranked(match, int(match["rank"]), alone="e")


def _ending_clause(match: re.Match[str]) -> str:
    """A rank at the end: its full stop ends the sentence too, unless another mark follows."""
    return _ranked_thing(match) + ("" if match.string[match.end() :].strip() else ".")


COUNTED = "Klasse|Etage|Liga|Person|Auflage|Woche|Runde"
dates: tuple[Rule, ...] = (
    rule(rf"{CUE}{WORD_START}(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?![\w-])", _numeric),
    rule(
        rf"{CUE}{WORD_START}{DAY} ?(?P<month>1[0-2]|0?[1-9])\.(?: ?(?P<year>\d{{4}}|\d\d)(?![\d.,]))?(?!\d)", _numeric
    ),
    rule(rf"{CUE}{WORD_START}{DAY} (?P<link>und|bis|oder|bis zum)(?= \d{{1,2}}\. )", _listed),
    rule(rf"{CUE}{WORD_START}{DAY} ?{MONTH}(?: {YEAR})?(?!\w)", _named),
    rule(
        rf"\b{MONTH} {YEAR}", lambda match: f"{SHORT_MONTHS.get(match[1].rstrip('.'), match[1])} {year(int(match[2]))}"
    ),
)
"""Calendar dates, day first; a day before a month's name, alone or one of two."""

ranks: tuple[Rule, ...] = (
    rule(
        r"(?P<cue>\b(?i:am|vom|zum|beim|im|dem|den|des|der|die|das|zur)) (?P<rank>\d{1,3})\.(?= [^\W\d_])",
        _ranked_thing,
    ),
    rule(r"(?P<cue>\b(?i:am|vom|zum)) (?P<rank>\d{1,2})\.(?=\s*$|[,;])", _ending_clause),
    rule(rf"{WORD_START}(?P<rank>\d{{1,3}})\.(?= (?:{COUNTED})\b)", _ranked_thing),
    rule(r"\b((?:1[1-9]|20)\d0)er\b", lambda match: f"{year(int(match[1]))}er"),
)
"""Ranks that are not days, and decades. "3." without an article or a known word may end a sentence: it is a count."""


def _clock(match: re.Match[str]) -> str:
    hours, minutes = int(match["hours"]), int(match.groupdict().get("minutes") or 0)
    said = f"{cardinal(hours, one='ein')} Uhr"
    return f"{said} {cardinal(minutes)}" if minutes else said


HOURS = r"(?P<hours>[01]?\d|2[0-4])"
times: tuple[Rule, ...] = (
    rule(
        rf"{WORD_START}([01]?\d|2[0-4]) ?(?:-|bis) ?(?=(?:[01]?\d|2[0-4])(?:[:.][0-5]\d)? ?Uhr\b)",
        lambda match: f"{cardinal(int(match[1]), one='ein')} bis ",
    ),
    rule(rf"{WORD_START}{HOURS}[:.](?P<minutes>[0-5]\d) ?(?:Uhr|h)\b", _clock),
    rule(rf"{WORD_START}{HOURS} ?Uhr\b", _clock),
    rule(rf"{WORD_START}{HOURS}:(?P<minutes>[0-5]\d)(?![:\d])", _clock),
    rule(r"(?<!\d)(\d++) ?:(?=\d)", lambda match: f"{match[1]} zu "),
)
"""Clock times, with or without "Uhr", and results such as 3:1, which look alike."""
