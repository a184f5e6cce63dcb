"""Text to phones (G2P): the CMU dictionary that comes with PocketSphinx, and a way with words that it lacks. English.

    Pronouncer().pronounce("two teas").phones     # T UW | T IY Z, as a tuple; | parts words

A sequence of phones has no durations and no stress; of several pronunciations the dictionary's first is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from catalogs.apostrophes import plain_apostrophes
from catalogs.errors import EngineError, UsageError
from catalogs.models import fetch
from catalogs.pronunciations import arpabet, said_words

BOUNDARY = "|"
"""Stands between two words."""

PHONES = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH"),
    *("K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"),
)
"""ARPABET without stress."""

Unknown = Literal["read", "spell", "refuse"]
"""A word that the dictionary lacks is read by hama, or spelled by the names of its letters, or has no phones."""

_NO_SOUND = frozenset({"<blank>", "<wb>", "<pad>", "<sos>", "<eos>", "<unk>", " ", "‿"})
_LONGEST_WORD = 48
_SAID_SIGNS = frozenset("%‰&@#+=×÷±°§$€£¥¢")
_LACKING = {"eff": ("EH", "F"), "aitch": ("EY", "CH")}
"""Names of letters that PocketSphinx's dictionary has under the letters alone."""


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """The phones of a text, words parted by `BOUNDARY`.

    ``guessed`` are the words that are in no dictionary and were read or spelled; ``lost`` the words, digits,
    signs such as % and letters of other scripts that have no phones here, among them words to be read of more letters
    than hama reads.
    """

    phones: tuple[str, ...]
    guessed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class Pronouncer:
    """Says texts. The dictionary is read once; a word that it lacks costs hama 20 ms the first time.

    Raises:
        EngineError: if PocketSphinx is not installed, or hama where it is needed.
        UsageError: for another way with unknown words.
    """

    def __init__(self, *, unknown: Unknown = "read") -> None:
        if unknown not in get_args(Unknown):
            raise UsageError(f"unknown = {unknown!r}: expected one of {', '.join(get_args(Unknown))}")
        self._dictionary = cmu_dictionary()
        self._unknown = unknown
        self._guesses: dict[str, tuple[str, ...]] = {}
        self._reader: LetterReader | None = None

    def pronounce(self, text: str) -> Pronunciation:
        """The phones of a text in its spoken form."""
        text = plain_apostrophes(text)
        phones: list[str] = []
        guessed: list[str] = []
        lost = [char for char in text.lower() if char in _SAID_SIGNS or (char.isalnum() and not "a" <= char <= "z")]
        for word in filter(None, said_words(text)):
            known = self._dictionary.get(word)
            found = self._guess(word) if known is None else known
            if known is None:
                (guessed if found else lost).append(word)
            if found:
                phones += [BOUNDARY, *found] if phones else found
        return Pronunciation(tuple(phones), tuple(guessed), tuple(lost))

    def _guess(self, word: str) -> tuple[str, ...]:
        if word not in self._guesses:
            ways = {"read": self._read, "spell": self._spelled}
            self._guesses[word] = ways[self._unknown](word) if self._unknown in ways else ()
        return self._guesses[word]

    def _read(self, word: str) -> tuple[str, ...]:
        if len(word) > _LONGEST_WORD:  # hama would leave out its end
            return ()
        self._reader = self._reader or LetterReader(fetch("hama"))
        return tuple(arpabet(self._reader(word)).split())

    def _spelled(self, word: str) -> tuple[str, ...]:
        names = said_words("-".join([*word.replace("'", ""), ""]))
        found = [self._dictionary.get(name, ()) for name in names]
        return tuple(phone for name in found for phone in name) if all(found) else ()


class LetterReader:
    """hama's text-to-phones half: reads a word by its letters; about 20 ms each.

    Raises:
        EngineError: if the package is not installed, or has no engine for this machine.
    """

    def __init__(self, weights: Path) -> None:
        try:
            from hama import G2PModel  # loads a compiled engine
        except ImportError as error:
            raise EngineError("words are read by the package hama: pip install hama") from error
        try:
            self._model: Any = G2PModel(weights, vocab_path=weights / "g2p_vocab.json", max_input_len=_LONGEST_WORD)
        except RuntimeError as error:
            raise EngineError(f"hama does not run here: {error}") from error

    def __call__(self, word: str) -> list[str]:
        """The phones of a word, in hama's symbols."""
        return [part.phoneme for part in self._model(word).alignments if part.phoneme not in _NO_SOUND]


@cache
def cmu_dictionary() -> Mapping[str, tuple[str, ...]]:
    """The first pronunciation of every word of PocketSphinx's English dictionary, and of the names of F and H.

    They are 126 thousand words.

    Raises:
        EngineError: if PocketSphinx is not installed.
    """
    try:
        from pocketsphinx import get_model_path
    except ImportError as error:
        raise EngineError("pocketsphinx is not installed: pip install pocketsphinx") from error
    lines = Path(get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8").splitlines()
    entries = (line.split() for line in lines)
    return {word: tuple(phones) for word, *phones in entries if not word.endswith(")")} | _LACKING
