"""Sound files heard by a recogniser, without a corpus."""

from collections.abc import Iterator, Sequence
from math import ceil
from pathlib import Path

import numpy as np
import soundfile

from catalogs.errors import AudioError
from catalogs.records import Failure
from catalogs.signal import resample
from catalogs.stage import batched, one_by_one
from training.answering import Answer
from training.evaluation.recogniser import Recogniser
from training.members import RATE_HZ, Wave

STAGE = "transcribe"
_AT_ONCE = 8
_BLOCK = 1 << 20
"""How many frames are in memory with all their channels."""


def transcribe(recogniser: Recogniser, paths: Sequence[Path]) -> Iterator[tuple[list[Answer], list[Failure]]]:
    """The answers to some files, under their names, and the files that could not be heard; a few at a time."""

    def heard(batch: Sequence[Path]) -> list[Answer]:
        return recogniser.hear({str(path): read_wave(path) for path in batch})

    for batch in batched(dict.fromkeys(paths), _AT_ONCE):
        found, failures = one_by_one(heard, batch, stage=STAGE, subject=str)
        yield [answer for _, answer in found], failures


def read_wave(path: Path, *, most_s: float | None = None) -> Wave:
    """A sound file of any format and rate that libsndfile reads, as the mean of its channels at 16 kHz.

    Of one longer than ``most_s`` no more is read; None is all of it.

    Raises:
        AudioError: if it is not there, cannot be decoded, or is empty.
    """
    if not path.exists() or path.is_dir():
        raise AudioError(f"{path} is a folder, not a sound file" if path.is_dir() else f"there is no file {path}")
    try:
        with soundfile.SoundFile(path) as file:
            rate_hz, most = file.samplerate, -1 if most_s is None else ceil(most_s * file.samplerate)
            blocks = file.blocks(_BLOCK, frames=most, dtype="float32", always_2d=True)  # (frames, channels) each
            samples = np.concatenate([np.zeros(0, np.float32), *(block.mean(axis=1) for block in blocks)])
    except (OSError, soundfile.LibsndfileError, TypeError) as error:
        raise AudioError(f"{path} cannot be read as sound: {error}") from error
    if not len(samples) or not np.isfinite(samples).all():
        raise AudioError(f"{path} holds {'samples that are no numbers' if len(samples) else 'no samples'}")
    return resample(samples, from_hz=rate_hz, to_hz=RATE_HZ)
