"""Rules for sums of money, measures and plain numbers in German text."""

import re

from synthgen.spoken.german.numbers import Gender, cardinal, one_by_one, quantity, year
from synthgen.spoken.rule import WORD_START, Rule, anyone_of, rule

NUMBER = r"(?<![\d,])(?:\d{1,3}(?:[.' ]\d{3})++(?!\d)|\d++)(?:,\d++)?+"
"""A number as German writes it: 7, 1.200, 3,25; taken whole or not at all."""

CURRENCIES = {"€": "Euro", "EUR": "Euro", "Euro": "Euro", "$": "Dollar", "USD": "Dollar", "US$": "Dollar"}
CURRENCIES |= {"£": "Pfund", "GBP": "Pfund", "CHF": "Franken", "Fr.": "Franken", "Franken": "Franken", "¥": "Yen"}
PARTS = {"Franken": "Rappen", "Pfund": "Pence"}
SCALES = {"Tsd.": "tausend", "Mio.": "Millionen", "Mrd.": "Milliarden", "Millionen": "Millionen"}
SCALES |= {"Million": "Million", "Milliarden": "Milliarden", "Milliarde": "Milliarde", "Mio": "Millionen"}
FEMININE = {"Stunde", "Minute", "Sekunde", "Tonne", "Kilowattstunde", "Million", "Milliarde", "Kalorie", "Kilokalorie"}
"""Units of which there is "eine", and which have a plural in n or en; the others have neither."""

UNITS = {
    "kg": "Kilogramm",
    "g": "Gramm",
    "mg": "Milligramm",
    "µg": "Mikrogramm",
    "μg": "Mikrogramm",
    "t": "Tonne",
    "km": "Kilometer",
    "m": "Meter",
    "cm": "Zentimeter",
    "mm": "Millimeter",
    "m2": "Quadratmeter",
    "m3": "Kubikmeter",
    "km2": "Quadratkilometer",
    "cm2": "Quadratzentimeter",
    "l": "Liter",
    "L": "Liter",
    "ml": "Milliliter",
    "h": "Stunde",
    "Std.": "Stunde",
    "min": "Minute",
    "Min.": "Minute",
    "s": "Sekunde",
    "Sek.": "Sekunde",
    "ms": "Millisekunde",
    "km/h": "Kilometer pro Stunde",
    "m/s": "Meter pro Sekunde",
    "Mbit/s": "Megabit pro Sekunde",
    "W": "Watt",
    "kW": "Kilowatt",
    "kWh": "Kilowattstunde",
    "V": "Volt",
    "Hz": "Hertz",
    "kHz": "Kilohertz",
    "MHz": "Megahertz",
    "GHz": "Gigahertz",
    "kB": "Kilobyte",
    "MB": "Megabyte",
    "GB": "Gigabyte",
    "TB": "Terabyte",
    "kcal": "Kilokalorie",
    "dB": "Dezibel",
    "mmHg": "Millimeter Quecksilbersäule",
    "°C": "Grad Celsius",
    "°F": "Grad Fahrenheit",
    "°": "Grad",
    "%": "Prozent",
    "‰": "Promille",
}
FRACTIONS = {2: "halb", 3: "Drittel", 4: "Viertel", 5: "Fünftel", 6: "Sechstel", 8: "Achtel", 10: "Zehntel"}
MONEY = anyone_of(CURRENCIES)
SCALE = rf"(?: ?(?P<scale>{anyone_of(SCALES)})(?!\w))?"
AMOUNT = rf"(?P<low>{NUMBER})(?:,-+)?(?: ?(?:-|bis) ?(?P<high>{NUMBER}))?{SCALE}"


def _money(match: re.Match[str]) -> str:
    name = CURRENCIES[match["currency"]]
    if match["scale"]:
        scale = SCALES[match["scale"]]
        return f"{_range(match, one='eine' if scale in FEMININE else None)} {scale} {name}"
    if match["high"]:
        return f"{quantity(match['low'])} bis {_sum(match['high'], name)}"
    return _sum(match["low"], name)


