"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalogs.errors import TrainingError
from catalogs.ids import Id
from catalogs.progress import SILENT, Progress
from training import checkpoint, curve
from training.augmentation.variants import Augmentation
from training.checks import Found, check_heard, check_labels, check_mixed_texts, check_real
from training.data import Source, read_data
from training.inputs import FeatureInputs, Inputs, loaded
from training.jstip import Jstip
from training.loop import Loop
from training.members import Member
from training.mixing.hearing import MixedInputs
from training.mixing.mixer import Mixer
from training.mixing.sources import Sources, sources_of
from training.objective import LookingOver, Objective
from training.processes import processes
from training.recipe import TrainRecipe
from training.sampling import Draw, Epochs, Sampler
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
    recipe.loop.set_threads()
    here = processes()
    progress = progress if here.is_main_process else SILENT
    if here.is_main_process:
        _claim(recipe)
    here.wait_for_everyone()
    found = _each_once([read_data(config) for config in recipe.data], progress)
    members = [member for _, part in found for member in part]
    augmentation = recipe.augmentation.build([member for member in members if member.place is not None])
    drawn_from = _drawn_from(recipe, found)
    pinned: dict[str, Any] = {
        "releases": [{"id": source.id, "name": source.name} for source, _ in found],
        "augmentation": augmentation.id if recipe.augmentation.variants else None,
    }
    if isinstance(drawn_from, Sources):
        pinned |= drawn_from.provenance()
    _refuse_others(recipe, pinned)
    inputs, objective = loaded(recipe, augmentation)
    check_heard(recipe, objective, members, slower=augmentation.slower)
    if isinstance(objective, LookingOver) and (recipe.mixture is None or recipe.mixture.asks_for_made):
        progress.note(objective.look_over([member.spoken for member in members if member.place is None]))
    sampler, inputs = _sampled(recipe, drawn_from, inputs, objective, augmentation, progress=progress)
    steps, draws = sampler.schedule(recipe.loop.micro_batches, steps=recipe.loop.steps)
    base = begin(recipe, objective, inputs.encoder_id)
    inputs.prepare(draws, progress)
    if recipe.penalty:
        objective = recipe.penalty.around(objective)
    loop = Loop(objective, sampler, inputs.utterances, config=recipe.loop, optim=recipe.optim, folder=recipe.folder)
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {_to_do(recipe, steps)}")
    licences = sorted({licence for source, _ in found for licence in source.licences})
    about = provenance(recipe, inputs.encoder_id) | pinned | {"licences": licences, "base": base}
    loop.run(about, total_steps=steps, progress=progress)
    if here.is_main_process:
        curve.plot(recipe.folder)
    here.wait_for_everyone()
    return trained_on(members, recipe)


def _each_once(found: Found, progress: Progress) -> list[tuple[Source, list[Member]]]:
    """Every take and text in the first table that has it, and a word on what is left out."""
    seen: set[Id] = set()
    unique = []
    for source, members in found:
        unique.append((source, [member for member in members if member.take_id not in seen]))
        seen |= {member.take_id for member in members}
    repeated = sum(len(members) for _, members in found) - len(seen)
    too_long = sum(source.too_long for source, _ in found)
    if repeated:
        progress.note(f"{repeated:,} takes or texts are in several tables of data: each is heard as one of them")
    if too_long:
        progress.note(f"{too_long:,} takes are longer than data.max_s, and left out")
    return unique


def _to_do(recipe: TrainRecipe, steps: int) -> str:
    last = checkpoint.last(recipe.folder)
    if last is None:
        return f"{steps:,} steps"
    if last.position.step >= steps:
        return f"all {steps:,} steps done before"
    return f"{steps:,} steps, {last.position.step:,} of them done before"


