"""Recipe tables of the diffusion synthesiser. In turn: `lasyn_autoencoder`, then `lasyn_diffusion` on its codes."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch

from catalogs.errors import TrainingError
from catalogs.g2p import Unknown
from training.backbones.encoders import Encoder
from training.lasyn.autoencoder import AutoencoderConfig, Autoencoding
from training.lasyn.denoiser import Denoiser, TextEncoderConfig
from training.lasyn.diffusion import DiffusionConfig, DiffusionSynthesiser, LatentDiffusion
from training.lasyn.edm import SamplerConfig
from training.lasyn.guides import guide_in
from training.lasyn.loading import trained_autoencoder
from training.lasyn.phones import PhoneReader, check_share
from training.lasyn.recogniser import GUIDES, SplitRecogniser, any_of
from training.lasyn.unet import UnetConfig


@dataclass(frozen=True)
class HearingConfig:
    """The guide that hears what was rebuilt, ``guide_from`` a training as `lasyn_fixed` takes one, and its ``weight``.

    A target that the guide loses 1 nat on counts as much as the whole variance of a frame.
    """

    guide_from: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ValueError("hearing.weight must be positive")


@dataclass(frozen=True)
class AutoencoderMethod:
    """An autoencoder of the latents of layer ``split``; what is lost for a guide counts if ``hearing`` names one."""

    split: int
    method: Literal["lasyn_autoencoder"] = "lasyn_autoencoder"
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    hearing: HearingConfig | None = None

    def __post_init__(self) -> None:
        if self.split < 0:
            raise ValueError(f"objective.split = {self.split}: expected the number of a layer, from 0")

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> Autoencoding:  # noqa: ARG002  # it hears one
        """A new one.

        Raises:
            TrainingError: if there is no such guide, or it hears something else.
        """
        made = self.autoencoder.build(width=encoder.width, seed=seed)
        if self.hearing is None:
            return Autoencoding(made, split=self.split)
        key = "objective.hearing.guide_from"
        hears = guide_in(self.hearing.guide_from, encoder, key=key)
        if not isinstance(hears, SplitRecogniser) or hears.split != self.split:
            raise TrainingError(
                f"{key}: {self.hearing.guide_from} does not hear layer {self.split}, whose latents these are; name a "
                f"training of method {any_of(GUIDES)} with that split"
            )
        return Autoencoding(made, split=self.split, guide=hears, weight=self.hearing.weight)


@dataclass(frozen=True)
class DiffusionMethod:
    """A diffusion synthesiser; ``autoencoder_from`` is the folder of a training of `lasyn_autoencoder`.

    ``unknown`` is what becomes of words that the dictionary lacks; ``mask`` the share of phones that is hidden in
    training, as `lasyn` may hide some later.
    """

    makes_latents: ClassVar[bool] = True

    method: Literal["lasyn_diffusion"] = "lasyn_diffusion"
    autoencoder_from: str | None = None
    denoiser: UnetConfig = field(default_factory=UnetConfig)
    text_encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    unknown: Unknown = "read"
    mask: float = 0.0

    def __post_init__(self) -> None:
        check_share("objective.mask", self.mask)

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> LatentDiffusion:  # noqa: ARG002  # it hears one
        """Load the autoencoder, and make a new denoiser of its codes.

        Raises:
            TrainingError: if there is no autoencoder, or one for another encoder.
        """
        if self.autoencoder_from is None:
            raise TrainingError("objective.autoencoder_from is missing: name a training of method 'lasyn_autoencoder'")
        autoencoder, split = trained_autoencoder(self.autoencoder_from, encoder)
        torch.manual_seed(seed)
        denoiser = Denoiser(self.denoiser, self.text_encoder, channels=autoencoder.channels, width=encoder.width)
        synthesiser = DiffusionSynthesiser(autoencoder, denoiser, self.diffusion, SamplerConfig())
        reader, lengths = PhoneReader(self.unknown), self.diffusion.lengths
        return LatentDiffusion(synthesiser, reader, split=split, lengths=lengths, mask=self.mask)
