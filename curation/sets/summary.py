"""Everything that is said of a set of takes as a whole, alone and beside real speech."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id, content_id
from catalogs.records import SetScore
from curation.bootstrap import Estimate, mean_of
from curation.melody import COLUMNS as MELODY
from curation.sets import figures as sets
from curation.sets.entropy import conditional_entropy, token_entropy
from curation.sets.watched import CHARS, Watched
from curation.tokenisers.codebook import PAUSE
from curation.tokenisers.frames import FRAMES_HZ
from curation.tokenisers.sequences import TokenRows, repetition_rate
from curation.vectors.disentangled import disentangled
from curation.vectors.probes import Found

COMPARED = ("f0_sd_st", "energy_sd_db", "chars_per_s", "f0_median_hz")
"""Figures of takes whose distribution is held against that of real speech."""

LEAST_TAKES = 20
LEAST_IN_A_CELL = 5
PITCH_WITHIN_ST = 1.0
RATE_WITHIN = 0.1
"""Around a voice's median: a semitone of pitch, a tenth of its rate. What lies farther is another cell."""

REVISION = "2"
"""The first part of the version of figures: how they are worked out."""

_MOST_PROBED = 5000


def set_figures(takes: Watched, reference: Watched | None = None) -> dict[str, Estimate]:
    """The figures of a set, by name; those of fewer than `LEAST_TAKES` takes, or of no column, are left out."""
    found = [*_own(takes), *(_beside(takes, reference) if reference else ())]
    return {name: figure for name, figure in found if figure is not None}


def set_scores(takes: Watched, figures: dict[str, Estimate], set_id: Id, *, subset: str = "") -> list[SetScore]:
    """The figures as rows of the catalog; the version holds which takes they were made of."""
    version = f"{REVISION}/{content_id('takes', sorted(takes.take_ids)).partition('-')[0]}"
    return [figure.score(set_id, name, version=version, subset=subset) for name, figure in figures.items()]


def cells_of(takes: Watched) -> tuple[NDArray[np.int64], int]:
    """The cell of each take in voice × style × rate × pitch, and how many there are.

    Rate and pitch are low, usual or high for the voice, and all three count as cells, so a voice that never varies
    leaves most of its cells empty. Without rate or pitch, those count as usual.
    """
    voice, style = takes.labels["voice"], takes.labels["style"]
    who, count = sets.cells([voice, style])
    rate = _third_of_voice(voice, np.log(_figure(takes, "chars_per_s")), within=np.log1p(RATE_WITHIN))
    pitch = _third_of_voice(voice, 12 * np.log2(_figure(takes, "f0_median_hz")), within=PITCH_WITHIN_ST)
    return (who * 3 + rate) * 3 + pitch, count * 9


def _own(takes: Watched) -> Iterator[tuple[str, Estimate | None]]:
    if takes.tokens is not None:
        spoken = takes.tokens.spoken()
        coded = takes.text[spoken.lengths > 1]
        if len(coded) >= LEAST_TAKES and len(np.unique(coded)) > 1:
            yield "token_entropy", token_entropy(spoken, takes.text)
            yield "token_entropy_given_last", conditional_entropy(spoken, takes.text)
        distances = sets.reading_distances(takes.tokens, takes.reading, rate_hz=FRAMES_HZ)
        if len(np.unique(takes.text[np.isfinite(distances)])) >= LEAST_TAKES:
            yield "reading_distance", mean_of(distances, takes.text)
    yield from _coded(takes)
    for name in MELODY:
        if len(np.unique(takes.text[np.isfinite(_figure(takes, name))])) >= LEAST_TAKES:
            yield name, mean_of(takes.figures[name], takes.text)
    if "voice" in takes.labels and len(takes) >= LEAST_TAKES:
        cell, count = cells_of(takes)
        yield "coverage", sets.coverage(cell, count, least=LEAST_IN_A_CELL)
        yield "evenness", sets.evenness(cell, count)
        yield "effective_voices", sets.effective_labels(takes.labels["voice"])
    for name in takes.vectors:
        rows, there = _vectors(takes, name)
        if len(rows) >= LEAST_TAKES:
            yield f"diversity:{name}", sets.diversity(rows)
            yield f"vendi:{name}", sets.vendi(rows)
            yield f"diversity_in_voice:{name}", _within(rows, takes.labels["voice"][there])
    yield from _disentangled(takes)


def _coded(takes: Watched) -> Iterator[tuple[str, Estimate]]:
    """Entropy and repetition of the voices' own codes; those of two codes are not comparable."""
    for codec in np.unique(takes.codec[takes.codec != ""]).tolist():
        part = takes.rows(np.flatnonzero(takes.codec == codec))
        if part.codes is None or len(np.unique(part.text[part.codes.lengths > 0])) < LEAST_TAKES:
            continue
        above_pause = TokenRows(part.codes.values + PAUSE + 1, part.codes.lengths)  # a code of 0 is no pause
        yield f"code_entropy:{codec}", token_entropy(above_pause, part.text)
        repeated = np.array([repetition_rate(row) if len(row) else np.nan for row in part.codes])
        yield f"code_repetition:{codec}", mean_of(repeated, part.text)


