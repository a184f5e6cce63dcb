"""Synthesisers out of checkpoints: the recipe says which one it is, the tensors what it has learned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from catalogs.audio import hash_file
from catalogs.config import parse
from catalogs.errors import TrainingError
from training import checkpoint
from training.backbones.encoders import Encoder
from training.backbones.frozen import freeze
from training.checkpoint import TRAINED, Checkpoint
from training.lasyn.autoencoder import Autoencoder, AutoencoderConfig
from training.lasyn.denoiser import Denoiser, TextEncoderConfig
from training.lasyn.diffusion import DiffusionConfig, DiffusionSynthesiser
from training.lasyn.edm import SamplerConfig
from training.lasyn.fixed import FixedProjection, FixedProjectionConfig
from training.lasyn.listening import LISTENERS, ListensWith, listens_with, method_of
from training.lasyn.recogniser import check_encoder
from training.lasyn.unet import UnetConfig

C = TypeVar("C")

KEY = "objective.synthesiser_from"


@dataclass(frozen=True, slots=True)
class Trained:
    """A checkpoint whose training is known: its method, and the table of its objective."""

    found: Checkpoint
    method: str
    table: dict[str, Any]

    def guided_by(self, *, key: str) -> Checkpoint:
        """The guide that it was trained through; ``key`` is of the recipe that names this synthesiser.

        Raises:
            TrainingError: if it is not there any more, or is another one by now.
        """
        folder = self.table.get("guide_from")
        if folder is None:
            raise TrainingError(f"{key}: {self.found.folder} names no guide; name a training of 'lasyn_fixed'")
        guiding = self._there("through a guide", folder, key=key)
        if not self._began_with("guide_from", guiding):
            raise TrainingError(
                f"{key}: {self.found.folder} was trained through another guide than {folder} holds now; put that one "
                "back, or train the synthesiser anew"
            )
        return guiding

    def coded_by(self, *, key: str) -> str:
        """The folder of the autoencoder on whose codes it was trained; ``key`` is of the recipe that names this one.

        Raises:
            TrainingError: if it is not there any more, or is another one by now, or was trained on.
        """
        folder = self.table["autoencoder_from"]
        coding = self._there("on codes of an autoencoder", folder, key=key)
        if not self._began_with("autoencoder_from", coding):
            raise TrainingError(
                f"{key}: {self.found.folder} was trained on codes of another autoencoder than {folder} holds now; put "
                "that one back, or train the synthesiser anew"
            )
        return str(coding.folder)

    def _began_with(self, name: str, found: Checkpoint) -> bool:
        """Whether a checkpoint is what provenance says of the one that this training began with, if it says so."""
        began = self.found.provenance.get("base", {}).get("started_from", {}).get(f"objective.{name}", {})
        now = {"training": found.provenance.get("training"), "sha256": hash_file(found.folder / TRAINED)}
        return all(began.get(key) in (None, value) for key, value in now.items())

    def _there(self, what: str, folder: str, *, key: str) -> Checkpoint:
        try:
            return checkpoint.load(Path(folder))
        except TrainingError as error:
            raise TrainingError(f"{key}: {self.found.folder} was trained {what} that is gone: {error}") from error

    def parsed(self, into: type[C], key: str) -> C:
        """One of the tables in it."""
        return parse(into, self.table[key], source=str(self.found.folder))


def trained(folder: str, encoder: Encoder, *, key: str) -> Trained:
    """What the folder of a training or of a checkpoint holds.

    Raises:
        TrainingError: if there is no checkpoint, or it goes on from another encoder.
    """
    found = checkpoint.load(Path(folder))
    check_encoder(found, encoder, key=key)
    table = dict(found.provenance.get("recipe", {}).get("objective", {}))
    return Trained(found, str(table.get("method")), table)


def synthesiser(folder: str, encoder: Encoder, *, split: int, sampler: SamplerConfig, key: str = KEY) -> nn.Module:
    """A trained synthesiser of latents at this split, frozen; ``key`` is what names it, for errors.

    Raises:
        TrainingError: if the folder holds none, or one for another encoder or split.
    """
    known = trained(folder, encoder, key=key)
    made: nn.Module
    if known.method == "lasyn_fixed":
        guiding = known.guided_by(key=key)
        if method_of(guiding) in LISTENERS:
            raise TrainingError(
                f"{key}: {known.found.folder} makes slots of a language model, no latents of an encoder"
            )
        theirs = int(guiding.provenance["recipe"]["objective"]["split"])
        made = known.parsed(FixedProjectionConfig, "synthesiser").build(width=encoder.width, seed=0)
        parts = dict(made.named_parameters())
    elif known.method == "lasyn_diffusion":
        autoencoder, theirs = trained_autoencoder(known.coded_by(key=key), encoder)
        made = new_diffusion(known, autoencoder, encoder, sampler=sampler)
        parts = dict(made.denoiser.named_parameters())
    else:
        raise TrainingError(f"{key}: {known.found.folder} is of method {known.method!r}, which makes no synthesiser")
    if theirs != split:
        raise TrainingError(
            f"{key}: {known.found.folder} makes latents of layer {theirs}, and the recogniser goes on from {split}"
        )
    checkpoint.restore(known.found, parts)
    frozen: nn.Module = freeze(made)
    return frozen


def slot_synthesiser(folder: str, encoder: Encoder, *, for_model: ListensWith, key: str, width: int) -> FixedProjection:
    """A trained synthesiser of slots for this language model, whose embeddings are so wide, frozen.

    Raises:
        TrainingError: if the folder holds none, or one for another language model.
    """
    known = trained(folder, encoder, key=key)
    guiding = known.guided_by(key=key) if known.method == "lasyn_fixed" else None
    if guiding is None or method_of(guiding) not in LISTENERS:
        raise TrainingError(
            f"{key}: {known.found.folder} makes no slots of a language model: train one by 'lasyn_fixed' through a "
            f"guide that listens ({', '.join(LISTENERS)})"
        )
    theirs = listens_with(guiding)
    if theirs != for_model:
        raise TrainingError(
            f"{key}: {known.found.folder} makes slots for the language model {theirs}, and this one is {for_model}; "
            "make them through a guide that listens with this one"
        )
    made = known.parsed(FixedProjectionConfig, "synthesiser").build(width=width, seed=0)
    checkpoint.restore(known.found, dict(made.named_parameters()))
    freeze(made)
    return made


def new_diffusion(
    known: Trained, autoencoder: Autoencoder, encoder: Encoder, *, sampler: SamplerConfig
) -> DiffusionSynthesiser:
    """A synthesiser as the table of a checkpoint has it, with nothing learned yet."""
    config, text = known.parsed(UnetConfig, "denoiser"), known.parsed(TextEncoderConfig, "text_encoder")
    denoiser = Denoiser(config, text, channels=autoencoder.channels, width=encoder.width)
    return DiffusionSynthesiser(autoencoder, denoiser, known.parsed(DiffusionConfig, "diffusion"), sampler)


def trained_autoencoder(folder: str, encoder: Encoder) -> tuple[Autoencoder, int]:
    """A trained autoencoder, frozen, and the layer whose latents it makes small.

    Raises:
        TrainingError: if the folder holds none, or one for another encoder.
    """
    key = "objective.autoencoder_from"
    known = trained(folder, encoder, key=key)
    if known.method != "lasyn_autoencoder":
        raise TrainingError(
            f"{key}: {known.found.folder} is of method {known.method!r}: expected 'lasyn_autoencoder'; train one first"
        )
    made = known.parsed(AutoencoderConfig, "autoencoder").build(width=encoder.width, seed=0)
    checkpoint.restore(known.found, dict(made.named_parameters()))
    freeze(made)
    return made, int(known.table["split"])
