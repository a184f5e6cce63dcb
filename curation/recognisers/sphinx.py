"""PocketSphinx: hidden Markov models and a trigram, kin to no neural recogniser. It evaluates, and judges nothing.

Its errors are many (read speech, one word in five), but they are not those of the recognisers that choose among takes,
so what they were fooled by does not fool it. American English.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from catalogs.errors import EngineError
from catalogs.text import primary
from curation.recogniser import RATE_HZ, Transcript, Wave

_LEAD_S = 0.25
"""Silence put before and after a clip: its model of silence begins and ends every utterance."""


class Sphinx:
    """The decoder with the model that comes with it, each clip heard by itself.

    Raises:
        EngineError: if the package is not installed.
    """

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise EngineError("pocketsphinx is not installed: pip install pocketsphinx") from error
        # The cepstral mean of the clip itself: a running one would depend on the clips before.
        self._decoder: Any = Decoder(samprate=RATE_HZ, cmn="batch", loglevel="FATAL")

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe 16 kHz waves, as a `Recogniser` does; None for anything but English."""
        return [
            self._transcript(wave) if primary(language) == "en" else None
            for wave, language in zip(waves, languages, strict=True)
        ]

    def _transcript(self, wave: Wave) -> Transcript:
        silence = np.zeros(round(_LEAD_S * RATE_HZ), np.float32)
        samples = np.concatenate([silence, wave, silence])
        pcm = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return Transcript(found.hypstr if found else "")


def sphinx_version() -> str:
    """The package and its model, which come together."""
    return f"pocketsphinx-{version('pocketsphinx')}"
