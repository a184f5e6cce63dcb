"""The plan of a job, from a small pilot whose takes are kept: lines, hours, disk, time and cost, with intervals.

Every engine reads a few batches of the job's own lines through the same crews as the job will. What a batch takes, and
what comes of it, is scaled by characters to the lines that are left. Intervals are 90 % bootstrap intervals over
batches, time widened by `DRIFT`, because a machine is not the same for a minute and for an hour.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import Take, Verdict
from catalogs.stage import Outcome
from curation.measuring import critics
from curation.production import Production
from synthgen.recording import recording_streams
from synthgen.voice import VoiceConfig

PILOT_BATCHES = 6
DRIFT = 0.2
LEVEL = 0.9
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the ends of its interval."""

    mean: float
    low: float
    high: float

    def text(self, unit: str, *, scale: float = 1.0, digits: int = 2) -> str:
        """The figure and its interval in a unit that is ``scale`` of its own."""
        mean, low, high = (f"{x * scale:,.{digits}f}" for x in (self.mean, self.low, self.high))
        return f"{mean} {unit} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is left of a job, and what it will take."""

    name: str
    lines: int
    lines_left: int
    pilot_takes: int
    audio_s: Estimate
    kept_s: Estimate
    disk_bytes: Estimate
    time_s: Estimate
    cost: Estimate | None

    def text(self) -> str:
        """The plan in a few lines."""
        rows = [
            f"{self.name}: {self.lines:,} lines, {self.lines_left:,} left, {self.pilot_takes:,} takes made in all",
            f"  audio   {self.audio_s.text('h', scale=1 / 3600)}",
            f"  kept    {self.kept_s.text('h', scale=1 / 3600)}",
            f"  disk    {self.disk_bytes.text('MB', scale=1e-6, digits=0)}",
            f"  time    {self.time_s.text('min', scale=1 / 60, digits=1)} with this recipe's crews, start included",
        ]
        if self.cost:
            rows.append(f"  cost    {self.cost.text('at the cost an hour of fleet.cost_per_hour')}")
        return "\n".join(rows)


@dataclass(slots=True)
class _Pilot:
    """What one engine's pilot showed, batch by batch, and what that engine has left to do."""

    chars_left: int = 0
    start_s: float = 0.0
    chars: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    audio_s: list[float] = field(default_factory=list)
    num_bytes: list[float] = field(default_factory=list)
    takes: list[list[tuple[Id, float]]] = field(default_factory=list)


def plan_job(production: Production, *, pilot_batches: int = PILOT_BATCHES) -> Plan:
    """Cast the job, run the pilot, and scale it up to the lines that are left.

    Takes, scores and verdicts on arrival stay; what follows from a part of a job's takes does not.
    """
    production.prepare()
    next(production.rounds(), None)
    pilots = [_pilot(production, config, pilot_batches) for config in production.recipe.voices]
    kept = {take_id for take_id, _ in production.rehearse()}
    summary = production.summary()
    generator = np.random.default_rng(0)
    audio = _scaled(pilots, lambda p: p.audio_s, generator)
    work = _scaled(pilots, lambda p: p.wall_s, generator)
    start_s = sum(p.start_s for p in pilots if p.chars_left)
    time_s = Estimate(work.mean + start_s, (work.low + start_s) * (1 - DRIFT), (work.high + start_s) * (1 + DRIFT))
    rate = production.recipe.fleet.cost_per_hour
    return Plan(
        name=production.recipe.name,
        lines=summary.lines,
        lines_left=summary.lines - summary.takes - summary.failed,
        pilot_takes=summary.takes,
        audio_s=audio,
        kept_s=_scaled(pilots, lambda p: [sum(s for i, s in batch if i in kept) for batch in p.takes], generator),
        disk_bytes=_scaled(pilots, lambda p: p.num_bytes, generator),
        time_s=time_s,
        cost=None if rate is None else Estimate(*(rate * s / 3600 for s in (time_s.mean, time_s.low, time_s.high))),
    )


def _pilot(production: Production, config: VoiceConfig, batches: int) -> _Pilot:
    workers = production.recipe.fleet.workers
    catalog, job_id = production.catalog, production.job_id
    pilot = _Pilot()
    began = last = time.monotonic()

    def watch(outcome: Outcome, _: Sequence[Verdict]) -> None:
        nonlocal last
        now = time.monotonic()
        if not pilot.start_s:
            pilot.start_s = now - began
        else:
            pilot.wall_s.append(now - last)
            pilot.chars.append(float(sum(lengths[r.line_id] for r in outcome.recordings)))
            seconds = [r.num_samples / r.sample_rate_hz for r in outcome.recordings]
            pilot.audio_s.append(sum(seconds))
            pilot.num_bytes.append(float(sum(len(r.flac) for r in outcome.recordings)))
            ids = [Take.id_of_line(r.line_id) for r in outcome.recordings]
            pilot.takes.append(list(zip(ids, seconds, strict=True)))
        last = now

    streams = recording_streams(catalog, job_id, [config], workers=workers)
    few = [batch for stream in streams for batch in islice(stream.batches, (workers or os.cpu_count() or 1) + batches)]
    lengths = {a.line.id: len(a.line.text) for batch in few for a in batch}
    if few:
        stream = replace(streams[0], batches=iter(few))
        crews = critics(production.recipe.metrics, workers=workers)
        production.work("pilot", len(lengths), [stream], crews, judge=True, watch=watch)
    voice_ids = sorted(card.id for card in config.cards())
    left = catalog.lake.rows(query("chars_to_record"), job_id=job_id, voice_ids=voice_ids)
    pilot.chars_left = int(left[0][0])
    return pilot


def _scaled(
    pilots: Sequence[_Pilot], amounts: Callable[[_Pilot], list[float]], generator: np.random.Generator
) -> Estimate:
    """The amount that is left over all engines: amount per character of a resampled pilot, times characters left."""
    mean, resampled = 0.0, np.zeros(RESAMPLES)
    for pilot in pilots:
        amount, chars = np.array(amounts(pilot)), np.array(pilot.chars)
        if not pilot.chars_left or chars.sum() == 0:
            continue
        mean += pilot.chars_left * amount.sum() / chars.sum()
        draws: NDArray[np.int64] = generator.integers(0, len(chars), (RESAMPLES, len(chars)))
        totals = np.maximum(chars[draws].sum(axis=1), 1.0)
        resampled += pilot.chars_left * amount[draws].sum(axis=1) / totals
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return Estimate(float(mean), float(low), float(high))
