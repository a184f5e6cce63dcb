"""hama: what phones a clip holds, frame by frame, and what phones an English text should have.

A small conformer with a CTC head, trained on phones; it knows no words and no language model, so it cannot hear what
was not said because it would have been likely. Its text-to-phones half writes the same alphabet. English only: on
German and Dutch real speech, two thirds of its phones are wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import EngineError
from catalogs.g2p import LetterReader
from catalogs.pronunciations import said_words
from catalogs.text import primary
from curation.recogniser import Wave

# T frames of 20 ms · V symbols, of which two are no phones: the blank and the word boundary

Emission = NDArray[np.float32]
"""Log probabilities, shape (T, V)."""

_BLANK, _BOUNDARY = "<blank>", "<wb>"


@dataclass(frozen=True, slots=True)
class Sounds:
    """The phones of a text, word by word, as indexes of symbols."""

    words: tuple[tuple[int, ...], ...]

    @property
    def phones(self) -> list[int]:
        """All of them in a row."""
        return [phone for word in self.words for phone in word]


class Hama:
    """The loaded models. A wave is heard alone and as a whole.

    Raises:
        EngineError: if the package is not installed, or has no engine for this machine.
    """

    def __init__(self, weights: Path) -> None:
        try:
            from hama import ASRModel  # loads a compiled engine
        except ImportError as error:
            raise EngineError("the family phones needs the package hama: pip install hama") from error
        try:
            self._ears: Any = ASRModel(weights / "asr_waveform.hama", weights / "g2p_vocab.json")
        except RuntimeError as error:
            raise EngineError(f"hama does not run here: {error}") from error
        self._reader = LetterReader(weights)
        self.symbols: tuple[str, ...] = tuple(self._ears.decoder_tokens)
        self._indexes = {symbol: index for index, symbol in enumerate(self.symbols)}
        self._sound = lru_cache(maxsize=65_536)(self._read)

    @staticmethod
    def knows(language: str) -> bool:
        """Whether it can judge a language."""
        return primary(language) == "en"

    @cached_property
    def blank(self) -> int:
        """The column that holds the probability of no phone, once `emission` has made it one."""
        return self._indexes[_BLANK]

    def emission(self, wave: Wave) -> Emission:
        """Hear a 16 kHz wave: log probabilities of every symbol, where the boundary counts as blank."""
        if len(wave) == 0:
            return np.zeros((0, len(self.symbols)), np.float32)
        feeds = {"waveform": wave, "waveform_lengths": np.array([len(wave)])}
        found, lengths = self._ears.session.run(["log_probs", "out_lengths"], feeds)
        heard = np.array(found[0][: int(lengths[0])], np.float32)
        boundary = self._indexes[_BOUNDARY]
        heard[:, self.blank] = np.logaddexp(heard[:, self.blank], heard[:, boundary])
        heard[:, boundary] = -np.inf
        return heard

    def phones(self, emission: Emission) -> list[int]:
        """The likeliest symbol of every frame, without repeats and blanks."""
        best = emission.argmax(axis=1)
        changes = np.flatnonzero(np.diff(best, prepend=-1))
        return [int(symbol) for symbol in best[changes] if symbol != self.blank]

    def sounds(self, spoken: str) -> Sounds:
        """The phones of a text in its spoken form; a word costs 20 ms the first time. Digits have none."""
        sounds = (self._sound(word) for word in said_words(spoken))
        return Sounds(tuple(sound for sound in sounds if sound))

    def written(self, phones: Sequence[int]) -> str:
        """Phones in the letters of the phonetic alphabet, a space between two."""
        return " ".join(self.symbols[phone] for phone in phones)

    def _read(self, word: str) -> tuple[int, ...]:
        return tuple(self._indexes[symbol] for symbol in self._reader(word))