def _sum(written: str, name: str) -> str:
    whole, _, decimals = written.partition(",")
    if len(decimals) not in {0, 2}:
        return f"{quantity(written)} {name}"
    parts = int(decimals or 0)
    if parts and whole == "0":
        return f"{cardinal(parts, one='ein')} {PARTS.get(name, 'Cent')}"
    said = f"{quantity(whole, one='ein')} {name}"
    return f"{said} {cardinal(parts)}" if parts else said


def _range(match: re.Match[str], *, one: Gender | None) -> str:
    high = match.groupdict().get("high")
    if high:
        return f"{quantity(match['low'])} bis {quantity(high)}"
    return quantity(match["low"], one=one)


def _measure(match: re.Match[str]) -> str:
    name = UNITS[match["unit"]]
    if name not in FEMININE:
        return f"{_range(match, one='ein')} {name}"
    is_one = match["low"] == "1" and not match["high"]
    return f"{_range(match, one='eine')} {name if is_one else f'{name}n'}"


def _pressure(match: re.Match[str]) -> str:
    unit = f" {UNITS['mmHg']}" if match[3] else ""
    return f"{quantity(match[1])} zu {quantity(match[2])}{unit}"


def _fraction(match: re.Match[str]) -> str | None:
    above, below = int(match["above"]), int(match["below"])
    if not 0 < above < below or below not in FRACTIONS:
        return None
    if match["whole"] and below == 2:
        return f"{cardinal(int(match['whole']), one='ein')}einhalb"
    whole = f"{cardinal(int(match['whole']))} " if match["whole"] else ""
    return f"{whole}{cardinal(above, one='ein')} {FRACTIONS[below]}"


money: tuple[Rule, ...] = (
    rule(r"(?<![\w)])-(?=\d)", lambda _: "minus "),
    rule(rf"(?<!\w)(?P<currency>{MONEY}) ?{AMOUNT}", _money),
    rule(rf"{WORD_START}{AMOUNT} ?(?P<currency>{MONEY})(?!\w)", _money),
    rule(
        rf"{WORD_START}(?P<low>{NUMBER}) ?(?P<scale>{anyone_of(SCALES)})(?!\w)",
        lambda match: f"{_range(match, one='eine')} {SCALES[match['scale']]}",
    ),
)
"""Sums with a sign or a code on either side, and millions in short."""

measures: tuple[Rule, ...] = (
    rule(rf"{WORD_START}(\d{{2,3}})/(\d{{2,3}})(?![\w/])( ?mm ?Hg\b)?", _pressure),
    rule(
        rf"{WORD_START}(?P<low>{NUMBER})(?: ?(?:-|bis) ?(?P<high>{NUMBER}))? ?(?P<unit>{anyone_of(UNITS)})(?![\w'])",
        _measure,
    ),
    rule(rf"({NUMBER}) ?[x×] ?(?={NUMBER})", lambda match: f"{quantity(match[1])} mal "),
    rule(rf"{WORD_START}({NUMBER})x\b", lambda match: f"{quantity(match[1], one='ein')}mal"),
    rule(rf"{WORD_START}(?:(?P<whole>\d{{1,3}}) )?(?P<above>\d{{1,2}})/(?P<below>\d{{1,2}})(?![\w/])", _fraction),
)
"""A unit behind a number, sizes, blood pressure and fractions."""

numbers: tuple[Rule, ...] = (
    rule(
        rf"{WORD_START}(1[1-9]\d\d|20\d\d) ?- ?(1[1-9]\d\d|20\d\d)(?![\w-])",
        lambda m: f"{year(int(m[1]))} bis {year(int(m[2]))}",
    ),
    rule(rf"{WORD_START}({NUMBER}) ?- ?({NUMBER})(?![\w-])", lambda m: f"{quantity(m[1])} bis {quantity(m[2])}"),
    rule(rf"{WORD_START}(1[1-9]\d\d)(?!\w|[.,]\d)", lambda match: year(int(match[1]))),
    rule(r"(?<!\d)\d++(?:\.\d++)+(?![\d,])", lambda match: _dotted(match[0])),
    rule(NUMBER, lambda match: quantity(match[0])),
    rule(r"\d+", lambda match: one_by_one(match[0])),
)
"""Every digit that no other rule has taken."""


def _dotted(written: str) -> str:
    """A number in groups of three is one number; any other dots are said."""
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+", written):
        return quantity(written)
    return " Punkt ".join(quantity(part) for part in written.split("."))
