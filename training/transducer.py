"""A transducer (Graves 2012): characters from the frames of an encoder, and from the characters before them.

What is heard and what has been written meet in a joiner. What has been written is told by the last few characters alone
(Ghodsi et al. 2020), which a convolution hears: nothing is carried along, and to search is cheap. Unlike `ctc` it needs
no frame for every character, so frames are stacked before they are joined. With a ``split`` it goes on from the latents
of that layer of the encoder through the layers above, which are tuned with it; see `training.backbones.split`.

B utterances · T frames, padded · D width of the encoder · N stacks of frames · U characters, padded · W width of the
joiner · V characters and the blank
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from training.alphabet import BLANK, ENGLISH, Alphabet, check_alphabet
from training.answering import Answer, DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.split import UpperPart, upper_part
from training.modes import at_rest
from training.objective import Batch, Heard, Loss, Utterance
from training.padding import pad_features
from training.transducer_loss import transducer_loss

MOST_AT_ONCE = 10
"""How many characters an answer has for one stack of frames at most: more than anybody says in so short a time."""


@dataclass(frozen=True, slots=True)
class TransducerConfig:
    """``alphabet`` are the characters that can be written; a text with other letters or digits is refused.

    ``width`` is that of the joiner, ``context`` how many characters it is told of those that have been written.
    ``every`` is how many frames are stacked: 2 of Whisper's are 40 ms, as in the lower part of LaSyn's paper. Memory
    grows with B·N·(U + 1)·(W + V). ``split`` is the layer of the encoder whose features are heard, where the layers
    above are tuned too.
    """

    hears: ClassVar[Heard] = Heard()

    method: Literal["transducer"] = "transducer"
    alphabet: str = ENGLISH
    width: int = 256
    context: int = 4
    every: int = 2
    dropout: float = 0.0
    split: int | None = None

    def __post_init__(self) -> None:
        check_alphabet("transducer.alphabet", self.alphabet)
        if min(self.width, self.context, self.every) < 1:
            raise ValueError("transducer.width, transducer.context and transducer.every must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError("transducer.dropout must be from 0 to below 1")
        if self.split is not None and self.split < 0:
            raise ValueError(f"transducer.split = {self.split}: expected the number of a layer, from 0")

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> "Transducer":  # noqa: ARG002  # the last layer
        """A new one for the frames of an encoder.

        Raises:
            TrainingError: if the encoder cannot be split there.
        """
        upper = None if self.split is None else upper_part(encoder, self.split)
        torch.manual_seed(seed)
        return Transducer(encoder.width, self, upper)


class TransducerHead(nn.Module):
    """Frames (B, T, D), or latents with an upper part before it, and characters, to scores of what comes next."""

    def __init__(self, width: int, config: TransducerConfig, upper: UpperPart | None = None) -> None:
        super().__init__()
        self._every, self._context = config.every, config.context
        num_characters = len(config.alphabet) + 1
        self.upper = upper
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.stack = nn.Linear(config.every * width, config.width)
        self.embedding = nn.Embedding(num_characters, config.width)
        self.context = nn.Conv1d(config.width, config.width, config.context)
        self.tell = nn.Linear(config.width, config.width)
        self.out = nn.Linear(config.width, num_characters)

    def forward(self, frames: Tensor, lengths: Tensor, written: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, N, U + 1, V) behind each stack of frames and each of the characters ``written`` (B, U).

        The first ``lengths`` (B,) of the frames are heard; how many stacks those are comes with the scores.
        """
        heard, lengths = self.heard(frames, lengths)
        told = self.told(pad(written, (self._context, 0), value=BLANK))  # (B, U + 1, W)
        return self.join(heard[:, :, None], told[:, None]), lengths

    def heard(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Stacks of frames (B, N, W), and how many of each count; zeros fill a last one up."""
        if self.upper is not None:
            frames = self.upper(frames, lengths)
        is_heard = torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]  # (B, T)
        frames = self.dropout(self.norm(frames)).masked_fill(~is_heard[..., None], 0.0)
        frames = pad(frames, (0, 0, 0, -frames.shape[1] % self._every))
        stacks: Tensor = self.stack(frames.reshape(len(frames), -1, self._every * frames.shape[2]))
        return stacks, (lengths + self._every - 1).div(self._every, rounding_mode="floor")

    def told(self, written: Tensor) -> Tensor:
        """What each ``context`` characters (B, context + U) on end tell, (B, U + 1, W); before the first are blanks."""
        embedded = self.dropout(self.embedding(written)).transpose(1, 2)
        told: Tensor = self.tell(torch.relu(self.context(embedded)).transpose(1, 2))
        return told

    def join(self, heard: Tensor, told: Tensor) -> Tensor:
        """Scores (..., V) of the blank, 0, and of the characters from 1, for what is heard and told (..., W)."""
        scores: Tensor = self.out(torch.tanh(heard + told))
        return scores

    def likeliest(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The likeliest characters of each utterance, blanks among them, (B, steps), and which have no end, (B,).

        Each utterance goes its own way: with a character it stays at its stack of frames, with a blank it goes on to
        the next, as it does after `MOST_AT_ONCE` characters.
        """
        heard, lengths = self.heard(frames, lengths)
        rows = torch.arange(len(heard), device=heard.device)
        before = rows.new_full((len(rows), self._context), BLANK)
        at, burst, is_cut = torch.zeros_like(rows), torch.zeros_like(rows), torch.zeros_like(rows, dtype=torch.bool)
        steps = []
        while bool((at < lengths).any()):
            here = heard[rows, at.clamp(max=heard.shape[1] - 1)]  # (B, W)
            found = self.join(here, self.told(before)[:, 0]).argmax(dim=-1)  # (B,)
            wants = (found != BLANK) & (at < lengths)
            writes = wants & (burst < MOST_AT_ONCE)
            is_cut |= wants & ~writes & (at == lengths - 1)
            steps.append(found.where(writes, BLANK))
            before = torch.cat([before[:, 1:], found[:, None]], dim=1).where(writes[:, None], before)
            at, burst = at + ~writes, (burst + 1).where(writes, 0)
        return torch.stack(steps, dim=1), is_cut


class Transducer:
    """The objective: the negative log likelihood of the characters, over all alignments, summed."""

    def __init__(self, width: int, config: TransducerConfig, upper: UpperPart | None = None) -> None:
        self._config = config
        self._alphabet = Alphabet(config.alphabet, key="transducer.alphabet")
        self.split, self.upper = config.split, upper
        self.module = TransducerHead(width, config, upper)

    @property
    def shape(self) -> Mapping[str, Any]:
        """What its parameters mean."""
        return {key: getattr(self._config, key) for key in ("split", "alphabet", "width", "context", "every")}

    def trained(self) -> Mapping[str, nn.Parameter]:
        """All three parts, and the upper part if there is one."""
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Pad frames and characters.

        Raises:
            TrainingError: for an utterance without features, or with a character that the alphabet lacks.
        """
        tensors = pad_features(utterances) | self.targets(utterances)
        return Batch.of(utterances, tensors)

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """Characters, padded, as ``targets`` (B, U), and how many are whose as ``num_targets`` (B,).

        Raises:
            TrainingError: for a text with a character that the alphabet lacks.
        """
        rows = self._alphabet.rows(utterances)
        return {
            "targets": pad_sequence([torch.tensor(row, dtype=torch.long) for row in rows], batch_first=True),
            "num_targets": torch.tensor([len(row) for row in rows], dtype=torch.long),
        }

    def loss(self, batch: Batch) -> Loss:
        """Its sum; blanks count as well, but as no targets."""
        return self.loss_on(batch.tensors["features"][:, -1].float(), batch.tensors["lengths"], batch)

    def loss_on(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """The same on frames or latents (B, T, D), of which the first ``lengths`` (B,) are heard."""
        targets = batch.tensors["targets"]
        scores, stacks = self.module(latents, lengths, targets)
        return Loss(transducer_loss(scores, targets, stacks, batch.tensors["num_targets"]).sum())

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """The likeliest character, one after the other, until all frames are heard.

        Raises:
            TrainingError: for an utterance without features, or a search, which it has none.
        """
        if settings.beams != 1:
            raise TrainingError(f"a transducer answers character by character, not by {settings.beams} beams; use 1")
        if not utterances:
            return []
        device = self.module.out.weight.device
        tensors = {name: tensor.to(device) for name, tensor in pad_features(utterances).items()}
        with torch.inference_mode(), at_rest(self.module):
            found, is_cut = self.module.likeliest(tensors["features"][:, -1].float(), tensors["lengths"])
        rows = [[number for number in row if number != BLANK] for row in found.tolist()]
        return [
            Answer(utterance.take_id, self._alphabet.text(row), len(row), hit_limit=cut)
            for utterance, row, cut in zip(utterances, rows, is_cut.tolist(), strict=True)
        ]
