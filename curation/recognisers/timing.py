"""Timing: when each word of a known text is said, by PocketSphinx's forced search through hidden Markov models.

Its states follow each other every 10 ms and fill a word from end to end, with silence as a state of its own. What else
runs here knows less of boundaries: hama's CTC has a peak in the middle of a phone and blanks around it, and the
cross-attention of Whisper times what it heard and not the text. English; a word that is not in the dictionary is read
by hama.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from catalogs.models import artefact, fetch
from catalogs.pronunciations import arpabet, said_words, spoken_tokens
from curation.recogniser import RATE_HZ, Wave
from curation.recognisers.hama import Hama
from curation.recognisers.sphinx import LEAD_S, new_decoder, pcm_of, search, sphinx_version

_REVISION = 1
"""Raised with every change that may move a boundary."""

_FRAME_S = 0.01
_NATS = 1024 * float(np.log(1.0001))
"""One unit of the search's scores: its logarithms have the base 1.0001 and lose ten bits."""

_HISSES = (0.0, 1e-4, 3e-4, 1e-3)
"""Faint noise, tried in turn: in digital silence, which no microphone makes, the models of silence find nothing."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as it stands in the text, and when it is said.

    ``confidence`` is the mean log probability of its frames against the likeliest sound of each, in nats, at most 0.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


class Timer:
    """Finds the words of texts in clips. A clip is heard alone and as a whole.

    Raises:
        EngineError: if PocketSphinx or hama is not installed.
    """

    def __init__(self) -> None:
        # All sounds are scored in every frame: a word is told from what else it could be. The beams stay as they are:
        # much wider ones overflow the integers of the second search, which then ends in no state.
        self._decoder: Any = new_decoder(lm=None, compallsen=True)
        self._reader = Hama(fetch("hama"))

    @staticmethod
    def knows(language: str) -> bool:
        """Whether it can time a language."""
        return Hama.knows(language)

    def times(self, wave: Wave, text: str) -> list[TimedWord] | None:
        """When the words of a text in its spoken form are said in a 16 kHz wave, in order; none overlaps the next.

        None if the text has no words, or cannot be found in the wave.
        """
        tokens = self._tokens(text)
        if not tokens or not wave.any():
            return None
        parts = [(index, part) for index, (_, parts) in enumerate(tokens) for part in parts]
        entries = self._found(wave, [part for _, part in parts])
        if entries is None:
            return None
        owned = zip([index for index, _ in parts], entries, strict=True)
        grouped = [[entry for _, entry in group] for _, group in groupby(owned, key=lambda pair: pair[0])]
        length_s = len(wave) / RATE_HZ
        return [_timed(token, group, length_s=length_s) for (token, _), group in zip(tokens, grouped, strict=True)]

    def _tokens(self, text: str) -> list[tuple[str, list[str]]]:
        """The words of a text, and what each is made of in the dictionary; one without sounds joins its neighbour."""
        tokens: list[tuple[str, list[str]]] = []
        for token in spoken_tokens(text):
            parts = [part for part in said_words(token) if self._is_known(part)]
            if tokens and not (parts and tokens[-1][1]):
                before, parts_before = tokens.pop()
                token, parts = f"{before} {token}", parts_before + parts
            tokens.append((token, parts))
        return tokens if tokens and tokens[0][1] else []

    def _is_known(self, word: str) -> bool:
        """Whether the dictionary has a word, once it has been given what it lacks."""
        if self._decoder.lookup_word(word):
            return True
        sounds = arpabet(self._reader.written(self._reader.sounds(word).phones).split())
        if sounds:
            self._decoder.add_word(word, sounds, False)
        return bool(sounds)

    def _found(self, wave: Wave, words: Sequence[str]) -> list[Any] | None:
        """The entries of the words on the best path through the wave."""
        for hiss in _HISSES:
            entries = self._forced(pcm_of(wave, hiss=hiss), words)
            if [entry.name.partition("(")[0] for entry in entries] == list(words):
                return entries
        return None

    def _forced(self, pcm: bytes, words: Sequence[str]) -> list[Any]:
        """The entries of what was found, silences left out: a search for words, then one for states within them."""
        decoder = self._decoder
        decoder.set_align_text(" ".join(words))
        search(decoder, pcm)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        try:
            search(decoder, pcm)
        except RuntimeError:  # no state of the last word is left: it is as little found as where there is no hypothesis
            return []
        return [entry for entry in decoder.get_alignment() or () if entry.name[0] not in "<[+"]


def timing_version() -> str:
    """Everything that decides where a word begins."""
    return f"{_REVISION}/{sphinx_version()}/hama-{artefact('hama').sha256[:12]}"


def _timed(text: str, entries: Sequence[Any], *, length_s: float) -> TimedWord:
    first, last = entries[0], entries[-1]
    num_frames = sum(entry.duration for entry in entries)
    return TimedWord(
        text,
        _within(first.start, length_s),
        _within(last.start + last.duration, length_s),
        min(0.0, sum(entry.score for entry in entries) / max(num_frames, 1) * _NATS),
    )


def _within(frame: int, length_s: float) -> float:
    """The moment of a frame in the clip, without the silence that was put before it."""
    return min(max(frame * _FRAME_S - LEAD_S, 0.0), length_s)
