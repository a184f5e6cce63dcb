"""A training from recipe to checkpoint: what is missing is encoded, the rest is trained; the same command goes on."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.progress import Progress
from catalogs.records import Release
from catalogs.stage import Outcome
from training import curve
from training.backbones.encoders import Encoder
from training.features import FeatureStore, as_stored
from training.loop import Loop
from training.members import Member, members_of, waves_of
from training.objective import Utterance
from training.recipe import TrainRecipe
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
    epochs = Epochs(members, recipe.sampling, seed=recipe.loop.seed, epochs=recipe.loop.epochs)
    encoder = recipe.encoder.build()
    store = store_of(recipe, encoder)
    encode(members, encoder, store, recipe=recipe, progress=progress)
    objective = recipe.objective.build(encoder, num_layers=len(recipe.features.layers), seed=recipe.loop.seed)
    loop = Loop(
        objective, epochs, lambda draws: utterances_of(draws, store), config=recipe.loop, optim=recipe.optim,
        folder=recipe.folder,
    )  # fmt: skip
    possible = epochs.steps(recipe.loop.micro_batches)
    progress.note(f"training {recipe.name}: {len(members):,} utterances, {possible:,} steps")
    about = provenance(recipe, [release for release, _ in found], encoder)
    end = loop.run(about, total_steps=min(possible, recipe.loop.steps or possible))
    curve.plot(recipe.folder)
    rows = curve.rows_of(recipe.folder)
    audio_s = sum(member.duration_s for member in members)
    return Trained(recipe.folder, end.step, len(members), audio_s, rows[-1]["loss"] if rows else None)


def encode(
    members: Sequence[Member], encoder: Encoder, store: FeatureStore, *, recipe: TrainRecipe, progress: Progress
) -> None:
    """Keep the features of the members that are not in the store yet."""
    draws = [Draw(member, 0) for member in members]
    missing = store.missing(draws)
    if not missing:
        return
    progress.start("encoding", len(missing))

    def heard(part: Sequence[Draw]) -> list[Tensor]:
        return features_of(waves_of([draw.member for draw in part]), encoder, recipe=recipe)

    store.fill(missing, heard, received=lambda number: progress.receive(Outcome(items=number)))
    progress.finish()


def features_of(waves: Sequence[NDArray[np.float32]], encoder: Encoder, *, recipe: TrainRecipe) -> list[Tensor]:
    """The features (L, T, D) of mono waves at 16 kHz, in the layers and the dtype that the recipe asks for."""
    heard = encoder.encode([torch.from_numpy(wave) for wave in waves], recipe.features.layers)
    return [as_stored(features, recipe.features.dtype) for features in heard]


def store_of(recipe: TrainRecipe, encoder: Encoder) -> FeatureStore:
    """Where the features of a recipe's encoder are kept."""
    layers = "_".join(str(layer) for layer in recipe.features.layers)
    return FeatureStore(recipe.features.path, f"{encoder.id}-{layers}-{recipe.features.dtype}")


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


def provenance(recipe: TrainRecipe, releases: Sequence[Release], encoder: Encoder) -> dict[str, Any]:
    """Where a checkpoint comes from: what was trained on what, and with which versions."""
    return {
        "training": recipe.id,
        "recipe": json.loads(recipe.definition),
        "releases": [{"id": release.id, "name": release.name} for release in releases],
        "encoder": encoder.id,
        "licences": sorted({licence for release in releases for licence in release.licences}),
        "versions": {name: version(name) for name in ("synthgen-studio", "torch", "transformers", "lhotse")}
        | {"python": platform.python_version()},
    }


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
