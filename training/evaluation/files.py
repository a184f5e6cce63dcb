"""Sound files heard by a recogniser, without a corpus."""

from collections.abc import Iterator, Sequence
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


def transcribe(recogniser: Recogniser, paths: Sequence[Path]) -> Iterator[tuple[list[Answer], list[Failure]]]:
    """The answers to some files, under their names, and the files that could not be heard; a few at a time."""

    def heard(batch: Sequence[Path]) -> list[Answer]:
        return recogniser.hear({str(path): read_wave(path) for path in batch})

    for batch in batched(dict.fromkeys(paths), _AT_ONCE):
        found, failures = one_by_one(heard, batch, stage=STAGE, subject=str)
        yield [answer for _, answer in found], failures


def read_wave(path: Path) -> Wave:
    """A sound file of any format and rate that libsndfile reads, as the mean of its channels at 16 kHz.

    Raises:
        AudioError: if it is not there, cannot be decoded, or is empty.
    """
    if not path.exists() or path.is_dir():
        raise AudioError(f"{path} is a folder, not a sound file" if path.is_dir() else f"there is no file {path}")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)  # (n, channels)
    except (OSError, soundfile.LibsndfileError, TypeError) as error:
        raise AudioError(f"{path} cannot be read as sound: {error}") from error
    if not len(samples) or not np.isfinite(samples).all():
        raise AudioError(f"{path} holds {'samples that are no numbers' if len(samples) else 'no samples'}")
    return resample(samples.mean(axis=1), from_hz=rate_hz, to_hz=RATE_HZ)
