"""What can be wrong with the data of a training for its method: found before anything is encoded, and said plainly."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from catalogs.errors import TrainingError
from catalogs.progress import Progress
from catalogs.stage import batched
from training.augmentation.step import Lengthening
from training.backbones.encoders import RATE_HZ, Encoder
from training.data import Source, TextsConfig
from training.inputs import FeatureInputs, Inputs
from training.jstip import Jstip
from training.members import Member
from training.mixing.mixture import MixtureConfig
from training.objective import LookingOver, NeedsFrames, Objective, Utterance, Writes
from training.recipe import TrainRecipe
from training.sampling import Sampler
from training.tables import OnLabels, OnReal
from training.validation import ValidationConfig

Found = Sequence[tuple[Source, Sequence[Member]]]
"""The members of each table of data."""

_AT_ONCE = 256
"""Texts whose targets are in memory while they are looked over."""


def check_real(recipe: TrainRecipe, found: Found) -> None:
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


def check_labels(recipe: TrainRecipe, found: Found) -> None:
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


def check_heard(
    recipe: TrainRecipe, objective: Objective, members: Sequence[Member], *, lengthening: Lengthening
) -> None:
    """Refuse texts alone where all is heard, and takes that are longer than what a method hears at once.

    ``lengthening`` is how long a variant of a take may be.

    Raises:
        TrainingError: if there are any.
    """
    method = recipe.objective.method
    heard = [member for member in members if member.place is not None]
    if len(heard) < len(members) and not isinstance(objective, LookingOver):
        texts = ", ".join(str(config) for config in recipe.data if isinstance(config, TextsConfig))
        raise TrainingError(
            f"the {len(members) - len(heard):,} texts of the {texts} have no audio, and {method} has to hear what it "
            "learns: leave them out, or have them read"
        )
    longest_s: Any = getattr(objective, "longest_s", None)
    if longest_s is None:
        return
    if long := sum(lengthening.longest_s(member.duration_s) > longest_s for member in heard):
        lengthened = "" if lengthening == Lengthening() else " once the augmentation has made them longer"
        raise TrainingError(
            f"{method} hears {longest_s:g} s at once, and {long:,} of {len(heard):,} takes are longer{lengthened}: "
            f"give data.max_s = {lengthening.longest_before_s(longest_s):.1f}"
        )


def look_over(
    recipe: TrainRecipe, objective: Objective, inputs: Inputs, members: Sequence[Member], *, progress: Progress
) -> None:
    """Say what a method makes of the texts that it has, of takes and alone.

    Raises:
        TrainingError: if it can learn nothing of some of them that are alone, or of all takes, or cannot write them.
    """
    asks_for_texts = recipe.mixture is None or recipe.mixture.asks_for_made
    if isinstance(objective, LookingOver) and asks_for_texts and (told := objective.look_over(members)):
        progress.note(told)
    heard = [member for member in members if member.place is not None]
    if isinstance(objective, NeedsFrames) and isinstance(inputs, FeatureInputs):
        _check_frames(objective, inputs.encoder, heard, progress)
    else:
        check_texts(objective, heard)


def check_texts(objective: Objective, members: Sequence[Member]) -> None:
    """Find what a method cannot write before it is asked to.

    Raises:
        TrainingError: for a text, or labels, that it cannot write.
    """
    if isinstance(objective, Writes):
        for part in batched(members, _AT_ONCE):
            objective.targets([Utterance.unheard(member) for member in part])


def _check_frames(objective: NeedsFrames, encoder: Encoder, heard: Sequence[Member], progress: Progress) -> None:
    """Say of how many takes nothing can be learned, as they have too few frames for their texts.

    Raises:
        TrainingError: if these are all.
    """
    frames = encoder.output_lengths([round(member.duration_s * RATE_HZ) for member in heard])
    needed = objective.frames_needed(heard).tolist()
    unfit = [each for each in zip(heard, frames, needed, strict=True) if each[1] < each[2]]
    if not unfit:
        return
    member, have, need = unfit[0]
    told = (
        f"{len(unfit):,} of {len(heard):,} takes teach nothing, as CTC needs a frame for every character: take "
        f"{member.take_id}, first of them, has {have:,} in {member.duration_s:.2f} s, and its text takes {need:,}"
    )
    if len(unfit) == len(heard):
        raise TrainingError(f"{told}; check that recordings and texts belong together")
    progress.note(told)


def tell_of_shares(recipe: TrainRecipe, sampler: Sampler, steps: int, *, progress: Progress) -> None:
    """Say so if shares are to change over the epochs, and the steps end before they have."""
    shares = {"real": recipe.sampling.real, "texts": recipe.sampling.texts}
    moving = [f"sampling.{name}" for name, values in shares.items() if values and len(set(values)) > 1]
    if not moving:
        return
    steps_of_epoch = sum(1 for _ in batched(sampler.batches(0), recipe.loop.micro_batches))
    heard = ceil(steps / max(1, steps_of_epoch))
    if heard < recipe.loop.epochs:
        progress.note(
            f"shares of {' and '.join(moving)} change over loop.epochs = {recipe.loop.epochs:,}, and about {heard:,} "
            f"are heard: give loop.epochs = {heard:,} for all of the change"
        )


def check_mixed_texts(mixture: MixtureConfig, objective: Jstip, *, progress: Progress) -> None:
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


def check_validation(config: ValidationConfig, held_out: Sequence[Member], members: Sequence[Member]) -> None:
    """Refuse to be held against what is learned from.

    Raises:
        TrainingError: if a take, or its samples, is among the members of the training.
    """
    had = {mark for member in members for mark in (member.take_id, member.pcm_sha256) if mark}
    if shared := [member for member in held_out if member.take_id in had or member.pcm_sha256 in had]:
        names = ", ".join(map(str, config.tables))
        raise TrainingError(
            f"{len(shared):,} of the {len(held_out):,} takes of validation.data ({names}) are trained on, "
            f"{shared[0].take_id} first: name another split or release"
        )
