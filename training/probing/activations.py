"""What every layer of a recogniser makes of a take, as one vector: the mean over the positions of its audio.

Encoder layers are numbered as encoders number them, from what enters the first (see `training.backbones.encoders`).
Layer n of the language model is what leaves its n-th, for the last one behind the final norm; what enters the first is
what the projector has made.

B waves · L encoder layers · T frames · S columns of a batch · W width of a layer
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.models.pretrained import device_of
from training import checkpoint
from training.backbones.encoders import Encoder
from training.checkpoint import Checkpoint
from training.ctc import Ctc, CtcHead
from training.evaluation.trained import check_encoder, check_models, recipe_of
from training.features import as_stored
from training.members import Wave
from training.modes import at_rest
from training.objective import Objective, Utterance
from training.padding import pad_features
from training.penalty import pooled
from training.projectors import Projector
from training.recipe import FeaturesConfig
from training.slam_asr import recogniser_in
from training.tables import OnWaves
from training.transducer import Transducer, TransducerHead

Part = Literal["encoder", "projector", "language_model", "head", "surface"]


@dataclass(frozen=True, slots=True, order=True)
class Layer:
    """A place where vectors are taken; ``surface`` is none of the model, but what is told of takes without it."""

    part: Part
    number: int = 0

    @property
    def name(self) -> str:
        """Its name, for people and rows."""
        return f"{self.part}.{self.number}" if self.part in ("encoder", "language_model") else self.part


class Listener:
    """A recogniser out of a checkpoint, whose layers can be read."""

    def __init__(self, encoder: Encoder, features: FeaturesConfig, objective: Objective) -> None:
        self._encoder, self._features, self._objective = encoder, features, objective

    def vectors(self, waves: Mapping[str, Wave]) -> dict[Layer, Tensor]:
        """The vectors (B, W) of some waves, float32 on the CPU, by layer, in the order that a wave goes through them.

        Raises:
            TrainingError: for a wave that is too short or too long for the model.
        """
        every = range(self._encoder.num_layers + 1)
        with torch.inference_mode():
            heard = self._encoder.encode([torch.from_numpy(wave) for wave in waves.values()], every)  # (L, T, W) each
        if short := [name for name, frames in zip(waves, heard, strict=True) if not frames.shape[1]]:
            raise TrainingError(f"take {short[0]} is too short for the encoder; leave it out of the release")
        means = torch.stack([frames.mean(dim=1) for frames in heard])  # (B, L, W)
        found = {Layer("encoder", number): means[:, number] for number in every}
        layers = [layer % len(every) for layer in self._features.layers]
        utterances = [
            _utterance(name, as_stored(frames[layers], self._features.dtype).float().cpu())
            for name, frames in zip(waves, heard, strict=True)
        ]
        return {layer: vectors.float().cpu() for layer, vectors in {**found, **self._behind(utterances)}.items()}

    def _behind(self, utterances: Sequence[Utterance]) -> dict[Layer, Tensor]:
        """The vectors of what stands behind the encoder."""
        objective: Any = self._objective  # methods differ in their modules, which no protocol can tell apart
        module = objective.module
        device = next(module.parameters()).device
        with torch.inference_mode(), at_rest(module):
            if (asr := recogniser_in(objective)) is not None:
                batch = asr.questions(utterances).to(device)
                return _of_language_model(module, batch.tensors)
            tensors = {name: tensor.to(device) for name, tensor in pad_features(utterances).items()}
            if isinstance(objective, Ctc | Transducer):
                return _of_head(module, tensors)
            return _of_projector(module, tensors)


def listener_of(found: Checkpoint) -> Listener:
    """The recogniser of a checkpoint, as it was trained.

    Raises:
        TrainingError: if it has no encoder that stands by itself, no layers that are known, or what it was trained with
            has changed.
        EngineError: if a model that it was trained with is not to be had.
    """
    recipe = recipe_of(found)
    if recipe.encoder is None or isinstance(recipe.objective, OnWaves):
        raise TrainingError(
            f"{found.folder} is of method {recipe.objective.method!r}, whose encoder is its own: only methods on "
            "the features of an encoder can be probed"
        )
    encoder = recipe.encoder.build()
    check_encoder(found, encoder.id)
    objective: Any = recipe.objective.build(encoder, num_layers=len(recipe.features.layers), seed=recipe.loop.seed)
    check_models(found)
    if not isinstance(objective, Ctc | Transducer) and not hasattr(objective.module, "projector"):
        raise TrainingError(
            f"{found.folder} is of method {recipe.objective.method!r}, whose layers no probe knows: expected a method "
            "with a projector, 'ctc' or 'transducer'"
        )
    checkpoint.restore(found, objective.trained())
    objective.module.to(device_of("auto"))
    return Listener(encoder, recipe.features, objective)


def _of_head(module: CtcHead | TransducerHead, tensors: Mapping[str, Tensor]) -> dict[Layer, Tensor]:
    """What a head makes of frames: of a transducer it is what comes to the joiner, as nothing was written."""
    frames, lengths = tensors["features"][:, -1], tensors["lengths"]
    heard, counts = (
        module.heard(frames, lengths) if isinstance(module, TransducerHead) else (module(frames, lengths), lengths)
    )
    return {Layer("head"): pooled(heard, counts)}


def _of_projector(module: Any, tensors: Mapping[str, Tensor]) -> dict[Layer, Tensor]:
    projector: Projector = module.projector
    slots = projector(tensors["features"], tensors["lengths"])
    return {Layer("projector"): pooled(slots, projector.output_lengths(tensors["lengths"]))}


def _of_language_model(module: Any, tensors: Mapping[str, Tensor]) -> dict[Layer, Tensor]:
    """The projector's, and those of the language model's layers while it reads the question, template and all."""
    output = module.lm(**module.inputs(tensors), output_hidden_states=True, use_cache=False, logits_to_keep=1)
    is_audio = (tensors["slots"] >= 0)[..., None]  # (B, S, 1)
    hidden = enumerate(output.hidden_states[1:], start=1)  # (B, S, W) each
    means = {
        Layer("language_model", number): states.float().where(is_audio, 0).sum(dim=1) / is_audio.sum(dim=1)
        for number, states in hidden
    }
    return _of_projector(module, tensors) | means


def _utterance(name: str, features: Tensor) -> Utterance:
    return Utterance(name, text="", spoken="", language="en", is_synthetic=False, features=features)
