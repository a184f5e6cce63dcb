"""A merged checkpoint in the making: a model, a vector, lambda; and all that went into it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from catalogs.errors import RecipeError, TrainingError
from training import checkpoint
from training.claiming import RECIPE
from training.merging.devs import chosen_by
from training.merging.identity import how_of, is_there, parts_of, tell_parts, training_of
from training.merging.low_rank import pairs_in, split
from training.merging.operators import added, combined
from training.merging.parts import Part, Source, check_target, lora_of
from training.merging.recipe import MergeConfig
from training.merging.scales import scale_by_name
from training.merging.vectors import Weights, difference, is_finite, orthogonal
from training.session import versions
from training.starting import without_start


@dataclass(frozen=True, slots=True)
class Mixture:
    """What is merged: a target, the sources in the order of their keys, and the one vector that these have become."""

    target: Part
    sources: Sequence[Source]
    vector: Weights


@dataclass(frozen=True, slots=True)
class Made:
    """A merged model: its parameters as a checkpoint stores them, lambda, and the share of their norm adapters lost."""

    weights: Weights
    scale: float
    lost: float


def check(config: MergeConfig, target: Part, sources: Sequence[Source]) -> None:
    """Refuse what can be seen to fail before any lambda is chosen.

    Raises:
        TrainingError: if the vectors do not belong to the target, or the folder holds something that no lambda of the
            recipe makes.
        RecipeError: for a rank of adapters that there are not.
    """
    check_target(target, sources)
    if config.rank is not None and not pairs_in(target.stored):
        raise RecipeError(
            f"{config.name}: rank = {config.rank} is that of merged adapters of LoRA, and {target.folder} has none; "
            "leave it out"
        )
    scales = [config.scale] if config.choosing is None else config.choosing.grid
    is_there(config, target, sources, scales=[scale for scale in scales if scale is not None])


def mixture_of(target: Part, sources: Sequence[Source], config: MergeConfig) -> Mixture:
    """The vectors of some sources, made one, for a model; without what lies along texts, if the recipe says so.

    Raises:
        TrainingError: if they do not belong to it.
    """
    check_target(target, sources)
    vectors = {source.key: source.vector() for source in sources}
    if config.text_direction == "removed":
        ways = {source.key: difference(target.weights, source.synthetic.weights) for source in sources}
        vectors = {key: orthogonal(vector, ways[key]) for key, vector in vectors.items()}
    return Mixture(target, sources, combined(vectors, config.operator))


def write(mixture: Mixture, config: MergeConfig, scale: float) -> None:
    """Write the target with lambda times the vector; raises as `composed` and `put` do."""
    put(composed(mixture, config, scale), mixture, config)


def put(made: Made, mixture: Mixture, config: MergeConfig, *, beside: Mapping[str, str] | None = None) -> None:
    """Write a merged model, whole or not at all; a model that is there already stays.

    A merge of the same recipe whose lambda was chosen by other takes, under the same names, is replaced; one whose
    models lie in other folders by now, or are called otherwise, says so. ``beside`` are texts by the names of further
    files.

    Raises:
        TrainingError: if the folder holds something else.
    """
    about = provenance(mixture, config, made.scale, lost=made.lost)
    if is_there(config, mixture.target, mixture.sources, scales=[made.scale]):
        checkpoint.clear(config.path)
        tell_parts(config.path, about["merge"]["parts"])
        for name, text in (beside or {}).items():
            checkpoint.put_text(config.path / name, text)
        return
    texts = {RECIPE: config.definition + "\n", **(beside or {})}
    checkpoint.write(config.path, mixture.target.found.position, trained=made.weights, provenance=about, beside=texts)


def composed(mixture: Mixture, config: MergeConfig, scale: float) -> Made:
    """The merged model.

    Raises:
        TrainingError: if a number would be too large for the type that it is stored as.
        RecipeError: for a lambda of layers that there are not.
    """
    target = mixture.target
    scale_of = scale_by_name(target.weights.keys(), scale, config.scales, source=config.name)
    weights = added(target.weights, mixture.vector, scale_of=scale_of, arc=config.operator.name == "slerp")
    _check_finite(weights, config, scale)
    found = split(weights, target.stored, before=target.weights, rank=config.rank, gain=target.gain)
    stored = {
        name: tensor if torch.equal(found.weights[name], tensor.float()) else found.weights[name].to(tensor.dtype)
        for name, tensor in target.stored.items()
    }
    _check_finite(stored, config, scale)
    return Made(stored, scale, found.lost)


def _check_finite(weights: Weights, config: MergeConfig, scale: float) -> None:
    for name, tensor in weights.items():
        if not is_finite({name: tensor}):
            layers = " and these scales" if config.scales else ""
            raise TrainingError(
                f"{config.name} cannot be merged: at scale = {scale:g}{layers} {name} has numbers beyond "
                f"{torch.finfo(tensor.dtype).max:.4g}, the largest that {str(tensor.dtype).removeprefix('torch.')} "
                "holds; give a smaller one"
            )


def provenance(mixture: Mixture, config: MergeConfig, scale: float, *, lost: float) -> dict[str, Any]:
    """Where a merged checkpoint comes from: what was merged how, and what the target was trained on."""
    target, parts = mixture.target, parts_of(mixture.target, mixture.sources)
    everything = [target, *(part for source in mixture.sources for _, part in source.parts())]
    before, how = target.found.provenance, how_of(config, scale)
    return {
        "training": training_of(how, parts),
        "recipe": _recipe(config, target),
        "releases": before.get("releases"),
        "encoder": before.get("encoder"),
        "augmentation": None,
        "licences": sorted({x for part in everything for x in part.found.provenance.get("licences", ())}),
        "base": {**target.base, "started_from": {}},
        "chosen_by": chosen_by(config),
        "merge": {**how, "choosing": config.choosing and asdict(config.choosing), "lost": lost, "parts": parts},
        "versions": versions(),
    }


def _recipe(config: MergeConfig, target: Part) -> dict[str, Any]:
    """The target's recipe under the name of the merge; adapters of another rank have the same gain."""
    recipe = without_start(target.recipe) | {"name": config.name}
    lora = lora_of(recipe)
    if lora is not None and config.rank is not None and pairs_in(target.stored):
        language_model = recipe["objective"]["language_model"]
        table = {**lora, "r": config.rank, "alpha": target.gain * config.rank}
        recipe["objective"] |= {"language_model": {**language_model, "lora": table}}
    return recipe
