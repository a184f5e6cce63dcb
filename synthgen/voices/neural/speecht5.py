"""Speak with SpeechT5: characters to a mel spectrogram frame by frame, the spectrogram to sound."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan, SpeechT5Tokenizer

from catalogs.errors import EngineError
from catalogs.models import checkpoint_folder
from catalogs.models.pretrained import device_of, load_pretrained, told_plainly
from catalogs.records import Line
from synthgen.voice import Reading
from synthgen.voices.neural.loading import check_rate
from synthgen.voices.neural.running import (
    empty_reading,
    read_in_batches,
    reading_of,
    repeatable,
)
from synthgen.voices.speakers import refuse_style
from synthgen.voices.speecht5 import SpeechT5Config

_FILES = ("*.json", "*.safetensors", "*.bin", "*.model")
_FRAMES_PER_CHARACTER = 20  # where transformers, too, ends a line that finds no end by itself


class SpeechT5Voice:
    """A loaded SpeechT5; serves every speaker of its table."""

    def __init__(self, config: SpeechT5Config) -> None:
        self._config = config
        self._device = device_of(config.device)
        folder = checkpoint_folder(config.checkpoint, config.revision, files=_FILES)
        vocoder = checkpoint_folder(config.vocoder, config.vocoder_revision, files=_FILES)
        with told_plainly(folder):
            self._tokenizer = SpeechT5Tokenizer.from_pretrained(folder, local_files_only=True)
        self._model = load_pretrained(SpeechT5ForTextToSpeech, folder, dtype=config.dtype).to(self._device)
        self._vocoder = load_pretrained(SpeechT5HifiGan, vocoder, dtype=config.dtype).to(self._device)
        check_rate(vocoder, found_hz=self._vocoder.config.sampling_rate, table_hz=config.sample_rate_hz)
        self._prenet = SeededPrenet(self._model.speecht5.decoder.prenet)
        self._model.speecht5.decoder.prenet = self._prenet
        self._xvectors = {card.id: self._xvector(card.speaker) for card in config.cards()}

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, in batches."""
        with repeatable(self._config.threads):
            return read_in_batches(
                lines,
                self._read,
                batch=self._config.batch,
                empty=empty_reading(self._config.sample_rate_hz),
            )

    def _read(self, lines: list[Line]) -> list[Reading]:
        limits = self._model.config
        inputs = self._tokenizer([line.text for line in lines], padding=True, return_tensors="pt")
        for line, mask in zip(lines, inputs.attention_mask, strict=True):
            refuse_style(line, engine="speecht5")
            if mask.sum() > limits.max_text_positions:
                raise EngineError(
                    f"line {line.id} has {mask.sum()} characters; SpeechT5 reads at most {limits.max_text_positions}"
                )
        self._prenet.begin([line.seed or 0 for line in lines], [self._temperature(line) for line in lines])
        longest = limits.max_speech_positions * limits.reduction_factor / inputs.input_ids.shape[1]
        mels, lengths = self._model.generate_speech(
            inputs.input_ids.to(self._device),  # (B, S)
            speaker_embeddings=torch.stack([self._xvectors[line.voice_id] for line in lines]),  # (B, 512)
            attention_mask=inputs.attention_mask.to(self._device),
            maxlenratio=min(_FRAMES_PER_CHARACTER, longest),
            return_output_lengths=True,
        )
        waves = [self._vocoder(mel[:length]) for mel, length in zip(mels, lengths, strict=True)]
        return [reading_of(wave, self._config.sample_rate_hz) for wave in waves]

    def _temperature(self, line: Line) -> float:
        return self._config.temperature if line.temperature is None else line.temperature

    def _xvector(self, speaker: str) -> torch.Tensor:
        """The vector of a speaker, on the device; (512,)."""
        path = self._config.xvector_of(speaker)
        wanted = self._model.config.speaker_embedding_dim
        vector = _vector(path)
        if vector.shape != (wanted,):
            raise EngineError(f"{path} has the shape {vector.shape}; an x-vector here has {wanted} numbers")
        return torch.from_numpy(vector).to(self._device, self._model.dtype)


class SeededPrenet(nn.Module):
    """SpeechT5's speech pre-net, with dropout that belongs to each line.

    The pre-net keeps its dropout on at inference, and gives one mask to a whole batch. Here each line of
    a batch has its own masks, drawn from its seed. The decoder has the past in its cache and asks for the
    newest frame alone, so no other is computed.
    """

    prenet: Any

    def __init__(self, prenet: nn.Module) -> None:
        super().__init__()
        self.prenet = prenet
        self._draws: list[np.random.Generator] = []
        self._keep = np.ones((0, 1))

    def begin(self, seeds: Sequence[int], temperatures: Sequence[float]) -> None:
        """Start a batch: row i draws its masks from ``seeds[i]``."""
        dropout = self.prenet.config.speech_decoder_prenet_dropout
        self._draws = [np.random.default_rng(seed) for seed in seeds]
        self._keep = 1.0 - np.clip(dropout * np.asarray(temperatures), 0.0, 0.95)[:, None]

    def forward(self, mels: torch.Tensor, speakers: torch.Tensor) -> torch.Tensor:
        """The newest of (B, T, mel) frames, for decoders of (B, 512) speakers; (B, 1, D)."""
        hidden = mels[:, -1]
        for layer in self.prenet.layers:
            hidden = torch.relu(layer(hidden))
            hidden = hidden * self._mask(hidden)  # (B, units)
        positions = self.prenet.encode_positions
        place = positions.alpha * positions.pe[0, mels.shape[1] - 1]
        hidden = self.prenet.final_layer(hidden) + place  # (B, D)
        both = torch.cat([hidden, nn.functional.normalize(speakers)], dim=-1)
        newest: torch.Tensor = torch.relu(self.prenet.speaker_embeds_layer(both))
        return newest[:, None]

    def _mask(self, hidden: torch.Tensor) -> torch.Tensor:
        draws = np.stack([draw.random(hidden.shape[1]) for draw in self._draws])
        return torch.from_numpy((draws < self._keep) / self._keep).to(hidden)


def _vector(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with told_plainly(path):
        loaded = np.load(path, allow_pickle=False)
        return np.asarray(loaded, np.float32).squeeze()
