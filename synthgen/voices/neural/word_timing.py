"""When the words of a VITS reading are said: the model draws a whole number of frames for each of its symbols."""

from collections.abc import Sequence

import torch

from catalogs.records import WordTime
from synthgen.word_times import sounds_of, word_times

BLANK = ""
"""A symbol of the model that is none of the text; its time belongs to the symbol before it."""
SILENCE = "."


def vits_word_times(
    symbols: Sequence[str], frames: torch.Tensor, *, alone: Sequence[str], length_s: float
) -> tuple[WordTime, ...] | None:
    """The times of the words, by the frames (S,) of S symbols, which together last ``length_s``.

    ``alone`` has the symbols of each word, read by itself. None where the words cannot be told apart.
    """
    lengths_s = (frames.double() * (length_s / frames.double().sum().clamp(min=1.0))).tolist()
    written, lasting_s = [SILENCE], [0.0]
    for symbol, seconds in zip(symbols, lengths_s, strict=True):
        if symbol == BLANK:
            lasting_s[-1] += seconds
        else:
            written.append(symbol)
            lasting_s.append(seconds)
    return word_times(sounds_of(written, lasting_s), alone)
