"""Rules for dates and times of day in English text."""

import re
from typing import Literal, TypeAlias

from synthgen.spoken.numbers import cardinal, ordinal, short_pair, year
from synthgen.spoken.rule import WORD_START, Rule, rule

DateOrder: TypeAlias = Literal["mdy", "dmy"]
"""How 3/4 is meant: month first, as in the United States, or day first."""

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
MONTH = rf"(?P<month>{'|'.join(MONTHS)}|(?:{'|'.join(SHORT_MONTHS)})\b\.?)"
DAY = r"(?P<day>[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?\b"
YEAR = r"(?P<year>[12]\d{3})(?![\w-]|[.,:]\d)"
DATE_FOLLOWS = r"(?P<cue>\b(?:on|by|before|since|until|due|from|after|dated|of|starting|ending) )"


def dates(order: DateOrder) -> tuple[Rule, ...]:
    """Rules for calendar dates; fractions such as 1/2 are dates only behind a word like "on" or "by"."""
    first, second = ("month", "day") if order == "mdy" else ("day", "month")
    numeric = rf"(?P<{first}>\d{{1,2}})(?P<mark>[/.-])(?P<{second}>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}})"
    short = rf"(?P<{first}>\d{{1,2}})/(?P<{second}>\d{{1,2}})"
    return (
        rule(rf"{WORD_START}(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?:T(?=\d))?(?![\w-])", _numeric),
        rule(rf"{WORD_START}(?P<year>\d{{4}})/(?P<month>\d\d)/(?P<day>\d\d)(?![\w/])", _numeric),
        rule(rf"{WORD_START}{numeric}(?![\w/-]|\.\d)", _numeric),
        rule(rf"{DATE_FOLLOWS}{short}(?![\w/])", _numeric),
        rule(rf"\b{MONTH} {DAY}(?:,? {YEAR})?", _month_first),
        rule(rf"(?P<the>\bthe )?{WORD_START}{DAY}(?: of)? {MONTH}(?:,? {YEAR})?(?!\w)", _day_first),
        rule(rf"\b{MONTH} {YEAR}", lambda match: f"{_month(match)} {year(int(match['year']))}"),
    )


def bare_dates(order: DateOrder) -> tuple[Rule, ...]:
    """Rules for two numbers with a slash that turned out to be neither a fraction nor a pressure."""
    first, second = ("month", "day") if order == "mdy" else ("day", "month")
    return (
        rule(r"\b24/7\b", lambda _: "twenty-four seven"),
        rule(rf"{WORD_START}(?P<{first}>\d{{1,2}})/(?P<{second}>\d{{1,2}})(?![\w/])", _numeric),
    )


def _numeric(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    month, day = int(groups["month"]), int(groups["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    said = f"{groups.get('cue') or ''}{MONTHS[month - 1]} {ordinal(day)}"
    written = groups.get("year")
    if not written:
        return said
    number = int(written) if len(written) == 4 else int(written) + (2000 if int(written) < 50 else 1900)
    return f"{said}, {year(number)}"


def _month(match: re.Match[str]) -> str:
    name = match["month"].rstrip(".")
    return SHORT_MONTHS.get(name, name)


def _month_first(match: re.Match[str]) -> str:
    said = f"{_month(match)} {ordinal(int(match['day']))}"
    return f"{said}, {year(int(match['year']))}" if match["year"] else said


def _day_first(match: re.Match[str]) -> str:
    said = f"{match['the'] or ''}{ordinal(int(match['day']))} of {_month(match)}"
    return f"{said}, {year(int(match['year']))}" if match["year"] else said


HALF = r"(?P<half>[ap])(?:\. ?m\.|m\b)"
NEW_SENTENCE = re.compile(r"\s*$|\s+(?!(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[ECMP][SD]?T)[A-Z]")


def _clock(match: re.Match[str]) -> str:
    groups = match.groupdict()
    hours, minutes, seconds = int(groups["hours"]), int(groups.get("minutes") or 0), groups.get("seconds")
    half = (groups["half"] or "").upper()
    if seconds:
        said = f"{cardinal(hours)} {short_pair(minutes)} and {cardinal(int(seconds))} seconds"
    elif minutes:
        said = f"{cardinal(hours)} {short_pair(minutes)}"
    else:
        said = cardinal(hours) if half else _full_hour(hours)
    if not half:
        return said
    ends_sentence = match[0].endswith(".") and NEW_SENTENCE.match(match.string, match.end())
    return f"{said} {half}-M{'.' if ends_sentence else ''}"


def _full_hour(hours: int) -> str:
    if hours == 0:
        return "midnight"
    return f"{cardinal(hours)} o'clock" if hours <= 12 else f"{cardinal(hours)} hundred"


times: tuple[Rule, ...] = (
    rule(
        rf"{WORD_START}(?P<hours>[01]?\d|2[0-3]):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?(?![:\d])"
        rf"(?: ?{HALF})?",
        _clock,
        flags=re.I,
    ),
    rule(rf"{WORD_START}(?P<hours>0?[1-9]|1[0-2]) ?{HALF}", _clock, flags=re.I),
    rule(r"(?<!\d)(\d++) ?:(?=\d)", lambda match: f"{match[1]} to "),
)
"""Clock times, and ratios such as 3:1, which look alike."""