def _disentangled(takes: Watched) -> Iterator[tuple[str, Estimate]]:
    """What prosody and timbre vectors tell of the voice and of the spread of pitch; half the texts are a fold.

    At most `_MOST_PROBED` takes are drawn. Nothing without two voices that have enough of them.
    """
    spread_st = _figure(takes, "f0_sd_st")
    known = _vectors(takes, "prosody_vector")[1] & _vectors(takes, "timbre_vector")[1] & np.isfinite(spread_st)
    if not known.any():
        return
    rows = np.sort(np.random.default_rng(0).permutation(np.flatnonzero(known))[:_MOST_PROBED])
    prosody, timbre = takes.vectors["prosody_vector"][rows], takes.vectors["timbre_vector"][rows]
    _, text = np.unique(takes.text[rows], return_inverse=True)
    found = disentangled(prosody, timbre, spread_st[rows], takes.labels["voice"][rows], text % 2)
    if found is None:
        return
    yield "speaker_by_chance", Estimate(found.chance, found.num_takes, found.chance, found.chance)
    for name in ("speaker_from_prosody", "spread_from_prosody", "speaker_from_timbre", "spread_from_timbre"):
        probed: Found = getattr(found, name)
        yield name, Estimate(probed.value, found.num_takes, probed.low, probed.high)


def _beside(takes: Watched, reference: Watched) -> Iterator[tuple[str, Estimate | None]]:
    yield from _calibrated(takes, reference)
    for name in COMPARED:
        ours, theirs = (_finite(_figure(part, name)) for part in (takes, reference))
        if min(len(ours), len(theirs)) >= LEAST_TAKES:
            yield f"wasserstein:{name}", sets.wasserstein(ours, theirs)
    for name in takes.vectors:
        rows, other = _vectors(takes, name)[0], _vectors(reference, name)[0]
        if min(len(rows), len(other)) >= LEAST_TAKES:
            yield f"mmd:{name}", sets.mmd(rows, other)
            yield f"frechet:{name}", _if_enough_for_width(rows, other)


def _calibrated(takes: Watched, reference: Watched) -> Iterator[tuple[str, Estimate]]:
    """Character errors of the synthetic takes of each language, less those of real speech of that language.

    Where texts are few or real takes are, a language has none: the recogniser's own errors are not known.
    """
    for language in np.unique(takes.language).tolist():
        errors, chars, text = _errors(takes, takes.is_synthetic & (takes.language == language))
        real_errors, real_chars, _ = _errors(reference, reference.language == language)
        if min(len(np.unique(text)), len(real_errors)) >= LEAST_TAKES:
            real = float(real_errors.sum() / real_chars.sum())
            yield f"calibrated_cer:{language}", sets.calibrated_rate(errors, chars, text, real=real)


def _errors(
    takes: Watched, which: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Character errors, characters and texts of those takes that were heard."""
    cer, chars = _figure(takes, "cer"), _figure(takes, CHARS)
    heard = which & np.isfinite(cer) & (chars > 0)
    return cer[heard] * chars[heard], chars[heard], takes.text[heard]


def _if_enough_for_width(rows: NDArray[np.float64], other: NDArray[np.float64]) -> Estimate | None:
    """A covariance of more dimensions than takes is made of chance."""
    return sets.frechet(rows, other) if min(len(rows), len(other)) > 2 * rows.shape[1] else None


def _within(rows: NDArray[np.float64], voice: NDArray[np.int64]) -> Estimate | None:
    """An interval over voices needs two of them, with two takes each."""
    return sets.diversity_within(rows, voice) if (np.bincount(voice) > 1).sum() > 1 else None


def _third_of_voice(voice: NDArray[np.int64], values: NDArray[np.float64], *, within: float) -> NDArray[np.int64]:
    thirds = np.ones(len(voice), np.int64)
    for label in np.unique(voice):
        rows = np.flatnonzero((voice == label) & np.isfinite(values))
        if len(rows):
            thirds[rows] = sets.thirds(values[rows], within=within)
    return thirds


def _figure(takes: Watched, name: str) -> NDArray[np.float64]:
    return takes.figures.get(name, np.full(len(takes), np.nan))


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _vectors(takes: Watched, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The rows that are there, and which takes they belong to."""
    held = takes.vectors.get(name, np.zeros((len(takes), 0)))
    there = np.asarray(np.isfinite(held).all(axis=1) & (held.shape[1] > 0), np.bool_)
    return held[there], there
