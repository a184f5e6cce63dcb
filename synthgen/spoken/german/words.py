"""Rules for what is not a number in German text: abbreviations, acronyms, signs, addresses and codes."""

import re

from synthgen.spoken.codes import DOMAIN, EMAIL, URL
from synthgen.spoken.german.numbers import cardinal, in_groups, one_by_one, ordinal, quantity
from synthgen.spoken.rule import Rule, anyone_of, rule

PHRASES = {
    "z. B.": "zum Beispiel",
    "d. h.": "das heißt",
    "u. a.": "unter anderem",
    "i. d. R.": "in der Regel",
    "z. T.": "zum Teil",
    "s. o.": "siehe oben",
    "s. u.": "siehe unten",
    "u. U.": "unter Umständen",
    "v. Chr.": "vor Christus",
    "n. Chr.": "nach Christus",
    "o. Ä.": "oder Ähnliches",
    "usw.": "und so weiter",
    "bzw.": "beziehungsweise",
    "ca.": "circa",
    "etc.": "et cetera",
    "evtl.": "eventuell",
    "ggf.": "gegebenenfalls",
    "inkl.": "inklusive",
    "exkl.": "exklusive",
    "max.": "maximal",
    "mind.": "mindestens",
    "min.": "mindestens",
    "tägl.": "täglich",
    "vgl.": "vergleiche",
    "zzgl.": "zuzüglich",
    "Abs.": "Absatz",
    "Abt.": "Abteilung",
    "Art.": "Artikel",
    "Nr.": "Nummer",
    "Bd.": "Band",
    "Kap.": "Kapitel",
    "Tel.": "Telefon",
    "Hbf.": "Hauptbahnhof",
    "Hbf": "Hauptbahnhof",
    "und/oder": "und oder",
}
PHRASES |= {written[0].upper() + written[1:]: said[0].upper() + said[1:] for written, said in PHRASES.items()}
TITLES = {"Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau", "St.": "Sankt", "Dipl.": "Diplom"}
TITLES |= {"Ing.": "Ingenieur", "Hrn.": "Herrn"}
WORDS = {"NATO": "Nato", "UNO": "Uno", "AIDS": "Aids", "PIN": "Pin", "SIM": "Sim", "OK": "okay", "TÜV": "Tüff"}
"""Acronyms that are read as a word."""

MIXED_CASE = {"GmbH": "G-m-b-H", "MwSt": "Mehrwertsteuer", "WLAN": "W-Lan", "PKW": "P-K-W", "LKW": "L-K-W"}
STRESSED = frozenset(
    (
        *("AB", "ALLE", "ALLES", "AM", "AN", "AUF", "AUS", "BEI", "BIN", "BIS", "BITTE", "DA", "DAS", "DER", "DIE"),
        *("DU", "EIN", "EINE", "ER", "ES", "FÜR", "HIER", "ICH", "IHR", "IM", "IN", "IST", "JA", "JETZT", "KEIN"),
        *("MIT", "NEIN", "NEU", "NICHT", "NIE", "NUN", "NUR", "OB", "ODER", "SEHR", "SIE", "SIND", "SO", "UM"),
        *("UND", "VON", "VOR", "WAS", "WER", "WIE", "WIR", "WO", "ZU", "ZUM", "ZUR"),
    )
)
"""Words that are shouted rather than spelled when they stand in capitals."""

LONGEST_SPELLED = 5
KINGS = "Heinrich|Ludwig|Friedrich|Karl|Otto|Wilhelm|Elisabeth|Katharina|Johannes Paul|Benedikt|Pius|Philipp|Leopold"
QUEENS = ("Elisabeth", "Katharina")
CHAPTERS = "Kapitel|Teil|Band|Abschnitt|Phase|Stufe|Typ|Klasse|Akt|Szene"
ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50}
ROMAN_UP_TO_89 = r"(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXL])"
SIGNS = {
    "&": "und",
    "+": "plus",
    "=": "gleich",
    "@": "ät",
    "%": "Prozent",
    "#": "Raute",
    "/": "Schrägstrich",
    "\\": "Rückstrich",
    "<": "kleiner als",
    ">": "größer als",
    "≤": "höchstens",
    "≥": "mindestens",
    "≈": "etwa",
    "×": "mal",
    "÷": "geteilt durch",
    "±": "plus minus",
    "§": "Paragraf",
    "°": "Grad",
    "$": "Dollar",
    "€": "Euro",
    "£": "Pfund",
    "¥": "Yen",
}
NUMBER_SIGNS = "$€£¥%°+/"
IN_ADDRESS = {".": "Punkt", "@": "ät", "/": "Schrägstrich", "-": "Minus", "_": "Unterstrich", "+": "plus"}
IN_ADDRESS |= {":": "Doppelpunkt", "?": "Fragezeichen", "=": "gleich", "&": "und", "#": "Raute", "%": "Prozent"}
IN_ADDRESS |= {"~": "Tilde"}


