"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalogs.errors import TrainingError
from catalogs.progress import SILENT, Progress
from training import checkpoint, curve
from training.augmentation.variants import Augmentation
from training.data import Source, read_data
from training.inputs import loaded
from training.loop import Loop
from training.members import Member
from training.objective import LookingOver
from training.processes import processes
from training.recipe import TrainRecipe
from training.sampling import Epochs
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
    found = [read_data(config) for config in recipe.data]
    members = [member for _, part in found for member in part]
    augmentation = recipe.augmentation.build([member for member in members if member.place is not None])
    epochs = Epochs(
        members, recipe.sampling, seed=recipe.loop.seed, epochs=recipe.loop.epochs,
        variants=recipe.augmentation.variants,
    )  # fmt: skip
    steps, draws = epochs.schedule(recipe.loop.micro_batches, steps=recipe.loop.steps)
    inputs, objective = loaded(recipe, augmentation)
    if isinstance(objective, LookingOver):
        progress.note(objective.look_over([member.spoken for member in members if member.place is None]))
    base = begin(recipe, objective, inputs.encoder_id)
    inputs.prepare(draws, progress)
    if recipe.penalty:
        objective = recipe.penalty.around(objective)
    loop = Loop(objective, epochs, inputs.utterances, config=recipe.loop, optim=recipe.optim, folder=recipe.folder)
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {steps:,} steps")
    about = provenance(recipe, [source for source, _ in found], inputs.encoder_id, augmentation) | {"base": base}
    loop.run(about, total_steps=steps, progress=progress)
    if here.is_main_process:
        curve.plot(recipe.folder)
    here.wait_for_everyone()
    return trained_on(members, recipe)


def trained_on(members: Sequence[Member], recipe: TrainRecipe) -> Trained:
    """What the training of a recipe has come to; ``members`` are those of its releases.

    Raises:
        TrainingError: if it has no checkpoint yet.
    """
    audio_s = sum(member.duration_s for member in members if member.place is not None)
    rows = curve.rows_of(recipe.folder)
    step = checkpoint.load(recipe.folder).position.step
    return Trained(recipe.folder, step, len(members), audio_s, rows[-1]["loss"] if rows else None)


def provenance(
    recipe: TrainRecipe, sources: Sequence[Source], encoder_id: str | None, augmentation: Augmentation
) -> dict[str, Any]:
    """Where a checkpoint comes from: what was trained on what, and with which versions."""
    return {
        "training": recipe.id,
        "recipe": recipe.table(),
        "releases": [{"id": source.id, "name": source.name} for source in sources],
        "encoder": encoder_id,
        "augmentation": augmentation.id if recipe.augmentation.variants else None,
        "licences": sorted({licence for source in sources for licence in source.licences}),
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
