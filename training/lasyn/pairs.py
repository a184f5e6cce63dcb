"""Real latents of takes, and those that a synthesiser makes of their texts, side by side; and who hears them.

N latents · W their width
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError, UsageError
from catalogs.models.pretrained import device_of
from catalogs.progress import Progress
from catalogs.stage import Outcome, batched
from training.backbones.encoders import Encoder
from training.backbones.encoding import inference
from training.backbones.frozen import seeded
from training.checkpoint import Checkpoint
from training.evaluation.trained import check_encoder, recipe_of
from training.features import as_stored
from training.lasyn.edm import SamplerConfig
from training.lasyn.guides import Guide, guide_in
from training.lasyn.listening import Listener
from training.lasyn.loading import slot_synthesiser, synthesiser
from training.lasyn.phones import PhoneReader
from training.lasyn.recogniser import GUIDES, SplitRecogniser, any_of
from training.members import Member, waves_of
from training.objective import Utterance

MAKERS = ("lasyn_fixed", "lasyn_diffusion")
SYNTHESISER = "the synthesiser"
"""What errors call the checkpoint whose latents are looked at, which no key names."""
_AT_ONCE = 8

S = TypeVar("S", Sequence["Pair"], Tensor)


@dataclass(frozen=True, slots=True)
class Pair:
    """A take, its real latents (N, W), and those made of its text (N, W), as long as they are; float32 on the CPU."""

    member: Member
    real: Tensor
    made: Tensor


def halves(of: S) -> tuple[S, S]:
    """Every other of some latents, and the rest; real ones of one half are what those made of the other are held to."""
    return of[::2], of[1::2]


def voices_of_others(real: Sequence[Tensor]) -> Tensor:
    """For each of some latents (N, W) the mean (W,) of the next but one.

    That says something else, and is of the same half: what is made is never held to what it was told.
    """
    means = torch.stack([latents.mean(dim=0) for latents in real])
    for half in halves(means):
        half.copy_(half.roll(-1, dims=0))
    return means


class Maker:
    """A synthesiser out of a checkpoint, the encoder whose latents it makes, and the guide that hears them."""

    def __init__(
        self, encoder: Encoder, guiding: Guide, synthesiser: nn.Module, reader: PhoneReader, *, dtype: str
    ) -> None:
        """``dtype`` is that in which features were kept for training."""
        self.reader = reader
        self._encoder, self._guide, self._dtype = encoder, guiding, dtype
        self._device = torch.device(device_of("auto"))
        self._synthesiser = synthesiser.to(self._device)
        guiding.module.to(self._device)

    @property
    def hears_voices(self) -> bool:
        """Whether the synthesiser is told the mean latent of a voice."""
        return bool(getattr(self._synthesiser, "hears_voices", False))

    def pairs(self, members: Sequence[Member], progress: Progress) -> list[Pair]:
        """Hear takes, and make latents of what is said in them, the same each time.

        A synthesiser that is told voices is told for each take that of another, see `voices_of_others`.

        Raises:
            TrainingError: for a take that is too short for the encoder, or whose text has no pronunciation.
            AudioError: if a take's audio is missing or damaged.
        """
        progress.start("hearing takes", len(members))
        real: list[Tensor] = []
        for part in batched(members, _AT_ONCE):
            real += self._heard(part)
            progress.receive(Outcome(items=len(part)))
        progress.finish()
        made = self.made(members, voices_of_others(real))
        return [Pair(*each) for each in zip(members, real, made, strict=True)]

    def made(self, members: Sequence[Member], voices: Tensor | None = None) -> list[Tensor]:
        """Latents (N, W) of what is said in members, each in a voice of ``voices`` (M, W) if it hears any."""
        found: list[Tensor] = []
        told = list(range(len(members)))
        with seeded(0), inference(self._synthesiser):
            for part in batched(told, _AT_ONCE):
                texts = self.reader.batch([_utterance(members[place]) for place in part])
                read = [texts[name].to(self._device) for name in ("phones", "num_phones")]
                if self.hears_voices:
                    read += [] if voices is None else [voices[part].to(self._device)]
                latents, lengths = self._synthesiser(*read)
                found += [row[:length].float().cpu() for row, length in zip(latents, lengths.tolist(), strict=True)]
        return found

    def rebuilt(self, latents: Sequence[Tensor]) -> list[Tensor] | None:
        """Latents (N, W) as the autoencoder of the synthesiser gives them back; None if it has none.

        What is lost in them, no codes can say: the guide hears made ones no better than these.
        """
        autoencoder = getattr(self._synthesiser, "autoencoder", None)
        if autoencoder is None:
            return None
        found: list[Tensor] = []
        with inference(self._synthesiser):
            for each in latents:
                length = torch.tensor([len(each)], device=self._device)
                rows, _ = autoencoder.decode(*autoencoder.encode(each[None].to(self._device), length))
                found.append(rows[0, : len(each)].float().cpu())
        return found

    def answers(self, members: Sequence[Member], latents: Sequence[Tensor]) -> list[str]:
        """What the guide hears in latents (N, W) of members."""
        found: list[str] = []
        for part in batched(list(zip(members, latents, strict=True)), _AT_ONCE):
            found += self._guide.answers([_utterance(member) for member, _ in part], [each for _, each in part])
        return found

    def _heard(self, members: Sequence[Member]) -> list[Tensor]:
        waves = [torch.from_numpy(wave) for wave in waves_of(members)]
        heard = self._encoder.encode(waves, self._guide.layers)
        latents = [self._low(as_stored(each, self._dtype).float()) for each in heard]
        if short := [member.take_id for member, each in zip(members, latents, strict=True) if not len(each)]:
            raise TrainingError(f"take {short[0]} is too short for the encoder; leave it out of the release")
        return latents

    def _low(self, features: Tensor) -> Tensor:
        length = torch.tensor([features.shape[1]], device=self._device)
        with torch.inference_mode():
            latents, lengths = self._guide.low(features[None].to(self._device), length)
        return latents[0, : int(lengths[0])].float().cpu()


def maker_of(found: Checkpoint, guided_by: str, *, key: str) -> Maker:
    """The synthesiser of a checkpoint, and a guide by its folder; ``key`` is what names the guide, for errors.

    Raises:
        TrainingError: if the guide is of another encoder or layer.
        EngineError: if a model is not to be had.
    """
    recipe = recipe_of(found)
    if recipe.encoder is None:
        raise TrainingError(f"{found.folder} names no encoder, so that no real latents are to be had; train it anew")
    encoder = recipe.encoder.build()
    check_encoder(found, encoder.id)
    guiding = guide_in(guided_by, encoder, key=key)
    made = _synthesiser(str(found.folder), encoder, guiding)
    return Maker(encoder, guiding, made, reader_of(found), dtype=recipe.features.dtype)


def reader_of(found: Checkpoint) -> PhoneReader:
    """What the synthesiser of a checkpoint reads texts with."""
    return PhoneReader(found.provenance["recipe"]["objective"].get("unknown", "read"))


def _synthesiser(folder: str, encoder: Encoder, guiding: Listener | SplitRecogniser) -> nn.Module:
    """A synthesiser of the latents that this guide hears."""
    if isinstance(guiding, Listener):
        return slot_synthesiser(folder, encoder, for_model=guiding.listens_with, key=SYNTHESISER, width=guiding.width)
    return synthesiser(folder, encoder, split=guiding.split, sampler=SamplerConfig(), key=SYNTHESISER)


def guide_of(found: Checkpoint, named: Path | None) -> str:
    """The folder of the guide that is named, or of the one that a synthesiser was trained through.

    Raises:
        TrainingError: if the checkpoint is of no synthesiser.
        UsageError: if there is no guide.
    """
    table = found.provenance.get("recipe", {}).get("objective", {})
    if table.get("method") not in MAKERS:
        raise TrainingError(
            f"{found.folder} is of method {table.get('method')!r}, which makes no latents of texts: expected one of "
            f"{', '.join(MAKERS)}"
        )
    guided_by = named or table.get("guide_from")
    if guided_by is None:
        raise UsageError(
            f"{found.folder} was trained without a guide, so nobody is there to hear what it makes: name with --guide "
            f"a training of method {any_of(GUIDES)} with a split, or of one that listens"
        )
    return str(guided_by)


def _utterance(member: Member) -> Utterance:
    return Utterance(member.take_id, member.text, member.spoken, member.language, member.is_synthetic)
