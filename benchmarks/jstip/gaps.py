"""The modality gap of a row, how far answers to speech are behind those to text, beside that of another row."""

from collections.abc import Sequence

import numpy as np

from training.evaluation.questions import Answered
from training.evaluation.resampling import Groups, Interval, Sums, interval, ratio, replicates


def change(of_row: Sequence[Answered], of_base: Sequence[Answered]) -> Interval | None:
    """The gap of a row less that of the base, means over the seeds of each; the interval draws questions.

    A question is drawn with all its readings, those of both rows alike, so that how hard it is cancels out. None where
    one of the gaps may not be claimed: answers to text are not above chance.

    Raises:
        ValueError: if the two have not been asked by the same readings.
    """
    if not all(answered.is_above_chance for answered in (*of_row, *of_base)):
        return None
    questions = [reading.question for reading in of_base[0].readings]
    for answered in (*of_row, *of_base):
        if [reading.question for reading in answered.readings] != questions:
            raise ValueError(f"{len(answered.readings)} readings against {len(questions)}; expected the same questions")
    apart = _gaps(of_row) - _gaps(of_base)
    groups = Groups(np.unique(questions, return_inverse=True)[1], "utterances")
    sums = groups.sums(np.stack([apart, np.ones(len(apart))], axis=1))
    return interval(ratio(0, 1), sums, replicates(sums))


def _gaps(each: Sequence[Answered]) -> Sums:
    """Of every reading, whether it was answered from speech less whether from text, mean over seeds (N,)."""
    found = [[float(r.heard) - float(r.read) for r in answered.readings] for answered in each]
    mean: Sums = np.mean(found, axis=0)
    return mean
