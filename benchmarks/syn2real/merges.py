"""What a target's models come to on its real test: four baselines, merges of all kinds, and the curve over lambda.

Lambda is chosen by leaving out one source domain after the other, for the plain mean and for TIES, whose vector is of
another length. DARE keeps the mean of what it drops from, and an arc between models this close is nearly straight:
they, single vectors and the rest take the lambda of the mean. Nothing real of the target is heard before its test.
Claims are made of baselines and of means of vectors, which have all seeds; other operators, single vectors, layers and
the curve have the first. TSV-M is left out: the singular values of an embedding of 50,000 tokens take longer than a
training.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.kept import kept, weights_of
from benchmarks.syn2real.trainings import ENGINES, Experiment, continued, model_of, real_without
from catalogs.catalog import Catalog
from catalogs.config import parse
from catalogs.ids import Id, content_id
from catalogs.progress import Progress
from catalogs.release import release_named
from catalogs.text import NORMALISER
from training.evaluation.baseline import BASELINE
from training.evaluation.report import EvaluationConfig, evaluate
from training.merging.merge import merge
from training.merging.recipe import MergeConfig

OTHERS: Mapping[str, Mapping[str, Any]] = {
    "mean, norms matched": {"name": "add", "norms": "matched"},
    "TIES": {"name": "ties"},
    "DARE": {"name": "dare"},
    "SLERP": {"name": "slerp"},
}
"""Operators other than the plain mean."""
CHOSEN = "TIES"
"""The one of them that has a lambda of its own."""
LOWER = ("0", "1")
"""Layers of the decoder's four that a row of their own adds the vector to, and to nothing else."""
SYNTHETIC = "target-synthetic"
"""The row that the others are held against."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A model on the target's test: the row of the table, its evaluation in the corpus ``real``, lambda of a merge.

    ``is_curve`` rows are of the curve over lambda.
    """

    row: str
    target: str
    seed: int
    evaluation_id: Id
    scale: float | None = None
    is_curve: bool = False


def tested(experiment: Experiment, target: str, *, grid: Sequence[float]) -> list[Tested]:
    """All rows of a target; what is trained, chosen and heard already stays."""
    mean = _mean(experiment, target, grid)
    rows = [*_baselines(experiment, target), mean, *_means(experiment, target, mean.scale or 0.0)]
    if experiment.seed == 0:
        rows += _ablations(experiment, target, grid, mean.scale or 0.0)
    return rows


def _baselines(experiment: Experiment, target: str) -> Iterator[Tested]:
    models = {"Whisper tiny.en": BASELINE} | ({} if experiment.base is None else {"the base": experiment.base})
    models["source-real"] = real_without(experiment, target)
    models[SYNTHETIC] = model_of(experiment, target, ENGINES[0])
    models["mixed"] = continued(experiment, target)
    for row, model in models.items():
        yield Tested(row, target, experiment.seed, _heard(experiment, target, model))


def _mean(experiment: Experiment, target: str, grid: Sequence[float]) -> Tested:
    synthetic, sources = model_of(experiment, target, ENGINES[0]), _sources(experiment, target, ENGINES[0])
    return _merged(experiment, target, "mean", synthetic, sources, {"choosing": {"grid": list(grid)}})


def _means(experiment: Experiment, target: str, scale: float) -> Iterator[Tested]:
    merged = partial(_merged, experiment, target)
    synthetic, mixed = model_of(experiment, target, ENGINES[0]), continued(experiment, target)
    sources, others = (_sources(experiment, target, engine) for engine in ENGINES)
    yield merged("mean, two engines", synthetic, [*sources, *others], {"scale": scale})
    yield merged("mean, added to mixed", mixed, sources, {"scale": scale})


def _ablations(experiment: Experiment, target: str, grid: Sequence[float], scale: float) -> Iterator[Tested]:
    synthetic, sources = model_of(experiment, target, ENGINES[0]), _sources(experiment, target, ENGINES[0])
    merged = partial(_merged, experiment, target)
    for row, operator in OTHERS.items():
        how = {"choosing": {"grid": list(grid)}} if row == CHOSEN else {"scale": scale}
        yield merged(row, synthetic, sources, {"operator": dict(operator), **how})
    for source in sources:
        yield merged(f"from {source_of(source['name'])[0]} alone", synthetic, [source], {"scale": scale})
    if experiment.recipe["objective"]["method"] == "whisper":
        layers = {"scale": 0.0, "scales": dict.fromkeys(LOWER, scale)}
        yield replace(merged("mean, lower layers alone", synthetic, sources, layers), scale=scale)
    for point in grid:
        if point == 0:  # that is the target's model itself
            continue
        yield merged(f"{point:g}", synthetic, sources, {"scale": point}, is_curve=True)


def source_name(domain: str, engine: str, seed: int) -> str:
    """What a task vector is called."""
    return f"{domain}-{engine}-{seed}"


def source_of(name: str) -> tuple[str, str, int]:
    """Domain, engine and seed of a task vector."""
    domain, engine, seed = name.split("-")
    return domain, engine, int(seed)


def _sources(experiment: Experiment, target: str, engine: str) -> list[dict[str, Any]]:
    return [
        {
            "name": source_name(domain, engine, experiment.seed),
            "real": str(model_of(experiment, domain, "real")),
            "synthetic": str(model_of(experiment, domain, engine)),
            "dev": {"corpus": str(experiment.work / "real"), "release": f"{domain}-dev"},
        }
        for domain in experiment.sources(target)
    ]


def _merged(
    experiment: Experiment,
    target: str,
    row: str,
    model: Path,
    sources: Sequence[dict[str, Any]],
    how: Mapping[str, Any],
    *,
    is_curve: bool = False,
) -> Tested:
    """What a merge came to; it is made and heard if that is not known.

    It is removed then, unless lambda was chosen for it: that is long work, kept beside it.
    """
    name = f"{target}-{row}".lower().replace(",", "").replace(" ", "-")
    folder = experiment.folder(name)
    table = {"name": folder.name, "folder": str(folder), "target": str(model), "sources": list(sources), **how}
    config = parse(MergeConfig, table, source=name)

    def find() -> dict[str, Any]:
        scale = merge(config, progress=Progress()).scale
        evaluation_id = _heard(experiment, target, folder)
        if "choosing" not in how:
            shutil.rmtree(folder)
        return {"evaluation_id": evaluation_id, "scale": scale}

    of = _of(experiment.work / "real", config, target)
    found = kept(experiment.models / "heard" / f"{folder.name}.json", of, find)
    return Tested(row, target, experiment.seed, Id(found["evaluation_id"]), found["scale"], is_curve)


def _of(real: Path, config: MergeConfig, target: str) -> Id:
    """What a merge and its errors depend on: the recipe, the weights, and the takes that it is chosen and tested on."""
    readings = [model for source in config.sources for model in (source.real, source.synthetic) if model]
    names = [f"{target}-test", *(source.dev.release for source in config.sources if source.dev)]
    with Catalog.open(real) as catalog:
        takes = [release_named(catalog, name).id for name in names]
    return content_id(
        "merge heard",
        NORMALISER,
        config.definition,
        *takes,
        *(weights_of(Path(model)) for model in [config.target, *readings]),
    )


def _heard(experiment: Experiment, target: str, model: Path | str) -> Id:
    config = EvaluationConfig(experiment.work / "real", f"{target}-test")
    (system,) = evaluate([str(model)], config, progress=Progress()).systems
    if system.failures:
        raise RuntimeError(f"{model}: {system.failures[0].message}")
    return system.evaluation_id
