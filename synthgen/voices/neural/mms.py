"""Speak with a `transformers` VITS: text to characters, characters to latents in batches, latents to sound."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from transformers import VitsModel, VitsTokenizer
from transformers.utils.import_utils import is_phonemizer_available, is_uroman_available

from catalogs.errors import EngineError, UsageError
from catalogs.models import checkpoint_folder
from catalogs.models.pretrained import device_of, load_pretrained, told_plainly
from catalogs.pronunciations import spoken_tokens
from catalogs.records import Line, WordTime
from synthgen.voice import Reading
from synthgen.voices.mms import MmsConfig
from synthgen.voices.neural.loading import check_rate
from synthgen.voices.neural.noise import LineNoise
from synthgen.voices.neural.running import (
    RowwiseDecoder,
    empty_reading,
    read_in_batches,
    reading_of,
    repeatable,
)
from synthgen.voices.neural.word_timing import BLANK, vits_word_times
from synthgen.voices.speakers import refuse_style

_FILES = ("*.json", "*.safetensors", "*.bin", "*.txt")


class MmsVoice:
    """A loaded VITS; serves every speaker of its table."""

    def __init__(self, config: MmsConfig) -> None:
        folder = checkpoint_folder(config.checkpoint, config.revision, files=_FILES)
        self._config = config
        self._device = device_of(config.device)
        with told_plainly(folder):
            self._tokenizer = VitsTokenizer.from_pretrained(folder, local_files_only=True)
        _check_scripts(self._tokenizer, folder.name)
        self._model = load_pretrained(VitsModel, folder, dtype=config.dtype).to(self._device)
        check_rate(folder, found_hz=self._model.config.sampling_rate, table_hz=config.sample_rate_hz)
        self._model.decoder = RowwiseDecoder(self._model.decoder)
        self._speaker_of = {card.id: self._index(card.speaker) for card in config.cards()}

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, in batches of one speaker."""
        with repeatable(self._config.threads):
            return read_in_batches(
                lines,
                self._read,
                batch=self._config.batch,
                empty=empty_reading(self._config.sample_rate_hz),
                alike=lambda line: line.voice_id,
            )

    def _read(self, lines: list[Line]) -> list[Reading]:
        for line in lines:
            self._check(line)
        inputs = self._tokenizer([line.text for line in lines], padding=True, return_tensors="pt")
        noise = LineNoise([line.seed or 0 for line in lines], scales=[self._scale(line) for line in lines])
        with noise, self._overheard() as log_durations:
            spoken = self._model(
                input_ids=inputs.input_ids.to(self._device),  # (B, S)
                attention_mask=inputs.attention_mask.to(self._device),
                speaker_id=self._speaker_of[lines[0].voice_id],
                speaking_rate=self._config.speaking_rate,
            )
        lengths = spoken.sequence_lengths.int().tolist()
        waves = [wave[:length] for wave, length in zip(spoken.waveform, lengths, strict=True)]
        readings = [reading_of(wave, self._config.sample_rate_hz) for wave in waves]
        length_scale = 1.0 / (self._config.speaking_rate or self._model.speaking_rate)
        frames = torch.ceil(torch.exp(log_durations[0][:, 0]) * length_scale)  # (B, S)
        return [
            replace(reading, word_times=self._word_times(line, row, reading.duration_s))
            for line, row, reading in zip(lines, frames, readings, strict=True)
        ]

    @contextmanager
    def _overheard(self) -> Iterator[list[torch.Tensor]]:
        """What the model finds for the logarithms of its durations, (B, 1, S), and does not tell."""
        found: list[torch.Tensor] = []
        hook = self._model.duration_predictor.register_forward_hook(lambda *call: found.append(call[-1]))
        try:
            yield found
        finally:
            hook.remove()

    def _word_times(self, line: Line, frames: torch.Tensor, length_s: float) -> tuple[WordTime, ...] | None:
        symbols = self._symbols(line.text)
        alone = ["".join(self._symbols(word)) for word in spoken_tokens(line.text)]
        return vits_word_times(symbols, frames[: len(symbols)], alone=alone, length_s=length_s)

    def _symbols(self, text: str) -> list[str]:
        """The characters that the model is given, with its blanks."""
        tokens: list[str] = self._tokenizer.tokenize(text)
        if self._tokenizer.add_blank:
            tokens[::2] = [BLANK] * len(tokens[::2])
        return tokens

    def _scale(self, line: Line) -> float:
        """How much louder than the checkpoint's own the noise of a line is."""
        wanted = line.temperature if line.temperature is not None else self._config.temperature
        return 1.0 if wanted is None else wanted / self._model.noise_scale

    def _check(self, line: Line) -> None:
        refuse_style(line, engine="mms")
        num_ids = len(self._tokenizer(line.text).input_ids)
        if num_ids <= (1 if self._tokenizer.add_blank else 0):  # a blank stands beside every character
            raise EngineError(f"no character of line {line.id} is known to {self._config.checkpoint}")

    def _index(self, speaker: str) -> int | None:
        """The number of a speaker in the model's table, or None for a model of one voice."""
        known = self._model.config.num_speakers
        if known <= 1:
            if len(self._config.speakers) > 1:
                raise UsageError(f"{self._config.checkpoint} has one speaker, not {len(self._config.speakers)}")
            return None
        if not speaker.isdecimal() or int(speaker) >= known:
            raise UsageError(
                f'{self._config.checkpoint} has no speaker {speaker!r}; its speakers are "0" to "{known - 1}"'
            )
        return int(speaker)


def _check_scripts(tokenizer: VitsTokenizer, name: str) -> None:
    """Refuse a checkpoint whose text needs a converter that is missing: without it whole words would be lost."""
    if tokenizer.is_uroman and not is_uroman_available():
        raise EngineError(f"{name} reads romanised text: get the converter with `pip install uroman`")
    if tokenizer.phonemize and not is_phonemizer_available():
        raise EngineError(f"{name} reads phonemes: get the converter with `pip install phonemizer`")
