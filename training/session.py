"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalogs.errors import TrainingError
from catalogs.progress import SILENT, Progress
from catalogs.records import Release
from training import checkpoint, curve
from training.augmentation.variants import Augmentation
from training.inputs import FeatureInputs, Inputs, loaded
from training.jstip import Jstip
from training.loop import Loop
from training.members import Member, members_of
from training.mixing.hearing import MixedInputs
from training.mixing.mixer import Mixer
from training.mixing.sources import Sources, sources_of
from training.objective import Objective
from training.processes import processes
from training.recipe import TrainRecipe
from training.sampling import Epochs, Sampler
from training.starting import begin

RECIPE = "recipe.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training has come to."""

    folder: Path
    steps: int
    utterances: int
    audio_s: float
    loss: float | None


def train(recipe: TrainRecipe, *, progress: Progress) -> Trained:
    """Do all that is missing of a training.

    Raises:
        TrainingError: if there is nothing to train on, the folder holds another training, what it is to start from is
            of another model, or a loss is no number.
        EngineError: if a model is not to be had.
    """
    here = processes()
    progress = progress if here.is_main_process else SILENT
    if here.is_main_process:
        _claim(recipe)
    here.wait_for_everyone()
    found = [members_of(config) for config in recipe.data]
    members = [member for _, part in found for member in part]
    augmentation = recipe.augmentation.build(members)
    source = _source(recipe, found)
    inputs, objective = loaded(recipe, augmentation)
    sampler: Sampler
    if isinstance(source, Sources):
        sampler, inputs = _mixed(recipe, source, inputs, objective)
    else:
        sampler = source
    steps, draws = sampler.schedule(recipe.loop.micro_batches, steps=recipe.loop.steps)
    base = begin(recipe, objective, inputs.encoder_id)
    inputs.prepare(draws, progress)
    if recipe.penalty:
        objective = recipe.penalty.around(objective)
    loop = Loop(objective, sampler, inputs.utterances, config=recipe.loop, optim=recipe.optim, folder=recipe.folder)
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {steps:,} steps")
    about = provenance(recipe, [release for release, _ in found], inputs.encoder_id, augmentation) | {"base": base}
    if isinstance(source, Sources):
        about |= source.provenance()
    loop.run(about, total_steps=steps, progress=progress)
    if here.is_main_process:
        curve.plot(recipe.folder)
    here.wait_for_everyone()
    return trained_on(members, recipe)


def _source(recipe: TrainRecipe, found: Sequence[tuple[Release, Sequence[Member]]]) -> Epochs | Sources:
    """What is drawn from, with all that can be wrong with it before models are loaded.

    Raises:
        TrainingError: if something that is asked for is not there, or is not what this training began with.
    """
    if recipe.mixture is None:
        return Epochs(
            [member for _, part in found for member in part],
            recipe.sampling,
            seed=recipe.loop.seed,
            epochs=recipe.loop.epochs,
            variants=recipe.augmentation.variants,
        )
    sources = sources_of(recipe.mixture, found)
    last = checkpoint.last(recipe.folder)
    if last is not None and not sources.provenance().items() <= last.provenance.items():
        raise TrainingError(
            f"{recipe.folder} was trained on other word times or other texts than there are now; put them back, or "
            "train anew in another folder"
        )
    return sources


def _mixed(recipe: TrainRecipe, sources: Sources, inputs: Inputs, objective: Objective) -> tuple[Mixer, MixedInputs]:
    """The epochs of a mixture, and what makes utterances of what they draw.

    Raises:
        TrainingError: for an objective that takes no mixture, a share of nothing, or a sequence longer than a row.
    """
    if not isinstance(objective, Jstip) or not isinstance(inputs, FeatureInputs):
        raise TrainingError(f"{recipe.objective.method} is trained on no mixture")
    mixer = Mixer(
        sources,
        objective.length_of,
        context=objective.context,
        seed=recipe.loop.seed,
        epochs=recipe.loop.epochs,
        variants=recipe.augmentation.variants,
    )
    return mixer, MixedInputs(inputs, objective.slotting, frames_per_slot=objective.frames_per_slot)


def trained_on(members: Sequence[Member], recipe: TrainRecipe) -> Trained:
    """What the training of a recipe has come to; ``members`` are those of its releases.

    Raises:
        TrainingError: if it has no checkpoint yet.
    """
    audio_s = sum(member.duration_s for member in members)
    rows = curve.rows_of(recipe.folder)
    step = checkpoint.load(recipe.folder).position.step
    return Trained(recipe.folder, step, len(members), audio_s, rows[-1]["loss"] if rows else None)


def provenance(
    recipe: TrainRecipe, releases: Sequence[Release], encoder_id: str | None, augmentation: Augmentation
) -> dict[str, Any]:
    """Where a checkpoint comes from: what was trained on what, and with which versions."""
    return {
        "training": recipe.id,
        "recipe": recipe.table(),
        "releases": [{"id": release.id, "name": release.name} for release in releases],
        "encoder": encoder_id,
        "augmentation": augmentation.id if recipe.augmentation.variants else None,
        "licences": sorted({licence for release in releases for licence in release.licences}),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions that decide what a checkpoint holds."""
    found = {name: version(name) for name in ("synthgen-studio", "torch", "transformers", "lhotse")}
    return found | {"python": platform.python_version()}


def _claim(recipe: TrainRecipe) -> None:
    """Note whose the folder is.

    Raises:
        TrainingError: if it holds another training.
    """
    path = recipe.folder / RECIPE
    if not path.exists():
        recipe.folder.mkdir(parents=True, exist_ok=True)
        path.write_text(recipe.definition + "\n", encoding="utf-8")
    elif path.read_text(encoding="utf-8").strip() != recipe.definition:
        raise TrainingError(
            f"{recipe.folder} holds another training than this recipe asks for; "
            "give this one another name, or another folder"
        )
