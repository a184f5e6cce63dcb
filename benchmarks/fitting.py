"""Trainings of experiments: what is missing is trained, and what is done is not looked at again."""

from catalogs.progress import Progress
from training import checkpoint
from training.recipe import TrainRecipe
from training.session import train


def fit(recipe: TrainRecipe) -> None:
    """Train what is missing of a recipe's steps.

    Raises:
        TrainingError: as `train` does; if the folder holds another training, for one.
    """
    last, steps = checkpoint.last(recipe.folder), recipe.loop.steps
    is_its_own = last and last.provenance["training"] == recipe.id
    if not (last and is_its_own and steps and last.position.step >= steps):
        train(recipe, progress=Progress())
