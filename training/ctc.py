"""Connectionist temporal classification (Graves et al. 2006): characters from the frames of an encoder.

The smallest recogniser there is: a linear head over frozen frames. With a ``split`` it goes on from the latents of that
layer of the encoder through the layers above, which are tuned with it; see `training.backbones.split`.

B utterances · T frames, padded · D width of the encoder · V characters and the blank
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import ctc_loss
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from catalogs.stage import batched
from training.alphabet import BLANK, ENGLISH, Alphabet, check_alphabet
from training.answering import Answer, DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.split import UpperPart, upper_part
from training.members import Member
from training.modes import at_rest
from training.objective import Batch, Heard, Loss, Utterance

_AT_ONCE = 256
"""Texts whose targets are in memory while they are looked over."""


@dataclass(frozen=True, slots=True)
class CtcConfig:
    """``alphabet`` are the characters that can be written; a text with other letters or digits is refused.

    ``split`` is the layer of the encoder whose features are heard, where the layers above are tuned too.
    """

    hears: ClassVar[Heard] = Heard("frames", "num_frames")

    method: Literal["ctc"] = "ctc"
    alphabet: str = ENGLISH
    dropout: float = 0.0
    split: int | None = None

    def __post_init__(self) -> None:
        check_alphabet("ctc.alphabet", self.alphabet)
        if not 0 <= self.dropout < 1:
            raise ValueError("ctc.dropout must be from 0 to below 1")
        if self.split is not None and self.split < 0:
            raise ValueError(f"ctc.split = {self.split}: expected the number of a layer, from 0")

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> "Ctc":  # noqa: ARG002  # it takes the last layer
        """A new head for the frames of an encoder.

        Raises:
            TrainingError: if the encoder cannot be split there.
        """
        upper = None if self.split is None else upper_part(encoder, self.split)
        torch.manual_seed(seed)
        return Ctc(encoder.width, self, upper)


class CtcHead(nn.Module):
    """Frames (B, T, D), or latents with an upper part before the head, to log probabilities (B, T, V)."""

    def __init__(self, width: int, config: CtcConfig, upper: UpperPart | None = None) -> None:
        super().__init__()
        self.upper = upper
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.out = nn.Linear(width, len(config.alphabet) + 1)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Log probabilities of the blank, 0, and of the characters from 1; ``lengths`` (B,) of the frames are heard."""
        if self.upper is not None:
            frames = self.upper(frames, lengths)
        scores: Tensor = self.out(self.dropout(self.norm(frames)))
        return scores.float().log_softmax(dim=-1)  # in bfloat16 it would round what is summed over all frames


class Ctc:
    """The objective: the negative log likelihood of the characters, summed; its targets are characters."""

    def __init__(self, width: int, config: CtcConfig, upper: UpperPart | None = None) -> None:
        self.alphabet = Alphabet(config.alphabet, key="ctc.alphabet")
        self.split, self.upper = config.split, upper
        self.module = CtcHead(width, config, upper)

    @property
    def shape(self) -> Mapping[str, Any]:
        """What its parameters mean."""
        return {"split": self.split, "alphabet": self.alphabet.characters}

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The head, and the upper part if there is one."""
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Pad the last layer's frames, and string the texts' characters together.

        Raises:
            TrainingError: for an utterance without features, or with a character that the alphabet lacks.
        """
        frames = [_frames(utterance) for utterance in utterances]
        tensors = {
            "frames": pad_sequence(frames, batch_first=True),  # (B, T, D)
            "num_frames": torch.tensor([len(f) for f in frames]),
            **self.targets(utterances),
        }
        return Batch.of(utterances, tensors)

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """Characters, strung together, as ``targets``, and how many are whose as ``num_targets`` (B,).

        Raises:
            TrainingError: for a text with a character that the alphabet lacks.
        """
        rows = self.alphabet.rows(utterances)
        return {
            "targets": torch.tensor([number for row in rows for number in row], dtype=torch.long),
            "num_targets": torch.tensor([len(row) for row in rows], dtype=torch.long),
        }

    def frames_needed(self, members: Sequence[Member]) -> Tensor:
        """How many frames the text of each of M members takes at least, (M,); see `frames_needed`.

        Raises:
            TrainingError: for a text with a character that the alphabet lacks.
        """
        parts = (self.targets([Utterance.unheard(member) for member in part]) for part in batched(members, _AT_ONCE))
        return torch.cat([torch.zeros(0, dtype=torch.long), *map(frames_needed, parts)])

    def loss(self, batch: Batch) -> Loss:
        """Its sum; a text that needs more frames than there are counts as 0 and is watched as ``unfit``."""
        return self.loss_on(batch.tensors["frames"], batch.tensors["num_frames"], batch)

    def loss_on(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """The same on frames or latents (B, T, D), of which the first ``lengths`` (B,) are heard."""
        tensors = batch.tensors
        log_probs = self.module(latents, lengths).transpose(0, 1)  # (T, B, V)
        both = (lengths, tensors["num_targets"])
        each = ctc_loss(log_probs, tensors["targets"], *both, blank=BLANK, reduction="none", zero_infinity=True)
        unfit = (each.detach() == 0) & (tensors["num_targets"] > 0)
        return Loss(total=each.sum(), watched={"unfit": unfit.sum()})

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """The likeliest characters, frame by frame, repeats and blanks removed.

        Raises:
            TrainingError: for an utterance without features, or a search, which it has none.
        """
        if settings.beams != 1:
            raise TrainingError(f"a CTC head answers frame by frame, not by {settings.beams} beams; use 1")
        best = [each.argmax(dim=-1) for each in self.log_probs(utterances)]
        rows = [[n for n, _ in groupby(row.tolist()) if n != BLANK] for row in best]
        return [
            Answer(u.take_id, self.alphabet.text(row), len(row), hit_limit=False)
            for u, row in zip(utterances, rows, strict=True)
        ]

    def log_probs(self, utterances: Sequence[Utterance]) -> list[Tensor]:
        """Log probabilities (T, V) of each utterance's frames, heard alone, without gradients.

        Raises:
            TrainingError: for an utterance without features.
        """
        device = self.module.out.weight.device
        with torch.inference_mode(), at_rest(self.module):
            frames = [_frames(u)[None].to(device) for u in utterances]
            return [self.module(one, torch.tensor([one.shape[1]], device=device))[0] for one in frames]


def frames_needed(targets: Mapping[str, Tensor]) -> Tensor:
    """How many frames texts need at least (B,): one a character, and one between two that are the same.

    ``targets`` are those of `Ctc.targets`.
    """
    characters, counts = targets["targets"], targets["num_targets"]
    owner = torch.arange(len(counts)).repeat_interleave(counts)
    repeats = (characters[1:] == characters[:-1]) & (owner[1:] == owner[:-1])
    return counts + torch.bincount(owner[1:][repeats], minlength=len(counts))


def _frames(utterance: Utterance) -> Tensor:
    if utterance.features is None or not utterance.features.shape[1]:
        raise TrainingError(f"take {utterance.take_id} has no encoder frames: it is empty, or was not encoded")
    return utterance.features[-1].float()
