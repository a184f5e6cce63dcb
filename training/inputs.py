"""What objectives hear: features of a frozen encoder, which hears a take once, or waves, made as they are needed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import seed_of
from catalogs.progress import Progress
from catalogs.stage import Outcome, batched
from training.augmentation.variants import Augmentation, AugmentationConfig
from training.backbones.encoders import Encoder
from training.features import Encode, FeatureStore, as_stored
from training.members import Wave
from training.objective import Objective, Utterance
from training.processes import processes
from training.recipe import FeaturesConfig, TrainRecipe
from training.sampling import Draw
from training.tables import OnWaves

_AT_ONCE = 32
"""Waves in memory while they are encoded; also how often progress is told."""


class Inputs(Protocol):
    """Makes utterances for an objective."""

    @property
    def encoder_id(self) -> str | None:
        """The encoder that has heard them before; None if the objective hears waves."""
        ...

    def prepare(self, draws: Sequence[Draw], progress: Progress) -> None:
        """Do what is done once for all draws; every process of a training does its share.

        Raises:
            AudioError: if a take's audio is missing or damaged.
        """
        ...

    def utterances(self, draws: Sequence[Draw]) -> list[Utterance]:
        """The utterances of some draws, in their order."""
        ...

    def of_waves(self, waves: Mapping[str, Wave]) -> list[Utterance]:
        """Utterances of waves that belong to no release, under the names of their waves."""
        ...


class FeatureInputs:
    """Features, kept in a store; see `Inputs`."""

    def __init__(self, encoder: Encoder, config: FeaturesConfig, augmentation: Augmentation) -> None:
        layers = "_".join(str(layer) for layer in config.layers)
        self.encoder, self.encoder_id = encoder, encoder.id
        self._key = f"{encoder.id}-{layers}-{config.dtype}"
        self._store = FeatureStore(config.path, self._key, augmentation_id=augmentation.id)
        self._config, self._augmentation = config, augmentation

    def store_of(self, kind: str) -> FeatureStore:
        """A store beside that of whole takes, for what else this encoder hears."""
        return FeatureStore(self._config.path, f"{self._key}-{kind}")

    def prepare(self, draws: Sequence[Draw], progress: Progress) -> None:
        """Keep the features of the takes and variants that are not in the store yet."""
        self.keep(self._store, draws, self._heard, progress)

    def keep(self, store: FeatureStore, draws: Sequence[Draw], hear: Encode, progress: Progress) -> None:
        """Hear what a store does not have yet, this process its share, a few at a time."""
        here = processes()
        missing = store.missing(draw for draw in draws if draw.member.place is not None)
        if missing:
            mine = [draw for draw in missing if _share_of(store.key_of(draw), here.num_processes) == here.process_index]
            progress.start("encoding", len(mine))
            store.fill(mine, partial(_told, hear, progress))
            progress.finish()
        here.wait_for_everyone()
        store.refresh()

    def utterances(self, draws: Sequence[Draw]) -> list[Utterance]:
        """Utterances with their features; a text alone has none."""
        return [
            utterance_of(draw, features=None if draw.member.place is None else self._store.read(draw).float())
            for draw in draws
        ]

    def of_waves(self, waves: Mapping[str, Wave]) -> list[Utterance]:
        """Features that are not kept."""
        heard = self.features([torch.from_numpy(wave) for wave in waves.values()])
        return [_nameless(name, features=features.float()) for name, features in zip(waves, heard, strict=True)]

    def features(self, waves: Sequence[Tensor]) -> list[Tensor]:
        """Features (L, T, D) of waves, as they are kept."""
        heard = self.encoder.encode(waves, self._config.layers)
        return [as_stored(features, self._config.dtype) for features in heard]

    def _heard(self, draws: Sequence[Draw]) -> list[Tensor]:
        return self.features([torch.from_numpy(self._augmentation.heard(d.member, d.variant)) for d in draws])


class WaveInputs:
    """Waves; see `Inputs`. Variants are made anew whenever they are drawn."""

    encoder_id: str | None = None

    def __init__(self, augmentation: Augmentation) -> None:
        self._augmentation = augmentation

    def prepare(self, draws: Sequence[Draw], progress: Progress) -> None:
        """There is nothing to be done before."""

    def utterances(self, draws: Sequence[Draw]) -> list[Utterance]:
        """Utterances with their samples."""
        waves = [torch.from_numpy(self._augmentation.heard(draw.member, draw.variant)) for draw in draws]
        return [utterance_of(draw, samples=wave) for draw, wave in zip(draws, waves, strict=True)]

    def of_waves(self, waves: Mapping[str, Wave]) -> list[Utterance]:
        """The waves themselves."""
        return [_nameless(name, samples=torch.from_numpy(wave)) for name, wave in waves.items()]


def _share_of(key: str, num_processes: int) -> int:
    """Which process hears it: by content, as processes that look at a store at different times see different gaps."""
    return seed_of("share", key) % num_processes


def loaded(recipe: TrainRecipe, augmentation: Augmentation | None = None) -> tuple[Inputs, Objective]:
    """The objective of a recipe, and what makes utterances for it.

    Raises:
        RecipeError: for a method on features without an encoder.
        EngineError: if a model is not to be had.
        TrainingError: if models do not suit each other.
    """
    augmentation = augmentation or AugmentationConfig().build(())
    if isinstance(recipe.objective, OnWaves):
        return WaveInputs(augmentation), recipe.objective.build_on_waves(seed=recipe.loop.seed)
    if recipe.encoder is None:
        raise RecipeError(f"encoder is missing: {recipe.objective.method} hears the features of one")
    encoder = recipe.encoder.build()
    num_layers = len(recipe.features.layers)
    objective = recipe.objective.build(encoder, num_layers=num_layers, seed=recipe.loop.seed)
    split = getattr(objective, "split", None)
    _check_layers(getattr(objective, "layers", None if split is None else (split,)), recipe.features.layers, encoder)
    return FeatureInputs(encoder, recipe.features, augmentation), objective


def _check_layers(wanted: Sequence[int] | None, layers: Sequence[int], encoder: Encoder) -> None:
    """Refuse to go on from other layers than those that are heard."""
    if wanted is None:
        return
    ours, theirs = ([layer % (encoder.num_layers + 1) for layer in each] for each in (wanted, layers))
    if ours != theirs:
        told = f"layer {ours[0]}" if len(ours) == 1 else f"layers {ours}"
        raise TrainingError(
            f"the objective goes on from {told} of the encoder, and features.layers = {list(layers)}: give both "
            "the same"
        )


def utterance_of(draw: Draw, *, features: Tensor | None = None, samples: Tensor | None = None) -> Utterance:
    """The utterance of a draw, with what is heard of it."""
    member = draw.member
    return Utterance(
        take_id=member.take_id,
        text=member.text,
        spoken=member.spoken,
        language=member.language,
        is_synthetic=member.is_synthetic,
        variant=draw.variant,
        features=features,
        samples=samples,
        parts=draw.parts,
        labels=member.labels,
    )


def _told(hear: Encode, progress: Progress, draws: Sequence[Draw]) -> list[Tensor]:
    """What is heard in draws, a few at a time, and how far that is."""
    found = []
    for part in batched(draws, _AT_ONCE):
        found += hear(part)
        progress.receive(Outcome(items=len(part)))
    return found


def _nameless(name: str, *, features: Tensor | None = None, samples: Tensor | None = None) -> Utterance:
    return Utterance(
        take_id=name, text="", spoken="", language="en", is_synthetic=False, features=features, samples=samples
    )
