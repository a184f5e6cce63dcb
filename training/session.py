"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from catalogs.errors import TrainingError
from catalogs.progress import SILENT, Progress
from training import checkpoint, curve
from training.augmentation.variants import Augmentation
from training.data import Source, read_data
from training.inputs import FeatureInputs, Inputs, loaded
from training.jstip import Jstip
from training.loop import Loop
from training.members import Member
from training.mixing.hearing import MixedInputs
from training.mixing.mixer import Mixer
from training.mixing.mixture import MixtureConfig
from training.mixing.sources import Sources, sources_of
from training.objective import LookingOver, Objective
from training.processes import processes
from training.recipe import TrainRecipe
from training.sampling import Epochs, Sampler
from training.starting import begin
from training.tables import OnLabels, OnReal

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
    drawn_from = _drawn_from(recipe, found)
    pinned: dict[str, Any] = {"releases": [{"id": source.id, "name": source.name} for source, _ in found]}
    if isinstance(drawn_from, Sources):
        pinned |= drawn_from.provenance()
    _refuse_others(recipe, pinned)
    inputs, objective = loaded(recipe, augmentation)
    if isinstance(objective, LookingOver) and (recipe.mixture is None or recipe.mixture.asks_for_made):
        progress.note(objective.look_over([member.spoken for member in members if member.place is None]))
    sampler, inputs = _sampled(recipe, drawn_from, inputs, objective, progress=progress)
    steps, draws = sampler.schedule(recipe.loop.micro_batches, steps=recipe.loop.steps)
    base = begin(recipe, objective, inputs.encoder_id)
    objective = recipe.around(objective)
    recipe.optim.rates_of(objective.trained())  # a mistake is told before anything is encoded
    inputs.prepare(draws, progress)
    loop = Loop(objective, sampler, inputs.utterances, config=recipe.loop, optim=recipe.optim, folder=recipe.folder)
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {_to_do(recipe, steps)}")
    licences = sorted({licence for source, _ in found for licence in source.licences})
    about = provenance(recipe, inputs.encoder_id, augmentation) | pinned | {"licences": licences, "base": base}
    loop.run(about, total_steps=steps, progress=progress)
    if here.is_main_process:
        curve.plot(recipe.folder)
    here.wait_for_everyone()
    return trained_on(members, recipe)


def _to_do(recipe: TrainRecipe, steps: int) -> str:
    last = checkpoint.last(recipe.folder)
    if last is None:
        return f"{steps:,} steps"
    if last.position.step >= steps:
        return f"all {steps:,} steps done before"
    return f"{steps:,} steps, {last.position.step:,} of them done before"


def _drawn_from(recipe: TrainRecipe, found: Sequence[tuple[Source, Sequence[Member]]]) -> Epochs | Sources:
    """What is drawn from, with all that can be wrong with it before models are loaded.

    Raises:
        TrainingError: if something that is asked for is not there.
    """
    _check_real(recipe, found)
    _check_labels(recipe, found)
    if recipe.mixture is None:
        return Epochs(
            [member for _, part in found for member in part],
            recipe.sampling,
            seed=recipe.loop.seed,
            epochs=recipe.loop.epochs,
            variants=recipe.augmentation.variants,
        )
    return sources_of(recipe.mixture, found)


def _check_real(recipe: TrainRecipe, found: Sequence[tuple[Source, Sequence[Member]]]) -> None:
    """Refuse to match real latents where none would ever be heard.

    Raises:
        TrainingError: if the method asks for real takes, and data or sampling have none.
    """
    if not isinstance(recipe.objective, OnReal) or not recipe.objective.asks_for_real:
        return
    if all(member.is_synthetic for _, part in found for member in part):
        raise TrainingError(
            f"objective.matching of {recipe.name} matches latents of real speech, and data has no real take: add a "
            "release of recordings to data, or leave matching out"
        )
    real, texts = recipe.sampling.real, recipe.sampling.texts
    if (real is not None and not any(real)) or (texts is not None and min(texts) == 1):
        raise TrainingError(
            f"objective.matching of {recipe.name} matches latents of real speech, and sampling draws none in any "
            "epoch: give sampling.real or sampling.texts a share that leaves room for it"
        )


