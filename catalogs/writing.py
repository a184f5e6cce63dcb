"""How languages are written: the script of a letter, and how long a text takes to read aloud, spaces or none."""

import unicodedata
from functools import lru_cache

from catalogs.text import primary

START_S = 0.15
LETTER_S = {"en": 0.0785, "de": 0.0660, "nl": 0.0662, "lo": 0.0874, "sw": 0.0808, "th": 0.0956, "vi": 0.0820}
"""Seconds a text is expected to take: `START_S`, and this much for each letter or digit of it.

English, German and Dutch are medians over 1,126, 80 and 80 recordings of 60, 1 and 1 readers (LJ Speech,
LibriSpeech, Kathleen, Kerstin, Nathalie, commands, single digits); nine in ten of the longer ones lie
within 0.8 and 1.3 of what they should take. The others follow from English by the length of the Universal
Declaration of Human Rights, since languages differ in letters a second more than in meaning a second.
"""

SCRIPT_S = {
    "LATIN": 0.075,
    "CYRILLIC": 0.08,
    "GREEK": 0.07,
    "ARMENIAN": 0.08,
    "GEORGIAN": 0.075,
    "HEBREW": 0.105,
    "ARABIC": 0.105,
    "ETHIOPIC": 0.13,
    "DEVANAGARI": 0.115,
    "BENGALI": 0.12,
    "TAMIL": 0.115,
    "TELUGU": 0.13,
    "THAI": 0.0956,
    "LAO": 0.0874,
    "HANGUL": 0.165,
    "CJK": 0.22,
    "HIRAGANA": 0.13,
    "KATAKANA": 0.13,
    "KATAKANA-HIRAGANA": 0.13,
}
"""Seconds a letter takes in a language that has not been measured, by the first word of its Unicode name.

A letter is a sound in Latin, a consonant in Hebrew, a syllable in Hangul. Latin is the mean over `LETTER_S` where it is
written in Latin; CJK and kana are a syllable and a mora at the rates of Pellegrino, Coupé and Marsico (2011), 5.2 and
7.8 a second, CJK with pauses. The others are the time of the English over the letters of one language (Russian, Greek,
Arabic and Persian, Hindi …) in the first article of that declaration: expect them to be right within a third.
"""

_DIGIT_S = 0.3
"""A digit that was left to the engine is said as a word."""


def letters_of(text: str) -> list[str]:
    """The letters and digits of a text; vowel signs and tone marks belong to the letter they stand at."""
    return [char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char)[0] in "LN"]


@lru_cache(maxsize=65_536)
def script_of(char: str) -> str:
    """The script of a character, as the first word of its Unicode name: "LATIN", "CJK", "THAI"."""
    name = unicodedata.name(char, "UNKNOWN").split()
    return name[1] if name[0] in {"FULLWIDTH", "HALFWIDTH"} and len(name) > 1 else name[0]


def expected_s(text: str, language: str) -> float | None:
    """How long a text should take to read, in seconds.

    A language that was measured has its own time for a letter, another that of the script of each letter. None for a
    text that says nothing, or has a letter of a script of which nothing is known.
    """
    letters, per_letter_s = letters_of(text), LETTER_S.get(primary(language))
    if not letters:
        return None
    if per_letter_s is not None:
        return START_S + per_letter_s * len(letters)
    times_s = [SCRIPT_S.get(script_of(char)) if char.isalpha() else _DIGIT_S for char in letters]
    known_s = [time_s for time_s in times_s if time_s is not None]
    return START_S + sum(known_s) if len(known_s) == len(letters) else None
