"""Reasons why a prompt must not be cast: found before a voice is loaded, or money spent on it."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from catalogs.text import primary
from catalogs.writing import expected_s, script_of

MAX_SPOKEN_S = 80.0
"""The longest reading: no engine of the studio keeps its voice for longer. A minute is 900 characters of English, but
less than 300 of Chinese."""

MAX_CHARACTERS = 1000
"""The longest spoken text in any script."""

MAX_WORD_CHARACTERS = 70
"""Room for a number or a law in German, which are one word; English never needs as much."""

FOREIGN_SHARE = 0.2
"""A voice drops or guesses what it cannot read; one name in another script passes, a sentence does not."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a text is not cast: a stable code for queries, and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class _Writing:
    """How languages are written: the first words of the Unicode names of their letters."""

    scripts: tuple[str, ...]
    languages: tuple[str, ...]


WRITINGS = (
    _Writing(("ARABIC",), ("ar", "fa", "ur", "ps", "ckb", "ug", "sd")),
    _Writing(("CYRILLIC",), ("ru", "uk", "be", "bg", "mk", "kk", "ky", "tg", "mn")),
    _Writing(("CYRILLIC", "LATIN"), ("sr", "uz")),
    _Writing(("GREEK",), ("el",)),
    _Writing(("HEBREW",), ("he", "yi")),
    _Writing(("ARMENIAN",), ("hy",)),
    _Writing(("GEORGIAN",), ("ka",)),
    _Writing(("ETHIOPIC",), ("am", "ti")),
    _Writing(("DEVANAGARI",), ("hi", "mr", "ne", "sa")),
    _Writing(("BENGALI",), ("bn", "as")),
    _Writing(("GURMUKHI",), ("pa",)),
    _Writing(("GUJARATI",), ("gu",)),
    _Writing(("ORIYA",), ("or",)),
    _Writing(("TAMIL",), ("ta",)),
    _Writing(("TELUGU",), ("te",)),
    _Writing(("KANNADA",), ("kn",)),
    _Writing(("MALAYALAM",), ("ml",)),
    _Writing(("SINHALA",), ("si",)),
    _Writing(("THAI",), ("th",)),
    _Writing(("LAO",), ("lo",)),
    _Writing(("KHMER",), ("km",)),
    _Writing(("MYANMAR",), ("my",)),
    _Writing(("TIBETAN",), ("bo", "dz")),
    _Writing(("CJK", "BOPOMOFO"), ("zh", "yue", "cmn")),
    _Writing(("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"), ("ja",)),
    _Writing(("HANGUL", "CJK"), ("ko",)),
    _Writing(
        ("LATIN",),
        (
            *("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "no", "nb", "nn", "fi", "is", "pl", "cs", "sk"),
            *("sl", "hr", "bs", "hu", "ro", "tr", "az", "et", "lv", "lt", "sq", "ca", "gl", "eu", "cy", "ga", "mt"),
            *("id", "ms", "tl", "fil", "vi", "sw", "af", "so", "yo", "ha", "ig", "zu", "xh", "lb", "eo", "la"),
        ),
    ),
)
UNSPACED = frozenset({"THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "CJK", "BOPOMOFO", "HIRAGANA", "KATAKANA"})
"""Scripts that set no spaces between words: a run of their letters may be a whole sentence."""

SCRIPTS = {language: writing.scripts for writing in WRITINGS for language in writing.languages}
"""Languages not listed here are read in any script."""

PLACEHOLDER = re.compile(r"\{+\s*[A-Za-z_][\w .-]*\}+|<[A-Za-z/][^<>]{0,40}>|\[[A-Z_]{2,}\]|\$\{|%[sd]\b")
GARBLED = re.compile("\ufffd|Ã[\x80-\xbf©¨¼¶¤ª«±³º]|â€[\x80-\xbf™œ“”˜\x9d]|[\ue000-\uf8ff]")
STUTTER = re.compile(r"(\S)\1{9,}")


def check(text: str, spoken: str, language: str, *, max_characters: int = MAX_CHARACTERS) -> Reason | None:
    """Say why a text must not be cast, or None if it may.

    Args:
        text: the prompt as it was written.
        spoken: its spoken form, which is what the engine would get.
        language: the language of the voice; one that is unknown here is read in any script.
        max_characters: the longest spoken text that the engine reads well.
    """
    if not text.strip():
        return Reason("empty", "the text is empty")
    garbled = GARBLED.search(text)
    if garbled:
        return Reason("garbled", f"{garbled[0]!r} comes from a wrong decoding; read the source again as UTF-8")
    placeholder = PLACEHOLDER.search(text)
    if placeholder:
        return Reason("placeholder", f"{placeholder[0]!r} is markup or a slot that was never filled")
    if not any(char.isalnum() for char in spoken):
        return _unspeakable(text)
    return _wrong_script(spoken, language) or _misshapen(spoken, language, max_characters)


def _unspeakable(text: str) -> Reason:
    if any(unicodedata.category(char) == "So" for char in text):
        return Reason("only_emoji", "the text has emoji or pictograms and no words")
    return Reason("unspeakable", "the text has no letter or digit that can be said")


def _wrong_script(spoken: str, language: str) -> Reason | None:
    scripts = SCRIPTS.get(primary(language))
    if scripts is None or (spoken.isascii() and "LATIN" in scripts):
        return None
    found = Counter(script_of(char) for char in spoken if char.isalpha())
    foreign = {script: count for script, count in found.items() if script not in scripts}
    if sum(foreign.values()) <= FOREIGN_SHARE * found.total():
        return None
    most = max(sorted(foreign), key=lambda script: foreign[script])
    return Reason("wrong_script", f"{most.title()} letters, which a voice for {language!r} cannot read")


def _misshapen(spoken: str, language: str, max_characters: int) -> Reason | None:
    if len(spoken) > max_characters:
        return Reason("too_long", f"{len(spoken)} characters when spoken, the engine reads {max_characters}; split it")
    spoken_s = expected_s(spoken, language)
    if spoken_s is not None and spoken_s > MAX_SPOKEN_S:
        return Reason("too_long", f"about {spoken_s:.0f} s when spoken, {MAX_SPOKEN_S:.0f} are the most; split it")
    stutter = STUTTER.search(spoken)
    if stutter:
        return Reason("repeated", f"{stutter[1]!r} is repeated {len(stutter[0])} times")
    endless = next(
        (word for word in spoken.split() if len(word) > MAX_WORD_CHARACTERS and not _is_sentence(word)), None
    )
    if endless:
        return Reason("endless_word", f"a word of {len(endless)} letters, {endless[:20]}…, is not one")
    return None


def _is_sentence(run: str) -> bool:
    """Whether a run without spaces may be many words: all but a few of its letters are of an unspaced script."""
    unspaced = sum(script_of(char) in UNSPACED or not char.isalpha() for char in run)
    return len(run) - unspaced <= MAX_WORD_CHARACTERS
