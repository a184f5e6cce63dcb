"""Rules for measures in English text: units, percentages, temperatures, blood pressure, sizes."""

import re

from synthgen.spoken.money import PERIODS
from synthgen.spoken.numbers import cardinal, quantity, short_pair
from synthgen.spoken.rule import NUMBER, WORD_START, Rule, anyone_of, rule

UNITS = {
    "kg": "kilogram",
    "g": "gram",
    "mg": "milligram",
    "mcg": "microgram",
    "μg": "microgram",
    "ug": "microgram",
    "lb": "pound",
    "lbs": "pound",
    "oz": "ounce",
    "L": "liter",
    "l": "liter",
    "dL": "deciliter",
    "dl": "deciliter",
    "mL": "milliliter",
    "ml": "milliliter",
    "km": "kilometer",
    "m": "meter",
    "cm": "centimeter",
    "mm": "millimeter",
    "nm": "nanometer",
    "ft": "foot",
    "yd": "yard",
    "mi": "mile",
    "mph": "mile per hour",
    "kph": "kilometer per hour",
    "bpm": "beat per minute",
    "m2": "square meter",
    "m3": "cubic meter",
    "km2": "square kilometer",
    "cm2": "square centimeter",
    "ft2": "square foot",
    "sq ft": "square foot",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "min": "minute",
    "mins": "minute",
    "s": "second",
    "sec": "second",
    "secs": "second",
    "ms": "millisecond",
    "yrs": "year",
    "yr": "year",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "kB": "kilobyte",
    "KB": "kilobyte",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "Mbps": "megabit per second",
    "W": "watt",
    "kW": "kilowatt",
    "kWh": "kilowatt hour",
    "V": "volt",
    "mAh": "milliamp hour",
    "kcal": "kilocalorie",
    "cal": "calorie",
    "dB": "decibel",
    "IU": "international unit",
    "mmol": "millimole",
    "mEq": "milliequivalent",
    "mmHg": "millimeter of mercury",
    "°C": "degree Celsius",
    "°F": "degree Fahrenheit",
    "°": "degree",
    "%": "percent",
    "‰": "per mille",
}
UNITS_IN_LOWER_CASE = {unit.lower(): name for unit, name in UNITS.items()}
UNCHANGED = ("hertz", "kilohertz", "megahertz", "gigahertz", "percent", "per mille")
"""Units with no plural."""


def _measure(match: re.Match[str]) -> str:
    number, high = match["number"], match["high"]
    name = UNITS.get(match["unit"]) or UNITS_IN_LOWER_CASE[match["unit"].lower()]
    is_one = number == "1" and not high
    said = f"{quantity(number)} to {quantity(high)}" if high else quantity(number)
    said = f"{said} {name if is_one or name in UNCHANGED else _many(name)}"
    for part in match["per"].split("/")[1:]:
        said += f" per {UNITS.get(part) or PERIODS.get(part, part)}"
    return said


def _many(unit: str) -> str:
    first, space, rest = unit.partition(" ")
    if first in ("square", "cubic", "kilowatt", "milliamp", "international"):
        return f"{first} {_many(rest)}"
    return f"{'feet' if first == 'foot' else f'{first}s'}{space}{rest}"


def _pressure(match: re.Match[str]) -> str | None:
    systolic, diastolic = int(match[1]), int(match[2])
    if not 60 <= systolic <= 260 or not 30 <= diastolic < systolic:
        return None
    unit = " millimeters of mercury" if match[3] else ""
    return f"{_vital(systolic)} over {_vital(diastolic)}{unit}"


def _vital(number: int) -> str:
    if number < 100 or number % 100 == 0:
        return cardinal(number)
    return f"{cardinal(number // 100)} {short_pair(number % 100)}"


ANY_CASE = anyone_of(tuple(unit for unit in UNITS if len(unit) > 1))
AS_WRITTEN = anyone_of(tuple(unit for unit in UNITS if len(unit) == 1))

measures: tuple[Rule, ...] = (
    rule(rf"{WORD_START}(\d{{2,3}})/(\d{{2,3}})(?![\w/])( ?mm ?Hg\b)?", _pressure),
    rule(
        rf"{WORD_START}(\d)'(1?\d)(?:\"|''|(?!\w))",
        lambda match: f"{quantity(match[1])} foot {quantity(match[2])}",
    ),
    rule(
        r"\b(\d) ?ft\.? (1?\d) ?in\b\.?(?=(\s*$)?)",
        lambda match: f"{quantity(match[1])} foot {quantity(match[2])}{'' if match[3] is None else '.'}",
    ),
    rule(
        rf"(?P<number>{NUMBER})(?: ?- ?(?P<high>{NUMBER}))?[ -]?(?P<unit>(?i:{ANY_CASE})|{AS_WRITTEN})"
        r"(?![A-Za-z0-9'])(?P<per>(?:/[A-Za-z]+)*)",
        _measure,
    ),
    rule(rf"({NUMBER}) ?[x×] ?(?={NUMBER})", lambda match: f"{quantity(match[1])} by "),
    rule(rf"{WORD_START}({NUMBER})x\b", lambda match: f"{quantity(match[1])} times"),
)
"""A unit directly behind a number; letters that are a unit in one case only are not guessed at."""
