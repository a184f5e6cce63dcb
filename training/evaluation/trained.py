"""A recogniser out of a checkpoint: its recipe says what it is made of, its tensors what it has learned."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from catalogs.audio import hash_file
from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import Id, canonical, content_id
from catalogs.models.pretrained import device_of
from catalogs.progress import Progress
from training import checkpoint
from training.answering import Answer, Answering, DecodingConfig
from training.checkpoint import TRAINED, Checkpoint
from training.inputs import Inputs, loaded
from training.members import Member, Wave
from training.objective import Objective
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Draw
from training.starting import models_in, without_start
from training.tables import OnPhones

GREEDY = DecodingConfig(beams=1)


class TrainedRecogniser:
    """See `Recogniser`. Features of takes are kept, as those of training are."""

    def __init__(
        self, found: Checkpoint, recipe: TrainRecipe, inputs: Inputs, objective: Answering, settings: DecodingConfig
    ) -> None:
        self.name = f"{recipe.name}@{found.position.step}"
        self.id = recogniser_id(found)
        self.decoding = canonical(asdict(settings))
        self._inputs, self._objective, self._settings = inputs, objective, settings

    def prepare(self, members: Sequence[Member], progress: Progress) -> None:
        """Encode what was not encoded yet."""
        self._inputs.prepare([Draw(member, 0) for member in members], progress)

    def transcribe(self, members: Sequence[Member]) -> list[Answer]:
        """Answer by the features of takes, which are kept."""
        return self._objective.answers(self._inputs.utterances([Draw(m, 0) for m in members]), self._settings)

    def hear(self, waves: Mapping[str, Wave]) -> list[Answer]:
        """Answer by the features of waves, which are not kept."""
        return self._objective.answers(self._inputs.of_waves(waves), self._settings)


def recogniser_of(
    folder: Path, settings: DecodingConfig = GREEDY, *, features: Path | None = None
) -> TrainedRecogniser:
    """The recogniser of a checkpoint, or of the last one of a training; ``features`` None is the user's cache.

    Raises:
        TrainingError: if there is no checkpoint, or none of a recogniser, or what it was trained with has changed.
        EngineError: if a model that it was trained with is not to be had.
    """
    found, recipe, inputs, objective = loaded_from(folder, features=features)
    if not isinstance(objective, Answering):
        raise TrainingError(
            f"{found.folder} is of method {recipe.objective.method!r}, which makes no recogniser; "
            "train one that goes on from it, and name that"
        )
    objective.answers([], settings)  # a method that does not have these settings says so
    checkpoint.restore(found, objective.trained())
    objective.module.eval().to(device_of("auto"))
    return TrainedRecogniser(found, recipe, inputs, objective, settings)


def recogniser_id(found: Checkpoint) -> Id:
    """A hash of what a checkpoint was made of, and of its tensors."""
    return content_id("recogniser", found.provenance["training"], hash_file(found.folder / TRAINED))


def loaded_from(folder: Path, *, features: Path | None = None) -> tuple[Checkpoint, TrainRecipe, Inputs, Objective]:
    """A checkpoint, and what its recipe builds, as it was before training; raises as `recogniser_of` does."""
    found = checkpoint.load(folder)
    recipe = recipe_of(found, features=features)
    if isinstance(recipe.objective, OnPhones):
        raise TrainingError(
            f"{found.folder} is of method {recipe.objective.method!r}, which makes latents of texts and no recogniser: "
            "name a training of 'lasyn' with it, or look at its latents with `synthgen latents`"
        )
    inputs, objective = loaded(recipe)
    check_encoder(found, inputs.encoder_id)
    check_models(found)
    return found, recipe, inputs, objective


def check_encoder(found: Checkpoint, encoder_id: Id | None) -> None:
    """Refuse an encoder that the checkpoint was not trained with.

    Raises:
        TrainingError: if it is another one.
    """
    if encoder_id != found.provenance.get("encoder"):
        raise TrainingError(
            f"{found.folder} was trained on the features of another encoder than its recipe now names "
            f"({found.provenance.get('encoder')}, not {encoder_id}); restore the encoder's checkpoint"
        )


def check_models(found: Checkpoint) -> None:
    """Refuse models whose files are others than when the checkpoint was trained, such as its language model's.

    Raises:
        TrainingError: if one is.
    """
    noted: Mapping[str, str] = found.provenance.get("base", {}).get("models", {})  # older checkpoints noted fewer
    there = dict(models_in(found.provenance.get("recipe", {}))) if noted else {}
    if changed := [key for key, sha256 in sorted(noted.items()) if there.get(key) != sha256]:
        raise TrainingError(
            f"{found.folder} was trained with other files than {changed[0]} of its recipe now names "
            f"({noted[changed[0]]}, not {there.get(changed[0])}); put back those that it was trained with"
        )


def recipe_of(found: Checkpoint, *, features: Path | None = None) -> TrainRecipe:
    """The recipe of a checkpoint, without the training that it went on from: its tensors hold what that has left.

    Raises:
        TrainingError: if the checkpoint has no recipe, or one that this version does not know.
    """
    table = found.provenance.get("recipe")
    if not isinstance(table, dict):
        raise TrainingError(
            f"{found.folder} does not say by which recipe it was trained; train it with `synthgen train`"
        )
    try:
        recipe = parse_recipe({"folder": str(found.folder), **without_start(table)}, source=str(found.folder))
    except RecipeError as error:
        raise TrainingError(
            f"{found.folder} was trained by a recipe that this version does not know: {error}"
        ) from error
    return replace(recipe, features=replace(recipe.features, folder=None if features is None else str(features)))
