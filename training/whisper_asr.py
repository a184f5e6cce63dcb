"""Whisper, tuned further on releases (Radford et al. 2022): all of it, or its decoder alone.

It hears waves, not cached frames: its decoder looks at every frame of a 30-second window, padding included, and knows
no mask. So a window is always whole, and an utterance must fit into one. `training.whisper_decoder` is the decoder on
cached frames.

B utterances · U tokens of the longest of them
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError
from catalogs.models.pretrained import packages
from training.answering import Answer, DecodingConfig
from training.objective import Batch, Heard, Loss, Utterance
from training.speech_llm import answer_loss
from training.whisper_text import WhisperText, Writes, check_room

RATE_HZ, SAMPLES_PER_FRAME, MELS_PER_FRAME = 16_000, 320, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperTuningConfig:
    """Whisper to be tuned: the starter ``whisper-tiny-en``, or a checkpoint in `transformers` form.

    ``checkpoint`` is the name of a pinned model, a folder, or a hub id with a commit as its ``revision``. ``tuned`` is
    "all", or "decoder": then the encoder stays as it is. ``language`` is that of a multilingual model's texts.
    ``writes`` "labels" learns to write what is meant before what is said; ``room`` is how many tokens that may take
    beside those of the text, for which `DecodingConfig` has a limit, None for 100.
    """

    hears: ClassVar[Heard] = Heard("windows", time=-1, channels=-2)

    method: Literal["whisper"] = "whisper"
    checkpoint: str = "whisper-tiny-en"
    revision: str | None = None
    tuned: Literal["all", "decoder"] = "all"
    language: str = "en"
    dropout: float = 0.0
    writes: Writes = "text"
    room: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError("objective.dropout must be from 0 to below 1")
        check_room(self.room)

    @property
    def asks_for_labels(self) -> bool:
        """Whether it learns to write them."""
        return self.writes == "labels"

    def build_on_waves(self, *, seed: int) -> "WhisperAsr":  # noqa: ARG002  # nothing in it is random
        """Load it.

        Raises:
            ModelMissing: if its checkpoint is not to be had.
            EngineError: if that is no Whisper.
        """
        with packages(self.method, extra="train"):
            from training.backbones.whisper import load_whole_whisper, set_dropout
        module, extractor, tokenizer = load_whole_whisper(self.checkpoint, self.revision)
        set_dropout(module, self.dropout)
        return WhisperAsr(module, extractor, tokenizer, self)


class WhisperAsr:
    """The objective; see `Objective`. Its targets are the tokens of a text and the one that ends it."""

    def __init__(self, module: Any, extractor: Any, tokenizer: Any, config: WhisperTuningConfig) -> None:
        self.module: Any = module
        self._extractor = extractor
        self._text = WhisperText(module, tokenizer, language=config.language, writes=config.writes, room=config.room)
        module.requires_grad_(requires_grad=True)
        if config.tuned == "decoder":
            module.model.encoder.requires_grad_(requires_grad=False)
        module.model.encoder.embed_positions.requires_grad_(requires_grad=False)  # sinusoids, never trained

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What is tuned; the output layer is the embedding, and named once."""
        return {name: p for name, p in self.module.named_parameters() if p.requires_grad}

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Log-mel windows (B, bands, mel frames), ``lengths`` (B,) of what is said, and tokens (B, U).

        Raises:
            TrainingError: for an utterance without samples, longer than a window, or of more tokens than it writes.
        """
        lengths = [-(-len(_samples(utterance)) * MELS_PER_FRAME // SAMPLES_PER_FRAME) for utterance in utterances]
        heard = {"windows": self._windows(utterances), "lengths": torch.tensor(lengths)}
        return Batch.of(utterances, heard | self._text.targets(utterances))

    def loss(self, batch: Batch) -> Loss:
        """Cross entropy, summed over the targets; ``correct`` of them were the likeliest token."""
        scores = self.module(
            input_features=batch.tensors["windows"].to(self.module.dtype), decoder_input_ids=batch.tensors["read"]
        ).logits  # (B, U, vocabulary)
        return answer_loss(scores, batch.tensors["labels"])

    @property
    def longest_s(self) -> float:
        """How many seconds of speech it hears at once."""
        return float(self._extractor.n_samples / RATE_HZ)

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What it hears, without the dropout of training; `DecodingConfig.tokens_per_frame` counts 50 frames a second.

        Raises:
            TrainingError: for an utterance without samples, or longer than a window.
        """
        if not utterances:
            return []
        windows = self._windows(utterances).to(device=self.module.device, dtype=self.module.dtype)
        frames = [len(_samples(utterance)) // SAMPLES_PER_FRAME for utterance in utterances]
        take_ids = [utterance.take_id for utterance in utterances]
        return self._text.write(take_ids, frames, settings, module=self.module, heard={"input_features": windows})

    def _windows(self, utterances: Sequence[Utterance]) -> Tensor:
        waves = [_samples(utterance) for utterance in utterances]
        for utterance, wave in zip(utterances, waves, strict=True):
            if len(wave) > self._extractor.n_samples:
                raise TrainingError(
                    f"take {utterance.take_id} has {len(wave) / RATE_HZ:.1f} s, and Whisper's window is "
                    f"{self._extractor.n_samples / RATE_HZ:.0f} s; leave it out with data.max_s"
                )
        found: Tensor = self._extractor(
            [wave.numpy() for wave in waves], sampling_rate=RATE_HZ, return_tensors="pt"
        ).input_features
        return found


def _samples(utterance: Utterance) -> Tensor:
    if utterance.samples is None or not len(utterance.samples):
        raise TrainingError(f"take {utterance.take_id} has no samples")
    return utterance.samples
