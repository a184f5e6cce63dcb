"""What a training draws from, and what makes utterances of what it draws."""

from catalogs.errors import TrainingError
from catalogs.progress import Progress
from training.augmentation.variants import Augmentation
from training.checks import Found, check_labels, check_mixed_texts, check_real
from training.inputs import FeatureInputs, Inputs
from training.jstip import Jstip
from training.mixing.hearing import MixedInputs
from training.mixing.mixer import Mixer, Variants
from training.mixing.sources import Sources, sources_of
from training.mixing.unit_lengths import keep_lengths, told_lengths, unit_lengths
from training.objective import Objective
from training.processes import processes
from training.recipe import TrainRecipe
from training.sampling import Epochs, Sampler


def drawn_from(recipe: TrainRecipe, found: Found) -> Epochs | Sources:
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


def sampled(
    recipe: TrainRecipe,
    pool: Epochs | Sources,
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
    if isinstance(pool, Epochs):
        return pool, inputs
    if not isinstance(objective, Jstip) or not isinstance(inputs, FeatureInputs):
        raise TrainingError(f"{recipe.objective.method} is trained on no mixture")
    check_mixed_texts(pool.config, objective, progress=progress)
    mixer = Mixer(
        pool,
        objective.length_of,
        context=objective.context,
        seed=recipe.loop.seed,
        epochs=recipe.loop.epochs,
        variants=Variants(recipe.augmentation.variants, augmentation.lengthening, augmentation.expected),
    )
    for told in (mixer.left_out(), mixer.undrawn()):
        if told:
            progress.note(told)
    if pool.config.interleaved and processes().is_main_process:
        lengths = unit_lengths((pool.words[member.take_id] for member in pool.interleaved), pool.config.choosing)
        progress.note(told_lengths(lengths))
        keep_lengths(lengths, recipe.folder)
    return mixer, MixedInputs(inputs, objective.slotting, frames_per_slot=objective.frames_per_slot)