def _check_labels(recipe: TrainRecipe, found: Sequence[tuple[Source, Sequence[Member]]]) -> None:
    """Refuse to learn from data without labels that utterances have none.

    Raises:
        TrainingError: if the method asks for labels, and one of the tables of data has none at all.
    """
    if not isinstance(recipe.objective, OnLabels) or not recipe.objective.asks_for_labels:
        return
    for config, (_, members) in zip(recipe.data, found, strict=True):
        if not any(member.labels for member in members):
            raise TrainingError(
                f"the {config} has no labels, and {recipe.objective.method} learns to write them: give its texts an "
                "intent, slots or entities, or leave it out of data"
            )


def _sampled(
    recipe: TrainRecipe, drawn_from: Epochs | Sources, inputs: Inputs, objective: Objective, *, progress: Progress
) -> tuple[Sampler, Inputs]:
    """What draws the batches, and what makes utterances of what it draws.

    Raises:
        TrainingError: for an objective that takes no mixture, a share of nothing, or a sequence longer than a row.
    """
    if isinstance(drawn_from, Epochs):
        return drawn_from, inputs
    if not isinstance(objective, Jstip) or not isinstance(inputs, FeatureInputs):
        raise TrainingError(f"{recipe.objective.method} is trained on no mixture")
    _check_texts(drawn_from.config, objective, progress=progress)
    mixer = Mixer(
        drawn_from,
        objective.length_of,
        context=objective.context,
        seed=recipe.loop.seed,
        epochs=recipe.loop.epochs,
        variants=recipe.augmentation.variants,
    )
    if left_out := mixer.left_out():
        progress.note(left_out)
    return mixer, MixedInputs(inputs, objective.slotting, frames_per_slot=objective.frames_per_slot)


def _check_texts(mixture: MixtureConfig, objective: Jstip, *, progress: Progress) -> None:
    """Refuse texts that nobody can make heard, or that are all there is and teach nothing.

    Raises:
        TrainingError: if so.
    """
    if mixture.asks_for_made and not objective.makes_slots:
        raise TrainingError("objective.made.synthesiser_from is missing: who is to make slots of texts?")
    if mixture.text and not objective.tunes_language_model:
        what = "texts teach the language model, of which nothing is tuned: give objective.language_model a lora"
        if mixture.text == 1:
            raise TrainingError(f"mixture.text = 1: {what}")
        progress.note(f"mixture.text = {mixture.text:g} of the tokens teach nothing: {what}, or leave texts out")


def trained_on(members: Sequence[Member], recipe: TrainRecipe) -> Trained:
    """What the training of a recipe has come to; ``members`` are those of its releases.

    Raises:
        TrainingError: if it has no checkpoint yet.
    """
    audio_s = sum(member.duration_s for member in members if member.place is not None)
    rows = curve.rows_of(recipe.folder)
    step = checkpoint.load(recipe.folder).position.step
    return Trained(recipe.folder, step, len(members), audio_s, rows[-1]["loss"] if rows else None)


def provenance(recipe: TrainRecipe, encoder_id: str | None, augmentation: Augmentation) -> dict[str, Any]:
    """How a checkpoint was made: by which recipe and encoder, and with which versions."""
    return {
        "training": recipe.id,
        "recipe": recipe.table(),
        "encoder": encoder_id,
        "augmentation": augmentation.id if recipe.augmentation.variants else None,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The versions that decide what a checkpoint holds."""
    found = {name: version(name) for name in ("synthgen-studio", "torch", "transformers", "lhotse")}
    return found | {"python": platform.python_version()}


def _refuse_others(recipe: TrainRecipe, pinned: Mapping[str, Any]) -> None:
    """Go on with nothing but the data that the training began with; texts and word times may be others by now.

    Raises:
        TrainingError: if they are.
    """
    last = checkpoint.last(recipe.folder)
    if last is not None and not pinned.items() <= last.provenance.items():
        raise TrainingError(
            f"{recipe.folder} was trained on other texts or word times than there are now; put them back, or train "
            "anew in another folder"
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