def _address(match: re.Match[str]) -> str:
    written = re.sub(r"^https?://", "", match[0], flags=re.I).rstrip("/")
    pieces = re.findall(r"[^\W\d_]+|\d+|[^\w\s]|_", written)
    return " ".join(IN_ADDRESS.get(piece) or _piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece.isdecimal():
        return one_by_one(piece) if len(piece) > 2 or piece[0] == "0" else cardinal(int(piece))
    return "W-W-W" if piece.lower() == "www" else piece


def _phrase(match: re.Match[str]) -> str:
    said = _by_letters(PHRASES)[match[0].replace(" ", "")]
    ends = match[0].endswith(".") and not match.string[match.end() :].strip()
    return f"{said}." if ends else said


def _by_letters(phrases: dict[str, str]) -> dict[str, str]:
    return {written.replace(" ", ""): said for written, said in phrases.items()}


def _acronym(match: re.Match[str]) -> str:
    word, plural = match["word"], "s" if match["plural"] else ""
    if word in WORDS:
        return WORDS[word] + plural
    if word in STRESSED or len(word) > LONGEST_SPELLED:
        return word.lower() + plural
    return "-".join(word) + plural


def _king(match: re.Match[str]) -> str:
    article = "die" if match[1] in QUEENS else "der"
    return f"{match[1]} {article} {ordinal(_roman(match[2]), 'e').capitalize()}"


def _roman(written: str) -> int:
    values = [ROMAN[letter] for letter in written]
    return sum(
        -value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True)
    )


def _digits(match: re.Match[str]) -> str:
    code = match["code"]
    return f"{match['cue']}{one_by_one(code) if len(code) < 7 else in_groups(code)}"


def _phone(match: re.Match[str]) -> str:
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(one_by_one(group) for group in re.findall(r"\d+", match[0]))


def _mixed(match: re.Match[str]) -> str:
    runs = re.findall(r"\d+|[^\W\d_]+", match[0])
    return " ".join(quantity(run) if run.isdecimal() else "-".join(run) if run.isupper() else run for run in runs)


PHRASE = anyone_of(PHRASES).replace(r"\ ", " ?")
CODE_CUE = (
    r"\b(?:konto|karte|code|pin|kennwort|passwort|durchwahl|plz|postleitzahl|\w*nummer|telefon|handy)"
    r"(?:\.|:| ist| lautet| endet auf| mit)*[ #]+"
)
addresses = (rule(EMAIL, _address), rule(URL, _address), rule(DOMAIN, _address))
abbreviations: tuple[Rule, ...] = (
    rule(rf"(?<![\w/])(?:{PHRASE})(?!\w)", _phrase),
    rule(rf"\b({anyone_of(TITLES)}) ?(?=[^\W\d_])", lambda match: f"{TITLES[match[1]]} "),
    rule(r"\b([^\W\d_]*[a-zäöüß])str\.(?!\w)", lambda match: f"{match[1]}straße"),
    rule(r"\bStr\.(?!\w)", lambda _: "Straße"),
)
codes: tuple[Rule, ...] = (
    rule(r"(?<![\w.+])(?:\+\d{1,3}|0\d{2,5})(?:[ /.-]\(?\d{1,8}\)?){1,5}(?![\w.]\d)", _phone),
    rule(rf"(?P<cue>{CODE_CUE})(?P<code>\d{{3,}})(?![\w%]|[-/:.,]\d)", _digits, flags=re.I),
)
mixed: tuple[Rule, ...] = (
    rule(r"#(?=\d)", lambda _: "Nummer "),
    rule(r"\b(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]+\b", _mixed),
)
capitals: tuple[Rule, ...] = (
    rule(r"\b[A-ZÄÖÜ](?: [A-ZÄÖÜ]){2,}\b", lambda match: match[0].replace(" ", "-")),
    rule(rf"\b({KINGS}) ({ROMAN_UP_TO_89})\b\.?(?!\w)", _king),
    rule(rf"\b({CHAPTERS}) ({ROMAN_UP_TO_89})\b", lambda match: f"{match[1]} {cardinal(_roman(match[2]))}"),
    rule(rf"\b({anyone_of(MIXED_CASE)})\b\.?(?!\w)", lambda match: MIXED_CASE[match[1]]),
    rule(r"\b(?P<word>[A-ZÄÖÜ]{2,})(?P<plural>s)?\b", _acronym),
)


def signs(*, with_numbers: bool) -> tuple[Rule, ...]:
    """Rules that name the signs of German text; those beside numbers only if numbers are said too."""
    said = tuple(sign for sign in SIGNS if with_numbers or sign not in NUMBER_SIGNS)
    return (
        rule(r"#(?=[^\W\d_])", lambda _: "Hashtag "),
        rule(rf" ?({anyone_of(said)}) ?", lambda match: f" {SIGNS[match[1]]} "),
    )
