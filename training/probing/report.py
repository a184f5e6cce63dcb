"""A probe from checkpoint to rows and plots.

<checkpoint>/probe/<real>-<synthetic>[-<split>]-<the first eight digits of its id>/
probe.json      what was probed with what
layers.jsonl    a row for each layer, and one for what can be told without the model
sweep.jsonl     a row for each perturbation, layer and kind of take
layers.svg, sweep.svg

What was heard otherwise, or of other takes, has another id, and so another folder: all files of one are of one probe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalogs.ids import Id, content_id
from catalogs.progress import Progress
from catalogs.stage import Outcome, batched
from training import checkpoint
from training.checkpoint import Checkpoint
from training.members import Wave, waves_of
from training.probing.activations import Layer, Listener, listener_of
from training.probing.classifier import Probe, Vectors
from training.probing.keeping import keep_about, keep_rows
from training.probing.layers import SURFACE, Bench, LayerRow
from training.probing.pairing import Readings, paired, release_at
from training.probing.perturbations import PERTURBATIONS, perturbed
from training.probing.plots import plot_layers, plot_sweep
from training.probing.surface import surface
from training.probing.sweep import SweepRow, sweep_rows

ABOUT, LAYERS, SWEEP = "probe.json", "layers", "sweep"
VERSION = 1
"""Raised whenever the same takes give other rows than before."""

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """Releases of real and of synthetic takes, each written CORPUS/RELEASE, or one split of both.

    ``takes`` is how many of each kind are heard at most; ``groups`` into how many groups speakers are dealt, and texts:
    its square is the number of cells.
    """

    real: str
    synthetic: str
    split: str | None = None
    takes: int = 200
    sweep: bool = False
    groups: int = 4
    replicates: int = 1000

    def __post_init__(self) -> None:
        if self.takes < 1 or self.groups < 2 or self.replicates < 1:
            raise ValueError("probe.takes and probe.replicates must be at least 1, and probe.groups at least 2")


@dataclass(frozen=True, slots=True)
class About:
    """What was probed with what; speakers and takes of either kind, and texts that both have read.

    ``id`` is a hash of all that decides the rows: checkpoint, releases, split, ``takes`` at most, ``groups``,
    ``replicates``. ``real_from`` and ``synthetic_from`` are where the releases were found.
    """

    id: Id
    checkpoint: str
    step: int
    training: Id
    real: Id
    real_from: str
    synthetic: Id
    synthetic_from: str
    split: str | None
    takes: int
    groups: int
    replicates: int
    num_texts: int
    real_takes: int
    real_speakers: int
    synthetic_takes: int
    synthetic_speakers: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it, and the folder it is kept in."""

    folder: Path
    about: About
    layers: tuple[LayerRow, ...]
    sweep: tuple[SweepRow, ...]


def probe(folder: Path, config: ProbeConfig, *, progress: Progress) -> Report:
    """Probe every layer of a checkpoint, or of the last one of a training.

    Raises:
        TrainingError: if there is no checkpoint, or none that can be probed.
        UsageError: if a release is not written CORPUS/RELEASE.
        ReleaseError: if there is no such release, or too little that real and synthetic takes have in common.
        EngineError: if a model is not to be had.
        AudioError: if a take's audio is missing or damaged.
    """
    found = checkpoint.load(folder)
    (real, ours), (synthetic, theirs) = (
        release_at(place, split=config.split) for place in (config.real, config.synthetic)
    )
    readings = paired(ours, theirs, most=config.takes)
    bench = Bench.of(readings, groups=config.groups, replicates=config.replicates)
    listener = listener_of(found)
    before = _vectors(listener, readings, progress)
    probes, layers = _fitted(bench, before, progress)
    names = PERTURBATIONS if config.sweep else ()
    sweep = tuple(row for by in names for row in _swept(by, bench, probes, before, listener, progress))
    about = _about(found, (real.id, synthetic.id), readings, config)
    name = "-".join(filter(None, (real.name, synthetic.name, config.split, about.id[:8])))
    report = Report(found.folder / "probe" / name, about, layers, sweep)
    _keep(report)
    return report


