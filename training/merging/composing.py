"""A merged checkpoint in the making: a model, a vector, lambda; and all that went into it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.ids import content_id
from training import checkpoint
from training.checkpoint import ABOUT, TRAINED
from training.merging.devs import chosen_by, judged_by
from training.merging.low_rank import pairs_in, split
from training.merging.operators import added, combined
from training.merging.parts import Part, Source, check_target, lora_of
from training.merging.recipe import MergeConfig
from training.merging.scales import scale_by_name
from training.merging.vectors import Weights, difference, orthogonal
from training.session import RECIPE, versions
from training.starting import without_start


@dataclass(frozen=True, slots=True)
class Mixture:
    """What is merged: a target, the sources in the order of their keys, and the one vector that these have become."""

    target: Part
    sources: Sequence[Source]
    vector: Weights


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


def write(mixture: Mixture, config: MergeConfig, scale: float, *, beside: Mapping[str, str] | None = None) -> float:
    """Write the target with lambda times the vector, whole or not at all; what is there already stays.

    A merge of the same recipe whose lambda was chosen by other takes, under the same names, is replaced.
    ``beside`` are texts by the names of further files. Gives the share of the norm of adapters that their rank has no
    room for.

    Raises:
        TrainingError: if the folder holds something else.
        RecipeError: for a lambda of layers that there are not.
    """
    stored, lost = composed(mixture, config, scale)
    about = provenance(mixture, config, scale, lost=lost)
    if not _is_there(config, about):
        texts = {RECIPE: config.definition + "\n", **(beside or {})}
        checkpoint.write(config.path, mixture.target.found.position, trained=stored, provenance=about, beside=texts)
    return lost


def composed(mixture: Mixture, config: MergeConfig, scale: float) -> tuple[dict[str, Tensor], float]:
    """The parameters of the merged model as a checkpoint stores them, and what adapters have lost."""
    target = mixture.target
    scale_of = scale_by_name(target.weights.keys(), scale, config.scales, source=config.name)
    weights = added(target.weights, mixture.vector, scale_of=scale_of, arc=config.operator.name == "slerp")
    found = split(weights, target.stored, before=target.weights, rank=config.rank, gain=target.gain)
    return {name: found.weights[name].to(tensor.dtype) for name, tensor in target.stored.items()}, found.lost


def provenance(mixture: Mixture, config: MergeConfig, scale: float, *, lost: float) -> dict[str, Any]:
    """Where a merged checkpoint comes from: what was merged how, and what the target was trained on."""
    target = mixture.target
    pairs = [(source.name, *pair) for source in mixture.sources for pair in source.parts()]
    parts = [{"role": "target", **target.pin}]
    parts += [{"role": role, "source": name, **part.pin} for name, role, part in pairs]
    how: dict[str, Any] = {
        "operator": asdict(config.operator),
        "scale": scale,
        "scales": dict(config.scales),
        "rank": config.rank,
        **config.later,
    }
    everything = [target, *(part for _, _, part in pairs)]
    before = target.found.provenance
    return {
        "training": content_id("merge", how, sorted(f"{part['role']} {part['sha256']}" for part in parts)),
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


def _is_there(config: MergeConfig, about: Mapping[str, Any]) -> bool:
    """Whether this very merge has been written; not if lambda was chosen by other releases or errors.

    Raises:
        TrainingError: if the folder holds something else.
    """
    folder = config.path
    if not folder.exists():
        return False
    if not all((folder / name).exists() for name in (ABOUT, TRAINED, RECIPE)):
        raise TrainingError(f"{folder} is there, and is no merged checkpoint; give this merge another folder or name")
    before = checkpoint.load(folder).provenance
    heard = [judged_by(each.get("chosen_by") or ()) for each in (before, about)]
    if heard[0] == heard[1] and before.get("training") == about["training"]:
        return True
    if heard[0] != heard[1] and _is_of_one_recipe(config, before, about):
        return False
    raise TrainingError(
        f"{folder} holds another merge than this recipe asks for, or its models have been trained on since; "
        "give this one another name, or another folder"
    )


def _is_of_one_recipe(config: MergeConfig, before: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
    """Whether what is there was merged by the same recipe, of the same models."""
    models = [[part["sha256"] for part in each.get("merge", {}).get("parts", ())] for each in (before, about)]
    recipe = (config.path / RECIPE).read_text(encoding="utf-8").strip()
    return models[0] == models[1] and recipe == config.definition
