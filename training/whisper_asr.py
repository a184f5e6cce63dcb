"""Whisper, tuned further on releases (Radford et al. 2022): all of it, or its decoder alone.

It hears waves, not cached frames: its decoder looks at every frame of a 30-second window, padding included, and knows
no mask. So a window is always whole, and an utterance must fit into one.

B utterances · U tokens of the longest of them
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import GenerationConfig, GenerationMixin

from catalogs.errors import TrainingError
from catalogs.models.pretrained import packages
from training.answering import Answer, DecodingConfig, at_rest
from training.objective import Batch, Loss, Utterance
from training.padding import IGNORED
from training.speech_llm import answer_loss

RATE_HZ, SAMPLES_PER_FRAME = 16_000, 320


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperTuningConfig:
    """Whisper to be tuned: the starter ``whisper-tiny-en``, or a checkpoint in `transformers` form.

    ``checkpoint`` is the name of a pinned model, a folder, or a hub id with a commit as its ``revision``. ``tuned`` is
    "all", or "decoder": then the encoder stays as it is. ``language`` is that of a multilingual model's texts.
    """

    method: Literal["whisper"] = "whisper"
    checkpoint: str = "whisper-tiny-en"
    revision: str | None = None
    tuned: Literal["all", "decoder"] = "all"
    language: str = "en"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError("objective.dropout must be from 0 to below 1")

    def build_on_waves(self, *, seed: int) -> "WhisperAsr":  # noqa: ARG002  # nothing in it is random
        """Load it.

        Raises:
            ModelMissing: if its checkpoint is not to be had.
            EngineError: if that is no Whisper.
        """
        with packages(self.method, extra="train"):
            from training.backbones.whisper import load_whole_whisper
        return WhisperAsr(*load_whole_whisper(self.checkpoint, self.revision), self)


class WhisperAsr:
    """The objective; see `Objective`. Its targets are the tokens of a text and the one that ends it."""

    def __init__(self, module: Any, extractor: Any, tokenizer: Any, config: WhisperTuningConfig) -> None:
        self.module: Any = module
        self._extractor, self._tokenizer, self._tuned = extractor, tokenizer, config.tuned
        self._begin = _beginning(tokenizer, module, language=config.language)
        self._most = module.config.max_target_positions - len(self._begin)
        module.config.dropout = config.dropout
        module.requires_grad_(requires_grad=True)
        if config.tuned == "decoder":
            module.model.encoder.requires_grad_(requires_grad=False)
        module.model.encoder.embed_positions.requires_grad_(requires_grad=False)  # sinusoids, never trained

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What is tuned; the output layer is the embedding, and named once."""
        return {name: p for name, p in self.module.named_parameters() if p.requires_grad}

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Log-mel windows (B, bands, frames), and tokens (B, U) to be read and to be written.

        Raises:
            TrainingError: for an utterance without samples, longer than a window, or of more tokens than it writes.
        """
        rows = [self._tokens(utterance) for utterance in utterances]
        read = [torch.tensor([*self._begin, *row[:-1]]) for row in rows]
        written = [torch.tensor([IGNORED] * (len(self._begin) - 1) + row) for row in rows]
        tensors = {
            "windows": self._windows(utterances),
            "read": pad_sequence(read, batch_first=True, padding_value=self._tokenizer.eos_token_id),
            "labels": pad_sequence(written, batch_first=True, padding_value=IGNORED),
        }
        return Batch(tensors, sum(map(len, rows)), [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """Cross entropy, summed over the targets; ``correct`` of them were the likeliest token."""
        scores = self.module(
            input_features=batch.tensors["windows"].to(self.module.dtype), decoder_input_ids=batch.tensors["read"]
        ).logits  # (B, U, vocabulary)
        return answer_loss(scores, batch.tensors["labels"])

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What it hears, without the dropout of training; `DecodingConfig.tokens_per_frame` counts 50 frames a second.

        Raises:
            TrainingError: for an utterance without samples, or longer than a window.
        """
        if not utterances:
            return []
        windows = self._windows(utterances).to(device=self.module.device, dtype=self.module.dtype)
        limits = [min(self._most, settings.limit(len(_samples(u)) // SAMPLES_PER_FRAME)) for u in utterances]
        own = self.module.generation_config
        search = GenerationConfig(  # type: ignore[no-untyped-call]
            num_beams=settings.beams,
            length_penalty=settings.length_penalty,
            max_new_tokens=max(limits),
            do_sample=False,
            suppress_tokens=own.suppress_tokens,
            begin_suppress_tokens=own.begin_suppress_tokens,
            eos_token_id=self._tokenizer.eos_token_id,
            pad_token_id=self._tokenizer.eos_token_id,
            decoder_start_token_id=self._begin[0],
        )
        self.module.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        try:
            with torch.inference_mode(), at_rest(self.module):
                # Whisper's own `generate` is for long recordings: it cuts, retries, and takes the last EOS away.
                found: Any = GenerationMixin.generate(
                    self.module, windows, generation_config=search, decoder_input_ids=self._prompts(len(utterances))
                )
        finally:
            self.module.generation_config = own
        return [
            self._answer(utterance, row, limit)
            for utterance, row, limit in zip(utterances, found.tolist(), limits, strict=True)
        ]

    def _answer(self, utterance: Utterance, tokens: list[int], limit: int) -> Answer:
        """The text of tokens up to the one that ends it, or to the limit."""
        end = self._tokenizer.eos_token_id
        said = tokens[len(self._begin) :][:limit]
        ended = end in said
        said = said[: said.index(end)] if ended else said
        text = self._tokenizer.decode(said, skip_special_tokens=True).strip()
        return Answer(utterance.take_id, text, len(said) + ended, not ended)

    def _prompts(self, number: int) -> Tensor:
        return torch.tensor([self._begin] * number, device=self.module.device)

    def _tokens(self, utterance: Utterance) -> list[int]:
        """A text in tokens, as Whisper writes it: behind a space, and ended."""
        tokens = self._tokenizer(f" {utterance.text.strip()}", add_special_tokens=False).input_ids
        most = self.module.config.max_target_positions - len(self._begin)
        if len(tokens) + 1 > most:
            raise TrainingError(
                f"take {utterance.take_id}: {len(tokens)} tokens, and Whisper writes {most - 1} at most"
            )
        return [*tokens, self._tokenizer.eos_token_id]

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


def _beginning(tokenizer: Any, module: Any, *, language: str) -> list[int]:
    """What stands before every text: the start, language and task where a model has them, no timestamps."""
    names = ["<|startoftranscript|>", "<|notimestamps|>"]
    if module.generation_config.is_multilingual:
        names[1:1] = [f"<|{language}|>", "<|transcribe|>"]
    tokens = tokenizer.convert_tokens_to_ids(names)
    if None in tokens or (tokenizer.unk_token_id in tokens and tokenizer.unk_token_id != tokenizer.eos_token_id):
        raise TrainingError(f"this Whisper has no token for one of {' '.join(names)}")
    return list(tokens)
