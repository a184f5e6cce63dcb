"""Induced erosion: does the monitor flag it where it should, and leave a healthy corpus alone?

Piper reads some texts four times each. Every take is also flattened with WORLD: of its melody and its dynamics, `KEPT`
stays. Both are measured by the real metrics. From these takes corpora are drawn, twenty of a kind, with a share alpha
from 0 to 95 % that is flattened, or whose texts have collapsed to one reading. A figure should be flagged where its
mean curve, over all corpora, crosses its mean limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from statistics import NormalDist
from typing import Any, Literal, TypeAlias

import numpy as np
import pyworld
from numpy.typing import NDArray

from benchmarks.generation import prompts
from benchmarks.table import Row, markdown
from catalogs.clip import Clip
from catalogs.config import parse_named
from catalogs.records import Line, Take
from catalogs.signal import resample, to_float32, to_int16
from curation.metrics.frames import FRAME_S, frame_levels_db, is_silent
from curation.metrics.prosody import ProsodyConfig, pitch_hz
from curation.metrics.tokens import TokensConfig
from curation.sets.erosion import FALSE_ALARMS, Point, limit_of, point_of, watch
from curation.sets.signs import FIGURES, Figure
from curation.sets.watched import NUMBERS, Watched
from curation.tokenisers.sequences import TokenRows
from synthgen.spoken import Spoken, SpokenConfig

Wave: TypeAlias = NDArray[np.float32]
Kind: TypeAlias = Literal["healthy", "flattened", "collapsed"]

READINGS = 4
KEPT = 0.3
GAIN_FRAMES = 9
"""Frames of 10 ms a gain is averaged over: steps every 10 ms would be heard as a pitch of 100 Hz."""

RATE_HZ = 16_000
ALPHAS = tuple(percent / 100 for percent in range(0, 100, 5))
SEEDS = 20
BASELINE = 3


@dataclass(frozen=True)
class Population:
    """Takes and their flattened twins, row for row; rows 4n to 4n + 3 are readings of text n."""

    own: Watched
    flattened: Watched


def measure(*, texts: int = 40, takes: int = 1600) -> str:
    """Both erosions and health, as a table; ``takes`` is how many a point has."""
    population = populate(texts)
    rows = [*_rows(population, "flattened", takes), *_rows(population, "collapsed", takes)]
    healthy = [_corpus(population, "healthy", takes, seed=1000 + seed) for seed in range(SEEDS)]
    alarms = sum(bool(watch(baseline, points).warnings) for baseline, points in healthy)
    rows.append(Row(f"healthy: alarms in {SEEDS} corpora", str(alarms), "at most 1"))
    title = f"Erosion: {SEEDS} corpora of {len(ALPHAS)} points of {takes:,} takes, drawn from {len(population.own)}"
    return markdown(title, "where the mean curve crosses", rows)


def populate(texts: int) -> Population:
    """Read, flatten and measure."""
    clips = list(_clips(texts))
    flattened = [
        replace(clip, samples=flatten(clip.at(RATE_HZ)), sample_rate_hz=RATE_HZ, _resampled={}) for clip in clips
    ]
    return Population(_measured(clips, synthetic=False), _measured(flattened, synthetic=True))


def flatten(wave: Wave) -> Wave:
    """A 16 kHz wave with `KEPT` of its melody and of its dynamics, in semitones and decibels around the middle."""
    samples = wave.astype(np.float64)
    f0 = pitch_hz(wave)
    times = np.arange(len(f0)) * FRAME_S
    spectrum = pyworld.cheaptrick(samples, f0, times, RATE_HZ)
    noise = pyworld.d4c(samples, f0, times, RATE_HZ)
    voiced = f0 > 0
    middle = np.median(f0[voiced]) if voiced.any() else 1.0
    flat = np.where(voiced, middle * (np.maximum(f0, 1) / middle) ** KEPT, 0.0)
    spoken = pyworld.synthesize(flat, spectrum, noise, RATE_HZ, 1000 * FRAME_S)[: len(wave)].astype(np.float32)
    levels = frame_levels_db(spoken, rate_hz=RATE_HZ)
    sounding = ~is_silent(levels)
    gains_db = np.where(sounding, (levels[sounding].mean() - levels) * (1 - KEPT), 0.0)
    smooth_db = np.convolve(gains_db, np.full(GAIN_FRAMES, 1 / GAIN_FRAMES), mode="same")
    frame = RATE_HZ // 100
    gains = 10 ** (np.interp(np.arange(len(spoken)), (np.arange(len(levels)) + 0.5) * frame, smooth_db) / 20)
    return to_float32(to_int16(np.clip(spoken * gains.astype(np.float32), -1, 1)))


def draw(population: Population, kind: Kind, *, takes: int, alpha: float, seed: int) -> Watched:
    """A point: texts drawn with replacement, with all readings, a share of them flattened or collapsed."""
    random = np.random.default_rng(seed)
    texts = random.integers(len(population.own) // READINGS, size=takes // READINGS)
    is_eroded = np.repeat(random.random(len(texts)) < alpha, READINGS)
    reading = np.tile(np.arange(READINGS), len(texts))
    if kind == "collapsed":
        reading = np.where(is_eroded, 0, reading)
    rows = np.repeat(texts * READINGS, READINGS) + reading
    own = population.own.rows(rows)
    drawn = own if kind != "flattened" else _mixed(own, population.flattened.rows(rows), is_eroded)
    names = tuple(f"{seed}-{place}" for place in range(len(rows)))
    numbers = np.repeat(np.arange(len(texts)), READINGS)
    return replace(drawn, take_ids=names, is_synthetic=is_eroded, text=numbers, reading=numbers)


def _mixed(own: Watched, other: Watched, is_other: NDArray[np.bool_]) -> Watched:
    pairs = zip(own.tokens or (), other.tokens or (), is_other.tolist(), strict=True)
    return replace(
        own,
        figures={name: np.where(is_other, other.figures[name], values) for name, values in own.figures.items()},
        tokens=TokenRows.of([theirs if taken else ours for ours, theirs, taken in pairs]),
    )


def _corpus(population: Population, kind: Kind, takes: int, *, seed: int) -> tuple[Point, list[Point]]:
    """A healthy baseline and a point for each alpha."""
    baseline = draw(population, "healthy", takes=BASELINE * takes, alpha=0.0, seed=seed * 1000 + 999)
    points = [draw(population, kind, takes=takes, alpha=a, seed=seed * 1000 + place) for place, a in enumerate(ALPHAS)]
    named = [point_of(point, f"{a:.0%}", alpha=a) for a, point in zip(ALPHAS, points, strict=True)]
    return point_of(baseline, "baseline", alpha=0.0), named


def _rows(population: Population, kind: Kind, takes: int) -> list[Row]:
    """A row for each figure that all corpora flag: where it was flagged, and how far from where it should be."""
    corpora = [_corpus(population, kind, takes, seed=seed) for seed in range(SEEDS)]
    flags = [{w.figure: w.alpha for w in watch(baseline, points).warnings} for baseline, points in corpora]
    rows = []
    for figure in FIGURES:
        found = [flagged[figure.name] for flagged in flags if figure.name in flagged]
        due = _due(figure, corpora)
        if due is None or len(found) < SEEDS:
            rows.append(Row(f"{kind}: {figure.name}", f"flagged in {len(found)} of {SEEDS}", _percent(due)))
            continue
        worst = max(abs(alpha - due) for alpha in found)
        told = f"{np.mean(found):.1%} (at most {100 * worst:.1f} points off)"
        rows.append(Row(f"{kind}: {figure.name}", told, _percent(due)))
    return [row for row in rows if row.theirs != "never" or not row.ours.startswith("flagged in 0")]


def _due(figure: Figure, corpora: Sequence[tuple[Point, list[Point]]]) -> float | None:
    """The alpha at which the mean curve of the figure crosses its mean limit; None if it never does."""
    name = figure.name
    if any(name not in point.figures for baseline, points in corpora for point in (baseline, *points)):
        return None
    watched = sum(other.name in corpora[0][0].figures for other in FIGURES)
    deviations = NormalDist().inv_cdf(1 - FALSE_ALARMS / (watched * len(ALPHAS)))
    sign = 1.0 if figure.worse == "higher" else -1.0
    limit = partial(limit_of, figure, deviations=deviations)
    outside = [
        np.mean(
            [sign * (p[place].figures[name].value - limit(p[place].figures[name], b.figures[name])) for b, p in corpora]
        )
        for place in range(len(ALPHAS))
    ]
    for (one, before), (other, after) in pairwise(zip(ALPHAS, outside, strict=True)):
        if before <= 0 < after:
            return float(one + (other - one) * -before / (after - before))
    return None


def _percent(alpha: float | None) -> str:
    return "never" if alpha is None else f"{alpha:.1%}"


def _clips(texts: int) -> list[Clip]:
    spoken = Spoken(SpokenConfig())
    config = parse_named("synthgen.voices", {"engine": "piper"}, field="engine", source="benchmark")
    voice, card, clips = config.build(), config.cards()[0], []
    for prompt in prompts(1)[:texts]:
        text = spoken(prompt.text, prompt.language)
        for seed in range(READINGS):
            line = Line.new(
                prompt_id=prompt.id, voice_id=card.id, text=text, normaliser=spoken.version, temperature=0.9, seed=seed
            )
            reading = voice.speak([line])[0]
            samples = resample(reading.samples, from_hz=reading.sample_rate_hz, to_hz=RATE_HZ)
            stored = to_float32(to_int16(np.clip(samples, -1, 1)))
            clips.append(Clip(Take.id_of_line(line.id), card.id, stored, RATE_HZ, prompt.text, text, prompt.language))
    return clips


def _measured(clips: Sequence[Clip], *, synthetic: bool) -> Watched:
    """The figures of prosody and tokens; words and speaker are left out."""
    values: dict[str, list[Any]] = {}
    for config in (ProsodyConfig(), TokensConfig()):
        metric = config.build()
        scores = [score for start in range(0, len(clips), 16) for score in metric.measure(clips[start : start + 16])]
        for place, column in enumerate(config.card().columns):
            values[column.name] = [score.values[place] for score in scores]
    return Watched(
        take_ids=tuple(clip.take_id for clip in clips),
        is_synthetic=np.full(len(clips), synthetic),
        text=np.arange(len(clips)) // READINGS,
        reading=np.arange(len(clips)) // READINGS,
        figures={name: np.array(values[name], np.float64) for name in NUMBERS if name in values},
        tokens=TokenRows.of([row or () for row in values["speech_tokens"]]),
    )


if __name__ == "__main__":
    print(measure())
