"""The diffusion synthesiser: one text gives many latents, as one text is spoken in many ways.

A denoiser of the autoencoder's codes is trained on speech and its text; lengths are learned beside it. Told the mean
latent of an utterance as well, it makes others in that voice and over that channel, which the paper does not have.

B utterances · T frames, padded · N codes · P phones, padded · D width of latents
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError
from training.lasyn.autoencoder import Autoencoder, heard
from training.lasyn.denoiser import Denoiser, Told
from training.lasyn.edm import (
    Denoise,
    NoiseConfig,
    SamplerConfig,
    drawn_levels,
    guided,
    noise_levels,
    precondition,
    sample,
    squared_errors,
)
from training.lasyn.phones import PhoneReader, check_share, masked
from training.members import Member
from training.objective import Batch, Loss, Utterance
from training.padding import pad_features


@dataclass(frozen=True, slots=True)
class DiffusionConfig:
    """How the denoiser is trained: levels of ``noise``, and how often the text, and the voice, are left ``untold``.

    ``lengths`` is the weight of an utterance's length beside its codes; ``voice`` tells the denoiser mean latents.
    """

    noise: NoiseConfig = field(default_factory=NoiseConfig)
    untold: float = 0.1
    lengths: float = 1.0
    voice: bool = False

    def __post_init__(self) -> None:
        check_share("diffusion.untold", self.untold)
        if self.lengths <= 0:
            raise ValueError("diffusion.lengths must be positive")


class DiffusionSynthesiser(nn.Module):
    """Phones (B, P) to latents (B, T, D), others each time; it draws from the random numbers of the CPU."""

    def __init__(
        self, autoencoder: Autoencoder, denoiser: Denoiser, config: DiffusionConfig, sampler: SamplerConfig
    ) -> None:
        super().__init__()
        self.autoencoder, self.denoiser = autoencoder, denoiser
        self._config, self._sampler = config, sampler

    @property
    def hears_voices(self) -> bool:
        """Whether it was trained to be told voices."""
        return self._config.voice

    def forward(self, phones: Tensor, num_phones: Tensor, voices: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Latents, and how many frames of each count (B,); ``voices`` (B, D) are mean latents, None is nobody's.

        They are as long as the text is expected to last.
        """
        told = self.denoiser.text(phones, num_phones)
        numbers = told.num_codes().round().long().clamp(min=1)
        yes = torch.ones_like(numbers, dtype=torch.bool)
        states = self.denoiser.voice_states(voices if self._config.voice else None, yes)
        silent = self.denoiser.without_text(told, ~yes)
        with_text, without = (self._denoise(numbers, each, states) for each in (told, silent))
        shape = (len(numbers), int(numbers.max()), self.autoencoder.channels)
        noise = torch.randn(shape).to(states)
        denoise = guided(with_text, without, guidance=self._sampler.guidance)
        codes = sample(denoise, noise, noise_levels(self._sampler))
        found: tuple[Tensor, Tensor] = self.autoencoder.decode(codes, numbers)
        return found

    def _denoise(self, numbers: Tensor, told: Told, states: Tensor) -> Denoise:
        def network(noisy: Tensor, noise: Tensor) -> Tensor:
            found: Tensor = self.denoiser(noisy, noise, numbers, told, states)
            return found

        return precondition(network, data=self._config.noise.data)

    def errors(self, latents: Tensor, lengths: Tensor, phones: Tensor, num_phones: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted squared errors of codes, a mean over channels, summed (B,), and of the logarithm of lengths (B,)."""
        with torch.no_grad():
            codes, numbers = self.autoencoder.encode(latents, lengths)
            voices = (latents * heard(latents, lengths)).sum(dim=1) / lengths[:, None]
        told = self.denoiser.text(phones, num_phones)
        kept = torch.rand(2, len(numbers)).to(latents.device) >= self._config.untold
        states = self.denoiser.voice_states(voices if self._config.voice else None, kept[1])
        denoise = self._denoise(numbers, self.denoiser.without_text(told, kept[0]), states)
        levels = drawn_levels(len(numbers), self._config.noise).to(latents)
        errors = squared_errors(denoise, codes, levels, data=self._config.noise.data) * heard(codes, numbers)
        return errors.mean(dim=-1).sum(dim=-1), (told.num_codes().log() - numbers.log()).square()


class LatentDiffusion:
    """The objective; see `Objective`. It takes features and their texts, phones hidden at a share of ``mask``.

    Its targets are codes.
    """

    def __init__(
        self, synthesiser: DiffusionSynthesiser, reader: PhoneReader, *, split: int, lengths: float, mask: float
    ) -> None:
        self.module = synthesiser
        self.split = split
        self._reader, self._lengths, self._mask = reader, lengths, mask
        synthesiser.autoencoder.requires_grad_(requires_grad=False)

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The denoiser with its text encoder, and nothing of the autoencoder."""
        return dict(self.module.denoiser.named_parameters())

    def look_over(self, members: Sequence[Member]) -> str:
        """See `PhoneReader.look_over`, whose errors it raises; it reads the texts of takes.

        Raises:
            TrainingError: if there are texts that nobody speaks.
        """
        if texts := sum(member.place is None for member in members):
            raise TrainingError(f"data has {texts:,} texts alone, and diffusion learns from speech; drop them")
        return self._reader.look_over(members)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Latents and phones.

        Raises:
            TrainingError: for an utterance without features, or a text without a pronunciation.
        """
        tensors = pad_features(utterances) | self._reader.batch(utterances)
        num_codes = self.module.autoencoder.num_codes(tensors["lengths"])
        return Batch(tensors, int(num_codes.sum()), [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """Errors of codes and of lengths, which ``lengths`` watches alone: squared, of their logarithms."""
        tensors = batch.tensors
        latents = tensors["features"][:, -1].float()
        phones = masked(tensors["phones"], self._mask)
        codes, lengths = self.module.errors(latents, tensors["lengths"], phones, tensors["num_phones"])
        total = codes.sum() + self._lengths * lengths.sum()
        return Loss(total, {"lengths": lengths.detach().sum(), "guessed": tensors["num_guessed"].sum()})
