"""Everything that is said of a set of takes as a whole, alone and beside real speech."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id, content_id
from catalogs.intervals import FEWEST
from catalogs.records import SetScore
from curation.bootstrap import Estimate, mean_of
from curation.melody import COLUMNS as MELODY
from curation.sets import figures as sets
from curation.sets.diversity import diversity, diversity_within, reading_distances
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

REVISION = "3"
"""The first part of the version of figures: how they are worked out."""

_MOST_PROBED = 5000


def set_figures(takes: Watched, reference: Watched | None = None) -> dict[str, Estimate]:
    """The figures of a set, by name; those of few takes or texts, or of no column, are left out."""
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
    clusters = takes.clusters
    if takes.tokens is not None:
        spoken = takes.tokens.spoken()
        if _are_enough(clusters[spoken.lengths > 1]):
            yield "token_entropy", token_entropy(spoken, clusters)
            yield "token_entropy_given_last", conditional_entropy(spoken, clusters)
        distances = reading_distances(takes.tokens, takes.reading, rate_hz=FRAMES_HZ)
        read = np.isfinite(distances)
        if len(np.unique(takes.text[read])) >= LEAST_TAKES and _are_enough(clusters[read]):
            yield "reading_distance", mean_of(distances, clusters)
    yield from _coded(takes)
    for name in MELODY:
        there = np.isfinite(_figure(takes, name))
        if _are_enough(clusters[there]):
            yield name, mean_of(takes.figures[name], clusters)
    if "voice" in takes.labels and _are_enough(clusters):
        cell, number = cells_of(takes)
        yield "coverage", sets.coverage(cell, number, clusters, least=LEAST_IN_A_CELL)
        yield "evenness", sets.evenness(cell, number, clusters)
        yield "effective_voices", sets.effective_labels(takes.labels["voice"], clusters)
    for name in takes.vectors:
        rows, there = _vectors(takes, name)
        if _are_enough(clusters[there]):
            yield f"diversity:{name}", diversity(rows, clusters[there])
            yield f"vendi:{name}", sets.vendi(rows, clusters[there])
            yield f"diversity_in_voice:{name}", _within(rows, takes.labels["voice"][there], clusters[there])
    yield from _disentangled(takes)


def _coded(takes: Watched) -> Iterator[tuple[str, Estimate]]:
    """Entropy and repetition of the voices' own codes; those of two codes are not comparable."""
    for codec in np.unique(takes.codec[takes.codec != ""]).tolist():
        part = takes.rows(np.flatnonzero(takes.codec == codec))
        if part.codes is None or not _are_enough(part.clusters[part.codes.lengths > 0]):
            continue
        above_pause = TokenRows(part.codes.values + PAUSE + 1, part.codes.lengths)  # a code of 0 is no pause
        yield f"code_entropy:{codec}", token_entropy(above_pause, part.clusters)
        repeated = np.array([repetition_rate(row) if len(row) else np.nan for row in part.codes])
        yield f"code_repetition:{codec}", mean_of(repeated, part.clusters)


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
    found = disentangled(prosody, timbre, spread_st[rows], takes.labels["voice"][rows], text)
    if found is None:
        return
    yield "speaker_by_chance", Estimate(found.chance, found.num_texts, found.chance, found.chance)
    for name in ("speaker_from_prosody", "spread_from_prosody", "speaker_from_timbre", "spread_from_timbre"):
        probed: Found = getattr(found, name)
        yield name, Estimate(probed.value, found.num_texts, probed.low, probed.high)


def _beside(takes: Watched, reference: Watched) -> Iterator[tuple[str, Estimate]]:
    yield from _calibrated(takes, reference)
    clusters = takes.clusters
    for name in COMPARED:
        ours, theirs = (_figure(part, name) for part in (takes, reference))
        if _are_enough(clusters[np.isfinite(ours)]) and np.isfinite(theirs).sum() >= LEAST_TAKES:
            yield f"wasserstein:{name}", sets.wasserstein(ours, theirs, clusters)
    for name in takes.vectors:
        (rows, there), (other, _) = _vectors(takes, name), _vectors(reference, name)
        if _are_enough(clusters[there]) and len(other) >= LEAST_TAKES:
            yield f"mmd:{name}", sets.mmd(rows, other, clusters[there])
            if min(len(rows), len(other)) > 2 * rows.shape[1]:  # else a covariance is made of chance
                yield f"frechet:{name}", sets.frechet(rows, other, clusters[there])


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


def _are_enough(clusters: NDArray[np.int64]) -> bool:
    """Takes of these clusters, one each, have figures and intervals."""
    return len(clusters) >= LEAST_TAKES and len(np.unique(clusters)) >= FEWEST


def _within(rows: NDArray[np.float64], voice: NDArray[np.int64], clusters: NDArray[np.int64]) -> Estimate | None:
    """The mean over voices needs two of them with two takes each, and an interval enough clusters of such takes."""
    sizes = np.bincount(voice)
    enough = (sizes > 1).sum() > 1 and len(np.unique(clusters[sizes[voice] > 1])) >= FEWEST
    return diversity_within(rows, voice, clusters) if enough else None


def _third_of_voice(voice: NDArray[np.int64], values: NDArray[np.float64], *, within: float) -> NDArray[np.int64]:
    thirds = np.ones(len(voice), np.int64)
    for label in np.unique(voice):
        rows = np.flatnonzero((voice == label) & np.isfinite(values))
        if len(rows):
            thirds[rows] = sets.thirds(values[rows], within=within)
    return thirds


def _figure(takes: Watched, name: str) -> NDArray[np.float64]:
    return takes.figures.get(name, np.full(len(takes), np.nan))


def _vectors(takes: Watched, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The rows that are there, and which takes they belong to."""
    held = takes.vectors.get(name, np.zeros((len(takes), 0)))
    there = np.asarray(np.isfinite(held).all(axis=1) & (held.shape[1] > 0), np.bool_)
    return held[there], there
