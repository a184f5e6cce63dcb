"""Understanding of speech: an encoder's frames to one sequence of intent, values and transcript, by cross entropy.

The decoder writes what `training.slu.sequence` renders. With a ``split`` the layers of the encoder above it are tuned
with the decoder, as those of `ctc` are, and may begin as a guide has them; LaSyn begins its backbone so.

B utterances · T frames, padded · D width of the encoder · U characters and the end, padded
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from training.alphabet import with_apostrophes_of
from training.answering import Answer, DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.split import UpperPart, upper_part
from training.lasyn.recogniser import SplitRecogniser, guide
from training.modes import at_rest
from training.objective import Batch, Heard, Loss, Utterance
from training.padding import IGNORED, pad_features
from training.slu.decoder import END, Decoder, DecoderConfig, likeliest
from training.slu.sequence import MARKS, rendered, understood
from training.speech_llm import answer_loss

PRINTABLE = "".join(chr(code) for code in range(ord(" "), ord("~") + 1))
CHARACTERS_A_TOKEN = 4
"""What a token of `DecodingConfig`, which is a piece of a word, counts for here."""


@dataclass(frozen=True, slots=True)
class SluConfig:
    """``alphabet`` are the characters that can be written: ASCII, or others with a space, | ; = and a backslash.

    ``split`` is the layer of the encoder whose features are heard, where the layers above are tuned too.
    ``guide_from`` is a training of method `ctc`, `transducer` or `whisper_decoder` with that split, as whose upper part
    this one begins. ``room`` is how many characters labels may take beside those of the transcript, for which
    `DecodingConfig` has a limit.
    """

    hears: ClassVar[Heard] = Heard()

    method: Literal["slu"] = "slu"
    alphabet: str = PRINTABLE
    split: int | None = None
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    guide_from: str | None = None
    room: int = 200

    def __post_init__(self) -> None:
        if len(set(self.alphabet)) < len(self.alphabet) or not set(MARKS) <= set(self.alphabet):
            raise ValueError(f"slu.alphabet must name characters, each once, {' '.join(MARKS)} among them")
        if " " not in self.alphabet:
            raise ValueError("slu.alphabet has no space, which parts words, and is written for marks that it lacks")
        if self.split is not None and self.split < 0:
            raise ValueError(f"slu.split = {self.split}: expected the number of a layer, from 0")
        if self.guide_from is not None and self.split is None:
            raise ValueError("slu.split is missing: without it there is no upper part to begin as the guide's")
        if self.room < 0:
            raise ValueError(f"slu.room = {self.room}: expected a number of characters, from 0")

    @property
    def asks_for_labels(self) -> bool:
        """It learns to write them."""
        return True

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> "Slu":  # noqa: ARG002  # it takes the last layer
        """A new decoder for the frames of an encoder.

        Raises:
            TrainingError: if the encoder cannot be split there, or the guide is not to be had or has another split.
        """
        upper = None if self.split is None else upper_part(encoder, self.split)
        torch.manual_seed(seed)
        made = Slu(encoder.width, self, upper)
        if self.guide_from is not None:
            SplitRecogniser(encoder, made).begin_as(guide(self.guide_from, encoder))
        return made


class SluHead(nn.Module):
    """Frames (B, T, D), or latents with an upper part before the decoder."""

    def __init__(self, width: int, config: SluConfig, upper: UpperPart | None = None) -> None:
        super().__init__()
        self.upper = upper
        self.decoder = Decoder(config.decoder, width=width, num_characters=len(config.alphabet))

    def forward(self, frames: Tensor, lengths: Tensor, read: Tensor) -> Tensor:
        """Scores (B, U, V) of what comes after each of the characters ``read`` (B, U)."""
        scores: Tensor = self.decoder(read, self.decoder.begin(self.heard(frames, lengths), lengths))
        return scores

    def heard(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """What the decoder hears of frames, of which the first ``lengths`` (B,) count."""
        return frames if self.upper is None else self.upper(frames, lengths)


class Slu:
    """The objective: cross entropy of the characters and the end, summed; see `training.objective.Objective`."""

    def __init__(self, width: int, config: SluConfig, upper: UpperPart | None = None) -> None:
        self._numbers = {char: number for number, char in enumerate(config.alphabet, start=END + 1)}
        self._config = config
        self.split, self.upper = config.split, upper
        self.module = SluHead(width, config, upper)

    @property
    def shape(self) -> Mapping[str, Any]:
        """What its parameters mean."""
        decoder = self._config.decoder
        sizes = {"layers": decoder.layers, "width": decoder.width, "heads": decoder.heads}
        return {"split": self.split, "alphabet": self._config.alphabet, **sizes}

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The decoder, and the upper part if there is one."""
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Pad frames and sequences.

        Raises:
            TrainingError: for an utterance without features, or with a character that the alphabet lacks.
        """
        tensors = pad_features(utterances) | self.targets(utterances)
        return Batch.of(utterances, tensors)

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """Characters as they are ``read``, and ``labels`` to be written, (B, U); how many are whose as ``num_targets``.

        Raises:
            TrainingError: for an utterance with a letter or a digit that the alphabet lacks.
        """
        rows = [torch.tensor([*self.numbers(utterance), END]) for utterance in utterances]
        return {
            "read": pad_sequence([row.roll(1) for row in rows], batch_first=True, padding_value=END),
            "labels": pad_sequence(rows, batch_first=True, padding_value=IGNORED),
            "num_targets": torch.tensor([len(row) for row in rows], dtype=torch.long),
        }

    def loss(self, batch: Batch) -> Loss:
        """Its sum; ``correct`` of ``targets`` were the likeliest character."""
        return self.loss_on(batch.tensors["features"][:, -1].float(), batch.tensors["lengths"], batch)

    def loss_on(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """The same on frames or latents (B, T, D), of which the first ``lengths`` (B,) are heard."""
        return answer_loss(self.module(latents, lengths, batch.tensors["read"]), batch.tensors["labels"])

    def numbers(self, utterance: Utterance) -> list[int]:
        """The characters of labels and transcript; a mark that the alphabet lacks parts words.

        Raises:
            TrainingError: for a letter or a digit that the alphabet lacks.
        """
        said = with_apostrophes_of(self._numbers, rendered(utterance.spoken, utterance.labels))
        if unknown := sorted({char for char in said if char.isalnum()} - self._numbers.keys()):
            raise TrainingError(
                f"take {utterance.take_id}: its text or labels have {''.join(unknown)!r}, which slu.alphabet lacks: "
                f"{said[:60]!r}"
            )
        return [self._numbers[char if char in self._numbers else " "] for char in said]

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """The likeliest characters, one after the other, as labels and transcript.

        Raises:
            TrainingError: for an utterance without features, or a search, which it has none.
        """
        if settings.beams != 1:
            raise TrainingError(f"an SLU decoder takes the likeliest character, not {settings.beams} beams; use 1")
        if not utterances:
            return []
        device = next(self.module.parameters()).device
        tensors = {name: tensor.to(device) for name, tensor in pad_features(utterances).items()}
        lengths = tensors["lengths"]
        limits = [self._config.room + CHARACTERS_A_TOKEN * settings.limit(length) for length in lengths.tolist()]
        with torch.inference_mode(), at_rest(self.module):
            heard = self.module.heard(tensors["features"][:, -1].float(), lengths)
            rows = likeliest(self.module.decoder, self.module.decoder.begin(heard, lengths), limits)
        return [self._answer(utterance, row) for utterance, row in zip(utterances, rows, strict=True)]

    def _answer(self, utterance: Utterance, row: Sequence[int]) -> Answer:
        written = "".join(self._config.alphabet[number - 1] for number in row if number != END)
        transcript, labels = understood(written)
        return Answer(utterance.take_id, transcript, len(row), hit_limit=row[-1] != END, labels=labels)
