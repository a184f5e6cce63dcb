"""The repeat mark of Thai and Lao: what stands before it is said twice.

Engines read ๆ and ໆ as a letter or not at all. The mark repeats a word, nearly always of one syllable, and words are
not parted: so its last syllable is repeated, found by the order in which the scripts write a syllable. A mark behind
a space repeats what is before the space.
"""

import re

MARKS = "ๆໆ"
_MARK = re.compile(f"\\s*[{MARKS}]")


def _syllable(*, leading: str, led: str, second: str, marks: str, after: str) -> str:
    """A pattern of a last syllable: a leading vowel or none, consonants, marks above and below, vowels, a final.

    ``led`` are the consonants that may follow a silent h, ``second`` those that close a cluster, and ``after`` the
    vowels that are written behind the consonant.
    """
    consonant = "[ก-ฮ]" if leading[0] == "เ" else "[ກ-ຮໜໝ]"
    high = "ห" if leading[0] == "เ" else "ຫ"
    onset = rf"(?:{high}(?=[{led}]))?{consonant}[{second}]?"
    return rf"[{leading}]?{onset}[{marks}]*[{after}]{{0,2}}[{marks}]*{consonant}?์?$"


_SYLLABLES = (
    re.compile(_syllable(leading="เแโใไ", led="งญนมยรลว", second="รลว", marks="ัิีึืฺุู็่้๊๋ํ", after="าะำอวย")),
    re.compile(_syllable(leading="ເແໂໃໄ", led="ງຍນມລວຣ", second="ວຼລຣ", marks="ັິີຶືຸູົຼ່້໊໋ໍ", after="າະຳອວຽຍ")),
)


def say_repeats(text: str) -> str:
    """Put what is repeated in the place of every repeat mark; one that nothing stands before is left."""
    if not any(mark in text for mark in MARKS):
        return text
    said, done = "", 0
    for mark in _MARK.finditer(text):
        said += text[done : mark.start()]
        found = [match for pattern in _SYLLABLES if (match := pattern.search(said))]
        said += found[0][0] if found else mark[0]
        done = mark.end()
    return said + text[done:]
