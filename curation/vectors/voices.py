"""Prosody relative to the voice: how a take is read, compared with how its voice usually reads.

The spread of pitch is a habit of the speaker as much as a matter of the moment: among ten real speakers it alone names
one in three. A vector about its voice's own mean has the moment, and no longer the habit.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id

LEAST_TAKES = 5
"""The mean of fewer takes says more of them than of the voice."""


def voice_means(
    voices: Sequence[Id], vectors: NDArray[np.float64], *, least: int = LEAST_TAKES
) -> dict[Id, NDArray[np.float64]]:
    """The mean vector of each voice that has ``least`` takes; vectors are (N, W), row n is a take of ``voices[n]``."""
    rows: dict[Id, list[int]] = {}
    for number, voice in enumerate(voices):
        rows.setdefault(voice, []).append(number)
    return {voice: vectors[taken].mean(axis=0) for voice, taken in rows.items() if len(taken) >= least}


def about_their_voices(
    voices: Sequence[Id], vectors: NDArray[np.float64], means: Mapping[Id, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The vectors (N, W) less the means of their voices; NaN for a voice without a mean."""
    unknown = np.full(vectors.shape[1], np.nan)
    return np.asarray(vectors - np.array([means.get(voice, unknown) for voice in voices]).reshape(vectors.shape))
