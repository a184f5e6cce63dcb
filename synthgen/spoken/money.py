"""Rules for sums of money in English text."""

import re
from dataclasses import dataclass

from synthgen.spoken.numbers import cardinal, quantity
from synthgen.spoken.rule import NUMBER, WORD_START, Rule, anyone_of, rule


@dataclass(frozen=True, slots=True)
class Currency:
    """The words of a currency: one and many, of the unit and of its hundredth part."""

    one: str
    many: str
    one_part: str = "cent"
    many_parts: str = "cents"


DOLLAR = Currency("dollar", "dollars")
EURO = Currency("euro", "euros")
POUND = Currency("pound", "pounds", "penny", "pence")
YEN = Currency("yen", "yen")
RUPEE = Currency("rupee", "rupees", "paisa", "paise")
CURRENCIES = {
    "$": DOLLAR,
    "US$": Currency("U-S dollar", "U-S dollars"),
    "€": EURO,
    "£": POUND,
    "¥": YEN,
    "₹": RUPEE,
    "₩": Currency("won", "won"),
    "₽": Currency("ruble", "rubles", "kopeck", "kopecks"),
    "₺": Currency("lira", "lira"),
    "₪": Currency("shekel", "shekels", "agora", "agorot"),
    "₦": Currency("naira", "naira", "kobo", "kobo"),
    "฿": Currency("baht", "baht", "satang", "satang"),
    "₫": Currency("dong", "dong"),
    "USD": Currency("U-S dollar", "U-S dollars"),
    "EUR": EURO,
    "GBP": POUND,
    "JPY": YEN,
    "INR": RUPEE,
    "AUD": Currency("Australian dollar", "Australian dollars"),
    "CAD": Currency("Canadian dollar", "Canadian dollars"),
    "CHF": Currency("Swiss franc", "Swiss francs"),
}
SCALES = {
    "k": "thousand",
    "K": "thousand",
    "m": "million",
    "M": "million",
    "mn": "million",
    "b": "billion",
    "bn": "billion",
    "B": "billion",
    "tn": "trillion",
    "T": "trillion",
    "thousand": "thousand",
    "million": "million",
    "billion": "billion",
    "trillion": "trillion",
}
PERIODS = {"hr": "hour", "h": "hour", "mo": "month", "yr": "year", "wk": "week", "ea": "each"}
MONEY = anyone_of(CURRENCIES)
SCALE = rf"(?: (?=thousand|million|billion|trillion))?(?P<{{}}>{anyone_of(SCALES)})(?![\w-])"
AMOUNT = rf"(?P<low>{NUMBER})(?:{SCALE.format('scale')})?"
TO = rf"(?: ?- ?(?:{MONEY})?(?P<high>{NUMBER})(?:{SCALE.format('high_scale')})?)?"


MINUS = r"(?P<minus>(?<![\w)])-)?"


def _money(match: re.Match[str]) -> str:
    currency = CURRENCIES[match["currency"]]
    said = _sum(match["low"], match["scale"], currency)
    if match["high"]:
        high = _sum(match["high"], match["high_scale"], currency)
        whole = "." not in match["low"] and not match["scale"]
        said = f"{quantity(match['low']) if whole else said} to {high}"
    minus = "minus " if match["minus"] else ""
    per = f" per {PERIODS.get(match['per'], match['per'])}" if match["per"] else ""
    return f"{minus}{said}{per}"


def _sum(written: str, scale: str | None, currency: Currency) -> str:
    if scale:
        return f"{quantity(written)} {SCALES[scale]} {currency.many}"
    whole, _, decimals = written.partition(".")
    if len(decimals) > 2:
        return f"{quantity(written)} {currency.many}"
    units, parts = quantity(whole), int(decimals.ljust(2, "0") or 0)
    said_parts = f"{cardinal(parts)} {currency.one_part if parts == 1 else currency.many_parts}"
    if units == "zero" and parts:
        return said_parts
    said = f"{units} {currency.one if units == 'one' else currency.many}"
    return f"{said} and {said_parts}" if parts else said


money: tuple[Rule, ...] = (
    rule(r"(?<![\w)])-(?=\d)", lambda _: "minus "),
    rule(rf"{MINUS}(?<!\w)(?P<currency>{MONEY}) ?{AMOUNT}{TO}(?:/(?P<per>[A-Za-z]+))?", _money),
    rule(rf"{MINUS}{WORD_START}{AMOUNT}{TO} ?(?P<currency>{MONEY})(?!\w)(?:/(?P<per>[A-Za-z]+))?", _money),
    rule(rf"{WORD_START}({NUMBER}) ?¢", lambda match: f"{quantity(match[1])} cent{'s' * (match[1] != '1')}"),
    rule(rf"{WORD_START}({NUMBER})(k|bn|mn|tn|M)\b", lambda match: f"{quantity(match[1])} {SCALES[match[2]]}"),
)
"""Sums with a sign or a code on either side, and thousands and millions written as a letter."""
