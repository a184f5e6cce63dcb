"""Speaker: the voice of a clip as a d-vector (Resemblyzer's encoder), and whether it stays the same.

Similarity to the intended voice needs the other takes of that voice, so it is no figure of one clip: it is
the cosine of an embedding and the mean of others, computed where sets are at hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray

from catalogs.models import artefact, fetch
from catalogs.records import MetricCard, Score
from curation.metric import Clip
from curation.metrics.figures import Figure, columns_of, values_of
from curation.metrics.frames import frame_levels_db, is_silent
from curation.metrics.mel import MelSpec
from curation.metrics.voice_encoder import VoiceEncoder

Wave: TypeAlias = NDArray[np.float32]

_ARTEFACT = "resemblyzer"
_RATE_HZ = 16_000
_MEL = MelSpec(rate_hz=_RATE_HZ, window=400, hop=160, bands=40)
_WINDOW, _STEP = 160, 77
"""Frames of 10 ms: a window is 1.6 s, and there are 1.3 of them a second."""

_LAST_WINDOW_FILLED = 0.75
_QUIETEST_DBFS = -30.0
_LEAST_SOUND_S = 0.3
_KEPT_AROUND_SOUND = 10


@dataclass(frozen=True, slots=True)
class Speaker:
    """The figures of one clip; it needs 0.3 s of sound."""

    speaker_embedding: Annotated[
        tuple[float, ...] | None,
        Figure("", "neither", "d-vector of unit length, 256 numbers; compare two by their inner product"),
    ] = None
    speaker_consistency: Annotated[
        float | None,
        Figure(
            "cosine",
            "higher",
            "least similarity of what comes before a cut to what comes after, over all cuts: a change of"
            " voice lowers it; none for a single window of 1.6 s",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class SpeakerConfig:
    """How many threads the encoder may use."""

    threads: int = 1

    @property
    def num_cpus(self) -> float:
        """The cores to set aside for it."""
        return float(self.threads)

    def card(self) -> MetricCard:
        """Family, version and columns."""
        return MetricCard("speaker", f"1/{_ARTEFACT}-{artefact(_ARTEFACT).sha256[:12]}", columns_of(Speaker))

    def build(self) -> "SpeakerMetric":
        """Load the encoder."""
        return SpeakerMetric(VoiceEncoder(fetch(_ARTEFACT) / "pretrained.pt", threads=self.threads))


class SpeakerMetric:
    """Embeds clips at 16 kHz, the windows of many in one call; a clip agrees to 1e-5 alone and in a batch."""

    def __init__(self, encoder: VoiceEncoder) -> None:
        self._encoder = encoder

    def measure(self, clips: Sequence[Clip]) -> list[Score]:
        """One score per clip."""
        windows = [_mel_windows(_sound(clip.at(_RATE_HZ))) for clip in clips]
        if not windows:
            return []
        vectors = self._encoder.encode(np.concatenate(windows))
        stops = np.cumsum([len(of_clip) for of_clip in windows])
        return [
            Score(clip.take_id, values_of(_speaker(of_clip)))
            for clip, of_clip in zip(clips, np.split(vectors, stops[:-1]), strict=True)
        ]


def _speaker(vectors: NDArray[np.float32]) -> Speaker:
    if len(vectors) == 0:
        return Speaker()
    before = np.cumsum(vectors, axis=0)
    total = before[-1]
    return Speaker(
        speaker_embedding=tuple(_unit(total).tolist()),
        speaker_consistency=float((_unit(before[:-1]) * _unit(total - before[:-1])).sum(axis=1).min())
        if len(vectors) > 1
        else None,
    )


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _sound(wave: Wave) -> Wave:
    """The wave without its silences but 0.1 s around sound, made louder if it is quieter than -30 dBFS."""
    silent = is_silent(frame_levels_db(wave, rate_hz=_RATE_HZ))
    around = np.ones(2 * _KEPT_AROUND_SOUND + 1)
    kept = np.convolve(~silent, around)[_KEPT_AROUND_SOUND:-_KEPT_AROUND_SOUND] > 0.5 if len(silent) else silent
    sound = wave[np.repeat(kept, _MEL.hop)[: len(wave)]]
    if (~silent).sum() * _MEL.hop < _LEAST_SOUND_S * _RATE_HZ:
        return sound[:0]
    level_dbfs = 10 * np.log10(np.square(sound, dtype=np.float64).mean())
    gain_db = max(_QUIETEST_DBFS - level_dbfs, 0.0)
    return np.asarray(sound * np.float32(10 ** (gain_db / 20)))


def _mel_windows(wave: Wave) -> NDArray[np.float32]:
    """The windows the encoder hears, shape (W, 160, 40): none for no samples, else one at least."""
    if len(wave) == 0:
        return np.zeros((0, _WINDOW, _MEL.bands), np.float32)
    num_frames = len(wave) // _MEL.hop + 1
    starts = list(range(0, max(1, num_frames - _WINDOW + _STEP + 1), _STEP))
    filled = (len(wave) / _MEL.hop - starts[-1]) / _WINDOW
    if filled < _LAST_WINDOW_FILLED and len(starts) > 1:
        starts.pop()
    wanted = (starts[-1] + _WINDOW) * _MEL.hop
    mel = _MEL.of(np.pad(wave, (0, max(0, wanted - len(wave)))))
    return np.stack([mel[start : start + _WINDOW] for start in starts])
