"""Rules for shortened words in English: abbreviations, acronyms, Roman numerals, shouting."""

import re

from synthgen.spoken.numbers import cardinal, ordinal
from synthgen.spoken.rule import Rule, anyone_of, rule

TITLES = {
    "Dr": "Doctor",
    "Mr": "Mister",
    "Mrs": "Missus",
    "Ms": "Miz",
    "Prof": "Professor",
    "St": "Saint",
    "Mt": "Mount",
    "Ft": "Fort",
    "Gen": "General",
    "Sgt": "Sergeant",
    "Lt": "Lieutenant",
    "Capt": "Captain",
    "Col": "Colonel",
    "Rev": "Reverend",
    "Hon": "Honorable",
    "Sen": "Senator",
    "Gov": "Governor",
}
"""Said in front of a name."""

PLACES = {
    "St": "Street",
    "Dr": "Drive",
    "Ave": "Avenue",
    "Rd": "Road",
    "Blvd": "Boulevard",
    "Ln": "Lane",
    "Hwy": "Highway",
    "Sq": "Square",
    "Jr": "Junior",
    "Sr": "Senior",
    "Inc": "Incorporated",
    "Ltd": "Limited",
    "Corp": "Corporation",
}
"""Said behind a name."""

PHRASES = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera",
    "vs.": "versus",
    "approx.": "approximately",
    "Apt.": "apartment",
    "apt.": "apartment",
    "Dept.": "department",
    "dept.": "department",
    "est.": "estimated",
    "incl.": "including",
    "excl.": "excluding",
    "misc.": "miscellaneous",
    "Ph.D.": "P-H-D",
    "PhD": "P-H-D",
    "w/o": "without",
    "w/": "with ",
    "and/or": "and or",
}
WORDS = {
    "AIDS": "aids",
    "ASAP": "as soon as possible",
    "COVID": "Covid",
    "FAQ": "F-A-Q",
    "GIF": "gif",
    "NASA": "Nasa",
    "NATO": "Nato",
    "OK": "okay",
    "PIN": "pin",
    "RAM": "ram",
    "SARS": "sars",
    "SIM": "sim",
    "UNICEF": "Unicef",
    "UNESCO": "Unesco",
    "ZIP": "zip",
}
"""Acronyms that are read as a word, or as the words they stand for."""

STRESSED = frozenset(
    (
        *("A", "ALL", "ALWAYS", "AM", "AN", "AND", "ARE", "AS", "AT", "BE", "BUT", "BY", "CALL", "CAN"),
        *("DO", "FOR", "FREE", "GET", "GO", "HAS", "HE", "HELP", "HER", "HIM", "HIS", "HOW", "I"),
        *("IF", "IN", "IS", "IT", "LET", "ME", "MORE", "MUST", "MY", "NEVER", "NEW", "NEXT", "NO"),
        *("NOT", "NOW", "OF", "OFF", "ON", "ONE", "ONLY", "OPEN", "OR", "OUT", "OVER", "PLEASE", "SAVE"),
        *("SHE", "SO", "STOP", "THANK", "THANKS", "THAT", "THE", "THEM", "THEY", "THIS", "TO", "TOO"),
        *("UP", "USE", "VERY", "WAIT", "WAS", "WE", "WHAT", "WHEN", "WHERE", "WHO", "WHY", "WILL"),
        *("YES", "YOU", "YOUR"),
    )
)
"""Words that are shouted rather than spelled when they stand in capitals."""

LONGEST_SPELLED = 5
"""Letters of the longest unknown word in capitals that is spelled out; a longer one is shouted."""

KINGS = "Henry|Louis|Elizabeth|George|Charles|Edward|William|James|Richard|John Paul|Benedict|Pius|Philip|Alexander"
CHAPTERS = "Chapter|Part|Section|Phase|Stage|Type|type|stage|Grade|Class|Volume|Act|Scene|War|Bowl|Title|Level|Book"
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}
ROMAN_UP_TO_89 = r"(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXL])"


def _phrase(match: re.Match[str]) -> str:
    return PHRASES[match[0]] + _full_stop_of(match)


def _place(match: re.Match[str]) -> str:
    return f"{match['name']} {PLACES[match['short']]}{_full_stop_of(match)}"


def _initials(match: re.Match[str]) -> str:
    return "-".join(re.findall("[A-Z]", match[0].upper())) + _full_stop_of(match)


def _full_stop_of(match: re.Match[str]) -> str:
    """Keep the full stop of an abbreviation that ends the text, for it ends the sentence too."""
    return "." if match[0].endswith(".") and not match.string[match.end() :].strip() else ""


def _acronym(match: re.Match[str]) -> str:
    word, plural = match["word"], "'s" if match["plural"] else ""
    if word in WORDS:
        return WORDS[word] + plural.strip("'")
    if word in STRESSED or len(word) > LONGEST_SPELLED:
        return word.lower() + plural.strip("'")
    return "-".join(word) + plural


def _roman(written: str) -> int:
    values = [ROMAN[letter] for letter in written]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def calm(text: str) -> str:
    """Write a text that is all in capitals in small letters; acronyms among them cannot be told apart."""
    words = re.findall(r"[A-Za-z]{2,}", text)
    if len(words) < 4 or any(word != word.upper() for word in words):
        return text
    return re.sub(r"\b[A-Z]{2,}\b", lambda match: match[0] if match[0] in WORDS else match[0].lower(), text)


abbreviations: tuple[Rule, ...] = (
    rule(rf"(?<![\w/])(?:{anyone_of(PHRASES)})(?!\w)|(?<![\w/])w/(?=\w)", _phrase),
    rule(r"\b[Nn]o\. ?(?=\d)", lambda _: "number "),
    rule(
        rf"\b(?P<name>(?:[A-Z][a-z]+|\d+(?:st|nd|rd|th)),?) (?P<short>{anyone_of(PLACES)})\b\.?"
        r"(?=\s*$|[,;:!?]|\s+[a-z])",
        _place,
    ),
    rule(rf"\b({anyone_of(TITLES)})\. ?(?=[A-Z])", lambda match: f"{TITLES[match[1]]} "),
    rule(r"\b(Dr|Mr|Mrs|Ms|Prof)\. ?(?=[^\W_])", lambda match: f"{TITLES[match[1]]} "),
    rule(r"\b(Dr|Mr|Mrs|Ms|Prof|St|Mt) (?=[A-Z])", lambda match: f"{TITLES[match[1]]} "),
    rule(
        r"(?:(?<!\d)(?<!\d )|(?!(?i:[ap]\.m\.)))(?<![\w.])(?:[A-Z]\.(?: ?[A-Z]\.)+|[a-z]\.(?:[a-z]\.)+)(?!\w)",
        _initials,
    ),
)
"""Words cut short by a full stop."""

capitals: tuple[Rule, ...] = (
    rule(r"\b[A-Z](?: [A-Z]){2,}\b", lambda match: match[0].replace(" ", "-")),
    rule(rf"\b({KINGS}) ({ROMAN_UP_TO_89})\b(?!\. \w)", lambda match: f"{match[1]} the {ordinal(_roman(match[2]))}"),
    rule(
        rf"\b({CHAPTERS}) (?!I\b [a-z])({ROMAN_UP_TO_89})\b", lambda match: f"{match[1]} {cardinal(_roman(match[2]))}"
    ),
    rule(r"\b(?P<word>[A-Z]{2,})(?P<plural>'?s)?\b", _acronym),
)
"""Roman numerals behind a word that calls for one, acronyms, and words spelled aloud."""