def _about(found: Checkpoint, releases: tuple[Id, Id], readings: Readings, config: ProbeConfig) -> About:
    step, training = found.position.step, found.provenance["training"]
    asked = (config.split, config.takes, config.groups, config.replicates)
    real, synthetic = releases
    return About(
        id=content_id("probe", VERSION, training, step, real, synthetic, *asked),
        checkpoint=str(found.folder),
        step=step,
        training=training,
        real=real,
        real_from=config.real,
        synthetic=synthetic,
        synthetic_from=config.synthetic,
        split=config.split,
        takes=config.takes,
        groups=config.groups,
        replicates=config.replicates,
        num_texts=len(set(readings.texts)),
        **_counted(readings),
    )


def _fitted(
    bench: Bench, vectors: Mapping[Layer, Vectors], progress: Progress
) -> tuple[dict[Layer, Probe], tuple[LayerRow, ...]]:
    """The probe of every layer, and how well it does."""
    progress.start("probing, layers", len(vectors))
    probes, rows = {}, []
    for layer, of_layer in vectors.items():
        probes[layer] = bench.probe(of_layer)
        rows.append(bench.row(layer, of_layer, probes[layer]))
        progress.receive(Outcome(items=1))
    progress.finish()
    return probes, tuple(rows)


def _swept(
    by: str,
    bench: Bench,
    probes: Mapping[Layer, Probe],
    before: Mapping[Layer, Vectors],
    listener: Listener,
    progress: Progress,
) -> list[SweepRow]:
    after = _vectors(listener, bench.readings, progress, by=by)
    return sweep_rows(by, bench, probes, before=before, after=after)


def _vectors(
    listener: Listener, readings: Readings, progress: Progress, *, by: str | None = None
) -> dict[Layer, Vectors]:
    """The vectors of all takes by layer, the surface last; takes as they are, or perturbed. Nothing else is kept."""
    progress.start("hearing" if by is None else f"hearing {by}", len(readings.members))
    order = sorted(range(len(readings.members)), key=lambda place: (readings.members[place].duration_s, place))
    found: dict[Layer, Vectors] = {}
    for places in batched(order, _AT_ONCE):
        waves = _waves(readings, places, by=by)
        of_batch = {layer: rows.numpy() for layer, rows in listener.vectors(waves).items()}
        for layer, rows in (of_batch | {SURFACE: surface(list(waves.values()))}).items():
            kept = found.setdefault(layer, np.empty((len(order), rows.shape[1]), np.float32))
            kept[places] = rows
        progress.receive(Outcome(items=len(places)))
    progress.finish()
    return found


def _waves(readings: Readings, places: Sequence[int], *, by: str | None) -> dict[str, Wave]:
    members = [readings.members[place] for place in places]
    waves = zip(members, waves_of(members), strict=True)
    return {m.take_id: wave if by is None else perturbed(wave, m, by=by) for m, wave in waves}


def _counted(readings: Readings) -> dict[str, int]:
    counts = {"real": readings.counts(synthetic=False), "synthetic": readings.counts(synthetic=True)}
    return {
        f"{kind}_{what}": number
        for kind, numbers in counts.items()
        for what, number in zip(("takes", "speakers"), numbers, strict=True)
    }


def _keep(report: Report) -> None:
    keep_about(report.folder / ABOUT, report.about)
    keep_rows(report.folder / f"{LAYERS}.jsonl", report.layers)
    plot_layers(report.layers, report.folder / f"{LAYERS}.svg")
    if report.sweep:
        keep_rows(report.folder / f"{SWEEP}.jsonl", report.sweep)
        plot_sweep(report.sweep, report.folder / f"{SWEEP}.svg")
