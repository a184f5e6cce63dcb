"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.progress import Progress
from catalogs.records import Release
from catalogs.stage import Outcome
from training import curve
from training.augmentation.variants import Augmentation
from training.backbones.encoders import Encoder
from training.features import FeatureStore, as_stored
from training.loop import Loop
from training.members import members_of
from training.objective import Utterance
from training.recipe import FeaturesConfig, TrainRecipe
from training.sampling import Draw, Epochs

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
        TrainingError: if there is nothing to train on, the folder holds another training, or a loss is no number.
        EngineError: if a model is not to be had.
    """
    _claim(recipe)
    found = [members_of(config) for config in recipe.data]
    members = [member for _, part in found for member in part]
    augmentation = recipe.augmentation.build(members)
    epochs = Epochs(
        members, recipe.sampling, seed=recipe.loop.seed, epochs=recipe.loop.epochs,
        variants=recipe.augmentation.variants,
    )  # fmt: skip
    steps, draws = epochs.schedule(recipe.loop.micro_batches, steps=recipe.loop.steps)
    encoder = recipe.encoder.build()
    store = FeatureStore(recipe.features.path, _key(recipe, encoder), augmentation_id=augmentation.id)
    encode(draws, encoder, store, augmentation=augmentation, features=recipe.features, progress=progress)
    objective = recipe.objective.build(encoder, num_layers=len(recipe.features.layers), seed=recipe.loop.seed)
    if recipe.penalty:
        objective = recipe.penalty.around(objective)
    loop = Loop(
        objective, epochs, lambda draws: utterances_of(draws, store), config=recipe.loop, optim=recipe.optim,
        folder=recipe.folder,
    )  # fmt: skip
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {steps:,} steps")
    about = provenance(recipe, [release for release, _ in found], encoder, augmentation)
    end = loop.run(about, total_steps=steps)
    curve.plot(recipe.folder)
    rows = curve.rows_of(recipe.folder)
    audio_s = sum(member.duration_s for member in members)
    return Trained(recipe.folder, end.step, len(members), audio_s, rows[-1]["loss"] if rows else None)


def encode(
    draws: Sequence[Draw],
    encoder: Encoder,
    store: FeatureStore,
    *,
    augmentation: Augmentation,
    features: FeaturesConfig,
    progress: Progress,
) -> None:
    """Keep the features of the takes and variants that are drawn, and are not in the store yet."""
    missing = store.missing(draws)
    if not missing:
        return
    progress.start("encoding", len(missing))

    def heard(part: Sequence[Draw]) -> list[Tensor]:
        waves = [torch.from_numpy(augmentation.heard(draw.member, draw.variant)) for draw in part]
        return [as_stored(f, features.dtype) for f in encoder.encode(waves, features.layers)]

    store.fill(missing, heard, received=lambda number: progress.receive(Outcome(items=number)))
    progress.finish()


def utterances_of(draws: Sequence[Draw], store: FeatureStore) -> list[Utterance]:
    """What an objective hears of some draws."""
    return [
        Utterance(
            take_id=draw.member.take_id,
            text=draw.member.text,
            spoken=draw.member.spoken,
            language=draw.member.language,
            is_synthetic=draw.member.is_synthetic,
            variant=draw.variant,
            features=store.read(draw).float(),
        )
        for draw in draws
    ]


def provenance(
    recipe: TrainRecipe, releases: Sequence[Release], encoder: Encoder, augmentation: Augmentation
) -> dict[str, Any]:
    """Where a checkpoint comes from: what was trained on what, and with which versions."""
    return {
        "training": recipe.id,
        "recipe": json.loads(recipe.definition),
        "releases": [{"id": release.id, "name": release.name} for release in releases],
        "encoder": encoder.id,
        "augmentation": augmentation.id if recipe.augmentation.variants else None,
        "licences": sorted({licence for release in releases for licence in release.licences}),
        "versions": {name: version(name) for name in ("synthgen-studio", "torch", "transformers", "lhotse")}
        | {"python": platform.python_version()},
    }


def _key(recipe: TrainRecipe, encoder: Encoder) -> str:
    layers = "_".join(str(layer) for layer in recipe.features.layers)
    return f"{encoder.id}-{layers}-{recipe.features.dtype}"


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
