"""Rules for what is read piece by piece in English: addresses, telephone and card numbers, codes."""

import re

from synthgen.spoken.numbers import cardinal, in_groups, one_by_one, quantity
from synthgen.spoken.rule import Rule, rule

DOMAINS = "com|org|net|edu|gov|io|ai|co|info|app|dev|uk|us|ca|au|de|fr|es|it|nl|eu|ch|jp|in"
MARKS = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore", "+": "plus", ":": "colon"}
MARKS |= {"?": "question mark", "=": "equals", "&": "and", "#": "hash", "%": "percent", "~": "tilde"}


def _address(match: re.Match[str]) -> str:
    written = re.sub(r"^https?://", "", match[0], flags=re.I).rstrip("/")
    pieces = re.findall(r"[^\W\d_]+|\d+|[^\w\s]|_", written)
    return " ".join(MARKS.get(piece) or _piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece.isdecimal():
        return one_by_one(piece) if len(piece) > 2 or piece[0] == "0" else cardinal(int(piece))
    return "W-W-W" if piece.lower() == "www" else piece


URL_TAIL = r"(?:[/?#][^\s\"<>()\[\]]*[\w/])?"
EMAIL = r"(?<![\w.+-])[\w.+-]++(?<=\w)@(?:[\w-]++\.)+[a-zA-Z]{2,}"
URL = rf"(?i:\b(?:https?://|www\.)(?:[\w-]+\.)*[\w-]+(?::\d+)?{URL_TAIL})"
DOMAIN = rf"(?<![\w.-])(?:[a-z\d-]++\.)+(?:{DOMAINS})\b{URL_TAIL}"
addresses: tuple[Rule, ...] = (rule(EMAIL, _address), rule(URL, _address), rule(DOMAIN, _address))
"""E-mail and web addresses, spoken with their dots and slashes."""


def _groups_as_written(match: re.Match[str]) -> str:
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(one_by_one(group) for group in re.findall(r"\d+", match[0]))


def _after_cue(match: re.Match[str]) -> str:
    return f"{match['cue']}{one_by_one(match['code']) if len(match['code']) < 7 else in_groups(match['code'])}"


CUE = (
    r"\b(?:account|accounts|card|code|pin|passcode|password|extension|ext|zip|reference|ref|ticket|flight"
    r"|confirmation|invoice|policy|phone|number|serial|ending|ends|dial)"
    r"(?:\.|:| number| code| no\.?| is| was| in| #| with)*[ #]+(?-i:[A-Z]{2} )?"
)
CARD = r"\d{4}([ -])\d{4}\1\d{4}(?:\1\d{1,4})?"
PHONE = r"(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}"
ABROAD = r"\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){1,5}"
codes: tuple[Rule, ...] = (
    rule(rf"(?<![\w.+]){ABROAD}(?!\w)", _groups_as_written),
    rule(rf"(?<![\w.-])(?:{CARD}|{PHONE}|\d{{3}}-\d{{2}}-\d{{4}})(?![\w-])", _groups_as_written),
    rule(r"(?<![\w.-])(?!(?:19|20)\d\d-(?:19|20)\d\d)\d{3,}-\d{4,}(?![\w-])", _groups_as_written),
    rule(r"#(\d{4,})(?!\d|[.,]\d)", lambda match: f"number {one_by_one(match[1])}"),
    rule(rf"(?P<cue>{CUE})(?P<code>\d{{3,}})(?![\w%]|[-/:.,]\d)", _after_cue, flags=re.I),
)
"""Digits that name something rather than count it."""


def _mixed(match: re.Match[str]) -> str | None:
    runs = re.findall(r"\d+|[^\W\d_]+", match[0])
    letters = [run for run in runs if not run.isdecimal()]
    is_code = all(run.isupper() and run.isascii() for run in letters) and max(map(len, letters)) <= 3
    if not is_code:
        return " ".join(quantity(run) if run.isdecimal() else run for run in runs)
    is_short = max(len(run) for run in runs if run.isdecimal()) <= 2
    said = [_code_run(run, is_short=is_short) for run in runs]
    return ("-" if is_short else " ").join(said)


def _code_run(run: str, *, is_short: bool) -> str:
    if not run.isdecimal():
        return "-".join(run)
    return quantity(run) if is_short else one_by_one(run)


mixed: tuple[Rule, ...] = (
    rule(r"#(?=\d)", lambda _: "number "),
    rule(r"\b(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]+\b", _mixed),
)
"""Letters and digits in one word: B12, A1C, BA2490."""
