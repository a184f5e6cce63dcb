"""Recipe tables of the diffusion synthesiser. In turn: `lasyn_autoencoder`, then `lasyn_diffusion` on its codes."""

from dataclasses import dataclass, field
from typing import Literal

import torch

from catalogs.errors import TrainingError
from catalogs.g2p import Unknown
from training.backbones.encoders import Encoder
from training.lasyn.autoencoder import AutoencoderConfig, Autoencoding
from training.lasyn.denoiser import Denoiser, TextEncoderConfig
from training.lasyn.diffusion import DiffusionConfig, DiffusionSynthesiser, LatentDiffusion
from training.lasyn.edm import SamplerConfig
from training.lasyn.loading import trained_autoencoder
from training.lasyn.phones import PhoneReader
from training.lasyn.unet import UnetConfig


@dataclass(frozen=True)
class AutoencoderMethod:
    """An autoencoder of the latents of layer ``split``."""

    split: int
    method: Literal["lasyn_autoencoder"] = "lasyn_autoencoder"
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> Autoencoding:  # noqa: ARG002  # it hears one
        """A new one."""
        return Autoencoding(self.autoencoder.build(width=encoder.width, seed=seed), split=self.split)


@dataclass(frozen=True)
class DiffusionMethod:
    """A diffusion synthesiser; ``autoencoder_from`` is the folder of a training of `lasyn_autoencoder`."""

    method: Literal["lasyn_diffusion"] = "lasyn_diffusion"
    autoencoder_from: str | None = None
    denoiser: UnetConfig = field(default_factory=UnetConfig)
    text_encoder: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    unknown: Unknown = "read"

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
        return LatentDiffusion(synthesiser, PhoneReader(self.unknown), split=split, lengths=self.diffusion.lengths)
