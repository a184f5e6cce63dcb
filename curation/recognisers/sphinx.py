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

LEAD_S = 0.25
"""Silence put before and after a clip: its model of silence begins and ends every utterance."""


class Sphinx:
    """The decoder with the model that comes with it, each clip heard by itself.

    Raises:
        EngineError: if the package is not installed.
    """

    def __init__(self) -> None:
        self._decoder = new_decoder()

    def transcribe(self, waves: Sequence[Wave], *, languages: Sequence[str]) -> list[Transcript | None]:
        """Transcribe 16 kHz waves, as a `Recogniser` does; None for anything but English."""
        return [
            self._transcript(wave) if primary(language) == "en" else None
            for wave, language in zip(waves, languages, strict=True)
        ]

    def _transcript(self, wave: Wave) -> Transcript:
        search(self._decoder, pcm_of(wave))
        found = self._decoder.hyp()
        return Transcript(found.hypstr if found else "")


def new_decoder(**settings: object) -> Any:
    """A decoder with the model that comes with it, and these settings of PocketSphinx.

    Raises:
        EngineError: if the package is not installed.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError as error:
        raise EngineError("pocketsphinx is not installed: pip install pocketsphinx") from error
    # The cepstral mean of the clip itself: a running one would depend on the clips before.
    return Decoder(samprate=RATE_HZ, cmn="batch", loglevel="FATAL", **settings)


def pcm_of(wave: Wave, *, hiss: float = 0.0) -> bytes:
    """A 16 kHz wave as the decoder reads it: 16 bits, with ``LEAD_S`` of silence on either side.

    ``hiss`` is the standard deviation of noise, the same every time, on all of it.
    """
    silence = np.zeros(round(LEAD_S * RATE_HZ), np.float32)
    samples = np.concatenate([silence, wave, silence])
    if hiss:
        samples += np.float32(hiss) * np.random.default_rng(0).standard_normal(len(samples), np.float32)
    pcm: bytes = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int16).tobytes()
    return pcm


def search(decoder: Any, pcm: bytes) -> None:
    """Hear one utterance as a whole, with whatever search the decoder is set to."""
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=False, full_utt=True)
    decoder.end_utt()


def sphinx_version() -> str:
    """The package and its model, which come together."""
    return f"pocketsphinx-{version('pocketsphinx')}"
