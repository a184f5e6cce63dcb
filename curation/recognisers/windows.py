"""Windows: the pieces of a clip that Whisper hears at once, and how long a window each of them needs.

Whisper was trained on windows of 30 s, which cost the same whatever they hold. A *fitted* window is as short as its
clip allows, with silence before and behind it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from curation.recogniser import RATE_HZ, Hearing, Transcript, Wave

FULL_S: Final = 30
"""The window that Whisper was trained on."""

_LADDER_S: Final = (4, 6, 8, 10, 13, 16, 20, 25)
_LEAD_IN = RATE_HZ // 4
"""Silence put before a clip: a first word that starts with the window is often lost."""

_TRAIL = 2 * RATE_HZ
"""Silence behind a clip in a fitted window: with none, Whisper does not know that it is over and says it again."""

_SOUND = FULL_S * RATE_HZ - _LEAD_IN
_CUT_WITHIN, _CUT_FRAME = 5 * RATE_HZ, RATE_HZ // 50


def cut(wave: Wave) -> list[Wave]:
    """Cut a wave into pieces that fit, each cut where it is quietest in the last 5 s; digital silence has none."""
    if not wave.any():
        return []
    pieces = []
    while len(wave) > _SOUND:
        late = wave[_SOUND - _CUT_WITHIN : _SOUND].reshape(-1, _CUT_FRAME)
        quietest = int(np.square(late).sum(axis=1).argmin())
        end = _SOUND - _CUT_WITHIN + quietest * _CUT_FRAME + _CUT_FRAME // 2
        pieces.append(wave[:end])
        wave = wave[end:]
    return [*pieces, wave]


def fitted_s(num_samples: int) -> int:
    """The shortest window, in seconds, for a piece of this length: it depends on the length alone."""
    needed = _LEAD_IN + num_samples + _TRAIL
    return next((length_s for length_s in _LADDER_S if length_s * RATE_HZ >= needed), FULL_S)


def laid_in(piece: Wave, *, window_s: int) -> Wave:
    """The window: silence, the piece, and silence up to ``window_s``; a piece longer than that loses its end."""
    window = np.zeros(window_s * RATE_HZ, np.float32)
    room = len(window) - _LEAD_IN
    window[_LEAD_IN : _LEAD_IN + len(piece)] = piece[:room]
    return window


def joined(parts: Sequence[Hearing]) -> Hearing:
    """One hearing of a clip's pieces: their probabilities are averaged, and several have no likelihood."""
    if len(parts) == 1:
        return parts[0]
    transcripts = [part.transcript for part in parts if part.transcript]
    logprobs = [one.avg_logprob for one in transcripts if one.avg_logprob is not None]
    no_speech = [one.no_speech_prob for one in transcripts if one.no_speech_prob is not None]
    text = " ".join(one.text for one in transcripts if one.text)
    return Hearing(
        Transcript(
            text,
            float(np.mean(logprobs)) if logprobs else None,
            float(np.mean(no_speech)) if no_speech else None,
        )
    )
