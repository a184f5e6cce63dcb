"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import platform
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalogs.errors import ReleaseError, TrainingError
from catalogs.ids import Id
from catalogs.progress import SILENT, Progress
from training import checkpoint, curve
from training.augmentation.variants import Augmentation
from training.checks import Found, check_heard, check_texts, check_validation, look_over, tell_of_shares
from training.claiming import Claim, claimed
from training.data import Source, read_data
from training.drawing import drawn_from, sampled
from training.inputs import Inputs, loaded
from training.loop import Loop
from training.members import Member
from training.mixing.mixture import MixtureConfig
from training.mixing.sources import Sources
from training.objective import Objective
from training.processes import processes
from training.recipe import TrainRecipe
from training.sampling import Epochs
from training.starting import begin
from training.validation import Validation


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
        TrainingBusy: if another process trains in the folder.
        TrainingError: if there is nothing to train on, the folder holds another training, what it is to start from is
            of another model, or a loss is no number.
        EngineError: if a model is not to be had.
        UsageError: if it is shared by more processes than a step has micro-batches.
    """
    recipe.loop.set_threads()
    here = processes()
    recipe.loop.check_shared(here.num_processes)
    progress = progress if here.is_main_process else SILENT
    with claimed(recipe) if here.is_main_process else nullcontext() as claim:
        here.wait_for_everyone()
        return _train(recipe, claim, progress)


def _train(recipe: TrainRecipe, claim: Claim | None, progress: Progress) -> Trained:
    """The training in a folder that the first of its processes has claimed."""
    here = processes()
    found = each_once([read_data(config) for config in recipe.data], recipe.mixture, progress)
    members = [member for _, part in found for member in part]
    augmentation = recipe.augmentation.build([member for member in members if member.place is not None])
    pool = drawn_from(recipe, found)
    pinned = _pinned(recipe, found, pool, augmentation)
    inputs, objective = loaded(recipe, augmentation)
    check_heard(recipe, objective, members, lengthening=augmentation.lengthening)
    look_over(recipe, objective, inputs, members, progress=progress)
    sampler, inputs = sampled(recipe, pool, inputs, objective, augmentation, progress=progress)
    steps, draws = sampler.schedule(recipe.loop.micro_batches, steps=recipe.loop.steps)
    if claim and not _is_done(recipe, steps):
        claim.insist()
    tell_of_shares(recipe, sampler, steps, progress=progress)
    base = begin(recipe, objective, inputs.encoder_id)
    validation, chosen_by = _validation(recipe, members, inputs, objective)
    objective = recipe.around(objective)
    recipe.optim.rates_of(objective.trained())  # a mistake is told before anything is encoded
    if not _is_done(recipe, steps):
        inputs.prepare([*draws, *(validation.draws if validation else ())], progress)
    loop = Loop(objective, sampler, inputs.utterances, config=recipe.loop, optim=recipe.optim, folder=recipe.folder)
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {_to_do(recipe, steps)}")
    about = {**provenance(recipe, inputs.encoder_id), **pinned, "base": base, "chosen_by": chosen_by}
    about["licences"] = sorted({licence for source, _ in found for licence in source.licences})
    loop.run(about, total_steps=steps, validation=validation, progress=progress)
    if here.is_main_process:
        curve.plot(recipe.folder)
    here.wait_for_everyone()
    return trained_on(members, recipe)


def each_once(found: Found, mixture: MixtureConfig | None, progress: Progress) -> list[tuple[Source, list[Member]]]:
    """Every take and text in the first table that has it, and a word on what is left out.

    Releases that have a share of their own in the mixture go before all others, the smallest of them first.
    """
    shares = (mixture and mixture.asr_shares) or {}

    def turn(number: int) -> tuple[bool, int]:
        source, members = found[number]
        return (False, len(members)) if source.name in shares else (True, number)

    seen: set[Id] = set()
    left: dict[int, list[Member]] = {}
    for number in sorted(range(len(found)), key=turn):
        members = found[number][1]
        left[number] = [member for member in members if member.take_id not in seen]
        seen |= {member.take_id for member in members}
    unique = [(source, left[number]) for number, (source, _) in enumerate(found)]
    repeated = sum(len(members) for _, members in found) - len(seen)
    too_long = sum(source.too_long for source, _ in found)
    if repeated:
        progress.note(f"{repeated:,} takes or texts are in several tables of data: each is heard as one of them")
    if too_long:
        progress.note(f"{too_long:,} takes are longer than data.max_s, and left out")
    return unique


def _is_done(recipe: TrainRecipe, steps: int) -> bool:
    last = checkpoint.last(recipe.folder)
    return last is not None and last.position.step >= steps


def _to_do(recipe: TrainRecipe, steps: int) -> str:
    last = checkpoint.last(recipe.folder)
    if last is None:
        return f"{steps:,} steps"
    if _is_done(recipe, steps):
        return f"all {steps:,} steps done before"
    return f"{steps:,} steps, {last.position.step:,} of them done before"


def _validation(
    recipe: TrainRecipe, members: Sequence[Member], inputs: Inputs, objective: Objective
) -> tuple[Validation | None, list[dict[str, Any]]]:
    """What a training is held against, if anything, and what of it provenance says; see `training.evaluation.leaks`.

    Raises:
        ReleaseError: if there is none of it.
        TrainingError: if that is learned from, or its texts cannot be written.
    """
    if recipe.validation is None:
        return None, []
    try:
        found = [read_data(config) for config in recipe.validation.tables]
        held_out = [member for _, part in found for member in part]
        check_texts(objective, held_out)
    except (ReleaseError, TrainingError) as error:
        raise type(error)(f"validation.data: {error}") from error
    check_validation(recipe.validation, held_out, members)
    named = [
        {"data": asdict(config), "release": source.id}
        for config, (source, _) in zip(recipe.validation.tables, found, strict=True)
    ]
    return Validation(recipe.validation, held_out, objective, inputs.utterances), named


def trained_on(members: Sequence[Member], recipe: TrainRecipe) -> Trained:
    """What the training of a recipe has come to; ``members`` are those of its releases.

    Raises:
        TrainingError: if it has no checkpoint yet.
    """
    audio_s = sum(member.duration_s for member in members if member.place is not None)
    rows = curve.rows_of(recipe.folder)
    last = checkpoint.last(recipe.folder)
    if last is None:
        raise TrainingError(f"{recipe.folder} has no checkpoint yet")
    return Trained(recipe.folder, last.position.step, len(members), audio_s, rows[-1]["loss"] if rows else None)


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


def _pinned(recipe: TrainRecipe, found: Found, pool: Epochs | Sources, augmentation: Augmentation) -> Mapping[str, Any]:
    """The data of a training by content; it goes on with no others, which texts, word times or noises may be by now.

    Raises:
        TrainingError: if they are.
    """
    pinned = {
        "releases": [{"id": source.id, "name": source.name} for source, _ in found],
        "augmentation": augmentation.id if recipe.augmentation.variants else None,
        **(pool.provenance() if isinstance(pool, Sources) else {}),
    }
    last = checkpoint.last(recipe.folder)
    if last is not None and not pinned.items() <= last.provenance.items():
        raise TrainingError(
            f"{recipe.folder} was trained on other texts, word times or augmentations than there are now; put them "
            "back, or train anew in another folder"
        )
    return pinned
