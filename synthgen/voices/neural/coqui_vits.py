"""Speak with a VITS that Coqui trained: phonemes or letters to latents in batches, latents to sound."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from TTS.config import load_config
from TTS.tts.models.vits import Vits

from catalogs.errors import EngineError, UsageError
from catalogs.models import checkpoint_folder
from catalogs.models.pretrained import device_of, told_plainly
from catalogs.pronunciations import spoken_tokens
from catalogs.records import Line, WordTime
from synthgen.voice import Reading
from synthgen.voices.coqui import CoquiConfig
from synthgen.voices.neural.loading import check_rate, load_tensors, weights_file
from synthgen.voices.neural.noise import LineNoise
from synthgen.voices.neural.running import (
    RowwiseDecoder,
    empty_reading,
    read_in_batches,
    reading_of,
    repeatable,
)
from synthgen.voices.neural.word_timing import BLANK, SILENCE, vits_word_times
from synthgen.voices.speakers import check_speaker, refuse_style

_FILES = ("*.json", "*.pth", "*.safetensors")
_SIDE_FILES = ("speakers_file", "speaker_file", "d_vector_file", "language_ids_file")


class CoquiVitsVoice:
    """A loaded Coqui VITS; serves every speaker of its table."""

    def __init__(self, config: CoquiConfig) -> None:
        if config.dtype != "float32":
            raise UsageError('coqui: the splines of a VITS need dtype = "float32"')
        folder = checkpoint_folder(config.checkpoint, config.revision, files=_FILES)
        self._config = config
        self._device = device_of(config.device)
        self._model = _load(folder).to(self._device)
        check_rate(folder, found_hz=self._model.config.audio.sample_rate, table_hz=config.sample_rate_hz)
        self._model.waveform_decoder = RowwiseDecoder(self._model.waveform_decoder)
        self._hop = int(np.prod(self._model.args.upsample_rates_decoder))
        self._conditions = {card.id: self._condition(card.speaker) for card in config.cards()}

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
        ids = [self._ids(line) for line in lines]
        inputs = nn.utils.rnn.pad_sequence(ids, batch_first=True).to(self._device)  # (B, S)
        conditions = [self._conditions[line.voice_id] for line in lines]
        aux = {name: torch.stack([row[name] for row in conditions]) for name in conditions[0]}
        aux["x_lengths"] = torch.tensor([len(row) for row in ids], device=self._device)
        with LineNoise([line.seed or 0 for line in lines], scales=[self._scale(line) for line in lines]):
            spoken = self._model.inference(inputs, aux)
        lengths = (spoken["y_mask"].sum([1, 2]).int() * self._hop).tolist()
        waves = [wave[0, :length] for wave, length in zip(spoken["model_outputs"], lengths, strict=True)]
        readings = [reading_of(wave, self._config.sample_rate_hz) for wave in waves]
        return [
            replace(reading, word_times=self._word_times(line, row, reading.duration_s))
            for line, row, reading in zip(lines, spoken["durations"][:, 0], readings, strict=True)
        ]

    def _word_times(self, line: Line, frames: torch.Tensor, length_s: float) -> tuple[WordTime, ...] | None:
        symbols = self._symbols(line.text)
        alone = ["".join(self._symbols(word)) for word in spoken_tokens(line.text)]
        return vits_word_times(symbols, frames[: len(symbols)], alone=alone, length_s=length_s)

    def _symbols(self, text: str) -> list[str]:
        """The phonemes or letters that the model is given, with its blanks; what frames them is silence."""
        characters = self._model.tokenizer.characters
        special = {characters.bos_id: SILENCE, characters.eos_id: SILENCE, characters.blank_id: BLANK}
        ids = self._model.tokenizer.text_to_ids(text, language=self._config.language)
        return [special[number] if number in special else characters.id_to_char(number) for number in ids]

    def _ids(self, line: Line) -> torch.Tensor:
        """The phonemes or letters of a line, (S,)."""
        refuse_style(line, engine="a coqui VITS")
        tokenizer = self._model.tokenizer
        ids = tokenizer.text_to_ids(line.text, language=self._config.language)
        frame = int(tokenizer.add_blank) + 2 * int(tokenizer.use_eos_bos)
        if len(ids) <= frame:
            raise EngineError(f"no character of line {line.id} is known to {self._config.checkpoint}")
        return torch.tensor(ids)

    def _scale(self, line: Line) -> float:
        """How much louder than the checkpoint's own the noise of a line is."""
        wanted = line.temperature if line.temperature is not None else self._config.temperature
        return 1.0 if wanted is None else wanted / self._model.inference_noise_scale

    def _condition(self, speaker: str) -> dict[str, torch.Tensor]:
        """What the model wants to know of a speaker: a number or a vector, and the number of the language."""
        condition: dict[str, torch.Tensor] = {}
        speakers = self._model.speaker_manager
        if speakers is not None and speakers.name_to_id:
            check_speaker(speaker, speakers.name_to_id, engine=self._config.checkpoint)
            if self._model.args.use_d_vector_file:
                vector = np.asarray(speakers.get_mean_embedding(speaker), np.float32)
                condition["d_vectors"] = torch.from_numpy(vector)
            else:
                condition["speaker_ids"] = torch.tensor(speakers.name_to_id[speaker])
        elif len(self._config.speakers) > 1:
            raise UsageError(f"{self._config.checkpoint} has one speaker, not {len(self._config.speakers)}")
        if self._model.args.use_language_embedding:
            languages = self._model.language_manager.name_to_id
            if self._config.language not in languages:
                raise UsageError(f"{self._config.checkpoint} speaks {', '.join(languages)} only")
            condition["language_ids"] = torch.tensor(languages[self._config.language])
        return {name: value.to(self._device) for name, value in condition.items()}


def _load(folder: Path) -> Vits:
    with told_plainly(folder):
        config = load_config(folder / "config.json")
    if config.model != "vits":
        raise EngineError(f"{folder} holds a {config.model} model, not a VITS; write model = {config.model!r}")
    for part in (config, config.model_args):
        _point_at_folder(part, folder)
    # Training alone needs these: the discriminator is a third of the memory, the encoder a file elsewhere.
    config.model_args.init_discriminator = False
    config.model_args.use_speaker_encoder_as_loss = False
    config.model_args.speaker_encoder_model_path = ""
    loaded = load_tensors(weights_file(folder))
    weights = {
        name: value
        for name, value in loaded.get("model", loaded).items()
        if not name.startswith(("disc.", "speaker_encoder.", "audio_transform."))
    }
    with told_plainly(folder):
        model = Vits(config)
        model.load_state_dict(weights)
    return model.eval()


def _point_at_folder(part: Any, folder: Path) -> None:
    """Look for side files in the checkpoint's folder, not where they lay on the machine that trained it."""
    for key in _SIDE_FILES:
        value = part.get(key)
        if isinstance(value, str) and value and (folder / Path(value).name).exists():
            setattr(part, key, str(folder / Path(value).name))
