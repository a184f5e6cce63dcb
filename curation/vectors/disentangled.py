"""How far a prosody vector is apart from who speaks, and a timbre vector from how it is said.

Four linear probes: a prosody vector should explain the spread of the pitch and not name the speaker, a timbre vector
should name the speaker and not explain the spread. How much the pitch moves is a habit of people as well as a matter
of the moment: whatever names the speaker explains the habit, and whatever has the spread in it names the speaker a
little. Prosody is about its speaker's mean, therefore, when it is asked for the speaker; and the spread that is to be
explained, and all that is to explain it, are about the mean of the speaker's takes in their fold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.intervals import FEWEST
from curation.vectors.probes import Found, Labels, Rows, explain, identify

LEAST_TAKES = 5
"""The mean of fewer takes says more of them than of the voice."""


@dataclass(frozen=True, slots=True)
class Disentangled:
    """The four, over N takes of C speakers; `chance` is 1 / C, as speakers weigh alike.

    Good vectors have `speaker_from_prosody` at most twice `chance`, `spread_from_prosody` at least 0.8,
    `speaker_from_timbre` at least 0.9 and `spread_from_timbre` at most 0.1.
    """

    speaker_from_prosody: Found
    spread_from_prosody: Found
    speaker_from_timbre: Found
    spread_from_timbre: Found
    chance: float
    num_takes: int
    num_texts: int


def disentangled(
    prosody: Rows, timbre: Rows, spread_st: Rows, speakers: Labels, texts: Labels, *, least: int = LEAST_TAKES
) -> Disentangled | None:
    """Probe vectors (N, P) and (N, T) for speakers (N,) and spreads of pitch in semitones (N,), over two folds.

    ``texts`` (N,) are numbers, the even ones a fold and the odd ones the other; what reads one of them is drawn
    together. A speaker's mean, where speakers are asked for, is that of its takes in the even fold, as a voice is known
    from its first takes. Speakers with fewer than ``least`` takes in a fold are left out. None if there are not two
    others, or too few texts for an interval.
    """
    folds = texts % 2
    counts = np.array([np.bincount(speakers[folds == fold], minlength=speakers.max(initial=0) + 1) for fold in (0, 1)])
    known = np.flatnonzero((counts >= least).all(axis=0))
    kept = np.isin(speakers, known)
    num_texts = len(np.unique(texts[kept]))
    if len(known) < 2 or num_texts < FEWEST:
        return None
    prosody, timbre, spread_st = prosody[kept], timbre[kept], spread_st[kept]
    speakers, texts, folds = speakers[kept], texts[kept], folds[kept]
    moments = 2 * speakers + folds
    lively_st = about_means(spread_st[:, None], moments)[:, 0]
    own, own_timbre = about_means(prosody, moments), about_means(timbre, moments)
    return Disentangled(
        speaker_from_prosody=identify(about_means(prosody, speakers, of=folds == 0), speakers, folds, clusters=texts),
        spread_from_prosody=explain(own, lively_st, folds, groups=moments, clusters=texts),
        speaker_from_timbre=identify(timbre, speakers, folds, clusters=texts),
        spread_from_timbre=explain(own_timbre, lively_st, folds, groups=moments, clusters=texts),
        chance=1 / len(known),
        num_takes=len(speakers),
        num_texts=num_texts,
    )


def about_means(rows: Rows, groups: Labels, *, of: NDArray[np.bool_] | None = None) -> Rows:
    """Rows (N, W) less the mean of their group's rows, or of those that are ``of`` it; each group has some of them."""
    _, group = np.unique(groups, return_inverse=True)
    counted = np.ones(len(rows), np.bool_) if of is None else of
    sums = np.zeros((group.max(initial=-1) + 1, rows.shape[1]))
    np.add.at(sums, group[counted], rows[counted])
    means = sums / np.bincount(group[counted], minlength=len(sums))[:, None]
    return np.asarray(rows - means[group])
