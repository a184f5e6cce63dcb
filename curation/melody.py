"""The melody of a take held against that of a real reading of its text: whether pitch rises and falls where it does.

The two are laid over each other by dynamic time warping of their cepstra, so that pitch is compared where the same is
said. It counts in semitones about its own median: who speaks, and how high, does not matter. Of several real takes of
a text it is the one nearest in length. It follows from `curation.metrics.contours`, at the barrier, with no model. A
take whose text nobody real has read yet has no figures, and gets them when somebody has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import MetricCard, Score
from catalogs.rows import scores_to_arrow
from catalogs.stage import batched
from catalogs.takes import score_table
from catalogs.warping import warp
from curation.metrics.contours import CEPSTRA, STEP_S
from curation.metrics.figures import Figure, columns_of, values_of

REVISION = 1

_BATCH = 500
_LEAST_STEPS = round(0.3 / STEP_S)
_OCTAVE_ST = 12.0


@dataclass(frozen=True, slots=True)
class Melody:
    """The figures of one take; none if the two are voiced together for less than 0.3 s."""

    f0_correlation: Annotated[
        float | None, Figure("correlation", "higher", "pitch with that of a real reading of the text, warped in time")
    ] = None
    f0_rmse_st: Annotated[
        float | None,
        Figure("semitones", "lower", "root mean square of the difference of the two, each about its own median"),
    ] = None


COLUMNS = tuple(column.name for column in columns_of(Melody))


@dataclass(frozen=True, slots=True)
class Contour:
    """A reading every 20 ms: pitch in Hz, 0 where it is unvoiced, (T,), and cepstra, (T, K)."""

    pitch_hz: NDArray[np.float64]
    cepstra: NDArray[np.float64]


def melody_card(contours: MetricCard) -> MetricCard:
    """The family that follows from a family of contours."""
    return MetricCard("melody", f"{REVISION}/{contours.version}", columns_of(Melody))


def compare_melodies(catalog: Catalog, job_id: Id, contours: MetricCard) -> None:
    """Score the takes of a job that have contours, and a real take of their text that has, and no figures yet."""
    card = melody_card(contours)
    sql = query("contours_to_compare").format(scores=score_table(card), contours=score_table(contours))
    rows = catalog.stream(sql, job_id=job_id, version=card.version, contours_version=contours.version)
    for batch in batched(rows, _BATCH):
        scores = [Score(row["take_id"], values_of(melody(_contour(row, ""), _contour(row, "real_")))) for row in batch]
        catalog.lake.insert(score_table(card), scores_to_arrow(card, scores))


def melody(ours: Contour, theirs: Contour) -> Melody:
    """How a reading follows another; an octave from the median is an error of the tracker and does not count."""
    steps = warp(ours.cepstra, theirs.cepstra)  # (S, 2)
    pitches = ours.pitch_hz[steps[:, 0]], theirs.pitch_hz[steps[:, 1]]
    voiced = (pitches[0] > 0) & (pitches[1] > 0)
    if voiced.sum() < _LEAST_STEPS:
        return Melody()
    one, other = (_about_median(12 * np.log2(pitch[voiced])) for pitch in pitches)
    sure = (np.abs(one) < _OCTAVE_ST) & (np.abs(other) < _OCTAVE_ST)
    if sure.sum() < _LEAST_STEPS:
        return Melody()
    one, other = _about_median(one[sure]), _about_median(other[sure])
    moves = bool(one.std() > 0 and other.std() > 0)
    return Melody(
        f0_correlation=float(np.corrcoef(one, other)[0, 1]) if moves else None,
        f0_rmse_st=float(np.sqrt(np.square(one - other).mean())),
    )


def _about_median(pitch_st: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(pitch_st - np.median(pitch_st))


def _contour(row: Mapping[str, Any], side: str) -> Contour:
    cepstra = np.array(row[f"{side}cepstra"], np.float64).reshape(-1, CEPSTRA)
    return Contour(np.array(row[f"{side}pitch_hz"], np.float64), cepstra)