def _drawn_from(recipe: TrainRecipe, found: Found) -> Epochs | Sources:
    """What is drawn from, with all that can be wrong with it before models are loaded.

    Raises:
        TrainingError: if something that is asked for is not there.
    """
    check_real(recipe, found)
    check_labels(recipe, found)
    if recipe.mixture is None:
        return Epochs(
            [member for _, part in found for member in part],
            recipe.sampling,
            seed=recipe.loop.seed,
            epochs=recipe.loop.epochs,
            variants=recipe.augmentation.variants,
        )
    return sources_of(recipe.mixture, found)


def _sampled(
    recipe: TrainRecipe,
    drawn_from: Epochs | Sources,
    inputs: Inputs,
    objective: Objective,
    augmentation: Augmentation,
    *,
    progress: Progress,
) -> tuple[Sampler, Inputs]:
    """What draws the batches, and what makes utterances of what it draws.

    Raises:
        TrainingError: for an objective that takes no mixture, a share of nothing, or a sequence longer than a row.
    """
    if isinstance(drawn_from, Epochs):
        return drawn_from, inputs
    if not isinstance(objective, Jstip) or not isinstance(inputs, FeatureInputs):
        raise TrainingError(f"{recipe.objective.method} is trained on no mixture")
    check_mixed_texts(drawn_from.config, objective, progress=progress)
    mixer = Mixer(
        drawn_from,
        partial(_most_positions, objective, augmentation.slower),
        context=objective.context,
        seed=recipe.loop.seed,
        epochs=recipe.loop.epochs,
        variants=recipe.augmentation.variants,
    )
    if left_out := mixer.left_out():
        progress.note(left_out)
    return mixer, MixedInputs(inputs, objective.slotting, frames_per_slot=objective.frames_per_slot)


def _most_positions(objective: Jstip, slower: float, draw: Draw) -> int:
    """How many positions a draw has in a row at most, read as slowly as a variant of it may be."""
    longest_s = draw.member.duration_s * (slower if draw.variant else 1.0)
    return objective.length_of(replace(draw, member=replace(draw.member, duration_s=longest_s)))


def trained_on(members: Sequence[Member], recipe: TrainRecipe) -> Trained:
    """What the training of a recipe has come to; ``members`` are those of its releases.

    Raises:
        TrainingError: if it has no checkpoint yet.
    """
    audio_s = sum(member.duration_s for member in members if member.place is not None)
    rows = curve.rows_of(recipe.folder)
    step = checkpoint.load(recipe.folder).position.step
    return Trained(recipe.folder, step, len(members), audio_s, rows[-1]["loss"] if rows else None)


def provenance(recipe: TrainRecipe, encoder_id: str | None) -> dict[str, Any]:
    """How a checkpoint was made: by which recipe and encoder, and with which versions."""
    return {
        "training": recipe.id,
        "recipe": recipe.table(),
        "encoder": encoder_id,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions that decide what a checkpoint holds."""
    found = {name: version(name) for name in ("synthgen-studio", "torch", "transformers", "lhotse")}
    return found | {"python": platform.python_version()}


def _refuse_others(recipe: TrainRecipe, pinned: Mapping[str, Any]) -> None:
    """Go on with nothing but the data that the training began with; texts, word times or noises may be others by now.

    Raises:
        TrainingError: if they are.
    """
    last = checkpoint.last(recipe.folder)
    if last is not None and not pinned.items() <= last.provenance.items():
        raise TrainingError(
            f"{recipe.folder} was trained on other texts, word times or augmentations than there are now; put them "
            "back, or train anew in another folder"
        )


def _claim(recipe: TrainRecipe) -> None:
    """Note whose the folder is; until it has a checkpoint, a recipe that was corrected may have it.

    Raises:
        TrainingError: if it holds another training.
    """
    path = recipe.folder / RECIPE
    if checkpoint.last(recipe.folder) is None or not path.exists():
        recipe.folder.mkdir(parents=True, exist_ok=True)
        path.write_text(recipe.definition + "\n", encoding="utf-8")
    elif path.read_text(encoding="utf-8").strip() != recipe.definition:
        raise TrainingError(
            f"{recipe.folder} holds another training than this recipe asks for; "
            "give this one another name, or another folder"
        )
