"""Which words a text says, and how phones are written: hama's in ARPABET, the alphabet of PocketSphinx's dictionary."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from catalogs.apostrophes import plain_apostrophes

_ARPABET: Final[dict[str, str]] = {
    "a": "AA",
    "ɑ": "AA",
    "ɒ": "AA",
    "æ": "AE",
    "ʌ": "AH",
    "ə": "AH",
    "ɐ": "AH",
    "ᵊ": "AH",
    "ɔ": "AO",
    "aʊ": "AW",
    "aɪ": "AY",
    "b": "B",
    "t͡ʃ": "CH",
    "d": "D",
    "ð": "DH",
    "ɛ": "EH",
    "e": "EH",
    "eə": "EH R",
    "ɝ": "ER",
    "ɚ": "ER",
    "ɜ": "ER",
    "eɪ": "EY",
    "f": "F",
    "ɡ": "G",
    "g": "G",
    "h": "HH",
    "ɦ": "HH",
    "ɪ": "IH",
    "ɨ": "IH",
    "ɪə": "IH R",
    "i": "IY",
    "d͡ʒ": "JH",
    "k": "K",
    "kʰ": "K",
    "x": "K",
    "l": "L",
    "ɫ": "L",
    "m": "M",
    "n": "N",
    "ɲ": "N Y",
    "ŋ": "NG",
    "o": "OW",
    "oʊ": "OW",
    "ɔɪ": "OY",
    "p": "P",
    "pʰ": "P",
    "ɹ": "R",
    "r": "R",
    "ɾ": "D",
    "s": "S",
    "ʃ": "SH",
    "t": "T",
    "tʰ": "T",
    "θ": "TH",
    "ʊ": "UH",
    "u": "UW",
    "ʉ": "UW",
    "v": "V",
    "w": "W",
    "j": "Y",
    "ɟ": "Y",
    "ju": "Y UW",
    "ja": "Y AA",
    "je": "Y EH",
    "jo": "Y OW",
    "jʌ": "Y AH",
    "wa": "W AA",
    "we": "W EH",
    "wi": "W IY",
    "wʌ": "W AH",
    "y": "UW",
    "ø": "ER",
    "œ": "ER",
    "z": "Z",
    "ʒ": "ZH",
    "ç": "HH",
}
"""Symbols of hama, which reads many languages; what is no sound of its own (length, tone) has no entry."""

_NAMES = (
    *("ay", "bee", "see", "dee", "ee", "eff", "gee", "aitch", "eye", "jay", "kay", "ell", "em"),
    *("en", "oh", "pee", "cue", "ar", "ess", "tee", "you", "vee", "double-you", "ex", "why", "zee"),
)
_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", _NAMES, strict=True))


def arpabet(symbols: Sequence[str]) -> str:
    """Phones of hama in ARPABET, a space between two; empty if none of them is a sound of English."""
    return " ".join(_ARPABET[symbol] for symbol in symbols if symbol in _ARPABET)


def spoken_tokens(text: str) -> Iterator[str]:
    """The words of a text as they stand in it, marks included; a mark that stands alone joins the word before it.

    Joined by a space they are the text again, white space aside; a mark in front joins the first word.
    """
    held = ""
    for token in text.split():
        if any(char.isalnum() for char in token):
            if held and any(char.isalnum() for char in held):
                yield held
                held = ""
            held = f"{held} {token}".strip()
        else:
            held = f"{held} {token}".strip()
    if held:
        yield held


def said_words(spoken: str) -> Iterator[str]:
    """The words of a spoken text in small letters; what is spelled, A-T-M, by the names of its letters."""
    for token in re.findall(r"[a-z']+(?:-[a-z']+)*", plain_apostrophes(spoken.lower())):
        parts = [part for part in token.split("-") if part.strip("'")]
        is_spelled = len(parts) > 1 and all(len(part) == 1 for part in parts)
        for part in parts:
            is_letter = is_spelled or (len(part) == 1 and part not in "aio")
            yield from _LETTERS[part].split("-") if is_letter and part in _LETTERS else [part.strip("'")]
