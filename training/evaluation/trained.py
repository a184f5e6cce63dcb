"""A recogniser out of a checkpoint: its recipe says what it is made of, its tensors what it has learned."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from catalogs.audio import hash_file
from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import canonical, content_id
from catalogs.progress import Progress
from training import checkpoint
from training.answering import Answer, Answering, DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.loading import device_of
from training.checkpoint import TRAINED, Checkpoint
from training.evaluation.recogniser import Wave
from training.members import Member
from training.objective import Utterance
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Draw
from training.session import encode, features_of, store_of, utterances_of

GOES_ON_FROM = "_from"
"""How keys of an objective's table end that name the training it goes on from; a checkpoint has no need of it."""

GREEDY = DecodingConfig(beams=1)


class TrainedRecogniser:
    """See `Recogniser`. Features of takes are kept, as those of training are."""

    def __init__(
        self,
        found: Checkpoint,
        recipe: TrainRecipe,
        *,
        encoder: Encoder,
        objective: Answering,
        settings: DecodingConfig,
    ) -> None:
        self.name = f"{recipe.name}@{found.position.step}"
        self.id = content_id("recogniser", found.provenance["training"], hash_file(found.folder / TRAINED))
        self.decoding = canonical(asdict(settings))
        self._recipe, self._encoder, self._objective, self._settings = recipe, encoder, objective, settings
        self._store = store_of(recipe, encoder)

    def prepare(self, members: Sequence[Member], progress: Progress) -> None:
        """Encode what was not encoded yet."""
        encode(members, self._encoder, self._store, recipe=self._recipe, progress=progress)

    def transcribe(self, members: Sequence[Member]) -> list[Answer]:
        """Answer by the features of takes, which are kept."""
        return self._objective.answers(utterances_of([Draw(m, 0) for m in members], self._store), self._settings)

    def hear(self, waves: Mapping[str, Wave]) -> list[Answer]:
        """Answer by the features of waves, which are not kept."""
        features = features_of(list(waves.values()), self._encoder, recipe=self._recipe)
        utterances = [
            Utterance(take_id=name, text="", spoken="", language="en", is_synthetic=False, features=heard.float())
            for name, heard in zip(waves, features, strict=True)
        ]
        return self._objective.answers(utterances, self._settings)


def recogniser_of(
    folder: Path, settings: DecodingConfig = GREEDY, *, features: Path | None = None
) -> TrainedRecogniser:
    """The recogniser of a checkpoint, or of the last one of a training; ``features`` None is the user's cache.

    Raises:
        TrainingError: if there is no checkpoint, or none of a recogniser, or what it was trained with has changed.
        EngineError: if a model that it was trained with is not to be had.
    """
    found = checkpoint.load(folder)
    recipe = recipe_of(found, features=features)
    encoder = recipe.encoder.build()
    if encoder.id != found.provenance.get("encoder"):
        raise TrainingError(
            f"{found.folder} was trained on the features of another encoder than {recipe.encoder.name} is now "
            f"({found.provenance.get('encoder')}, not {encoder.id}); restore the encoder's checkpoint"
        )
    objective = recipe.objective.build(encoder, num_layers=len(recipe.features.layers), seed=recipe.loop.seed)
    if not isinstance(objective, Answering):
        raise TrainingError(
            f"{found.folder} is of method {recipe.objective.method!r}, which makes no recogniser; "
            "train one that goes on from it, and name that"
        )
    objective.answers([], settings)  # a method that does not have these settings says so
    checkpoint.restore(found, objective.trained())
    objective.module.eval().to(device_of("auto"))
    return TrainedRecogniser(found, recipe, encoder=encoder, objective=objective, settings=settings)


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
    objective = {key: None if key.endswith(GOES_ON_FROM) else value for key, value in table["objective"].items()}
    try:
        recipe = parse_recipe(table | {"objective": objective}, source=str(found.folder))
    except RecipeError as error:
        raise TrainingError(
            f"{found.folder} was trained by a recipe that this version does not know: {error}"
        ) from error
    return replace(recipe, features=replace(recipe.features, folder=None if features is None else str(features)))
