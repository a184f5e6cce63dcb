"""Speak with Bark, stage by stage: each stage has its own preset, and each line its own randomness.

The stages are those of `transformers`, in its order. The fine stage takes the likeliest code, so the one
source of chance behind a given semantic reading is the coarse stage.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import torch
from transformers import AutoTokenizer, BarkModel
from transformers.models.bark.generation_configuration_bark import (
    BarkCoarseGenerationConfig,
    BarkFineGenerationConfig,
    BarkSemanticGenerationConfig,
)

from catalogs.errors import EngineError, UsageError
from catalogs.ids import seed_of
from catalogs.models import checkpoint_folder
from catalogs.models.pretrained import device_of, load_pretrained, told_plainly
from catalogs.records import Line
from synthgen.voice import Reading
from synthgen.voices.bark import PLAIN, BarkConfig
from synthgen.voices.neural.loading import check_rate
from synthgen.voices.neural.noise import LineNoise
from synthgen.voices.neural.running import (
    empty_reading,
    read_in_batches,
    reading_of,
    repeatable,
)

Preset: TypeAlias = Mapping[str, torch.Tensor]
"""The codes of a recording: semantic_prompt (S,), coarse_prompt (2, T) and fine_prompt (8, T)."""

Stage = TypeVar("Stage", BarkSemanticGenerationConfig, BarkCoarseGenerationConfig)

_FILES = ("*.json", "*.safetensors", "*.bin", "*.txt", "speaker_embeddings/**")
_PARTS = {"semantic_prompt": 1, "coarse_prompt": 2, "fine_prompt": 2}


class BarkVoice:
    """A loaded Bark; serves every speaker of its table."""

    def __init__(self, config: BarkConfig) -> None:
        self._config = config
        self._device = device_of(config.device)
        folder = checkpoint_folder(config.checkpoint, config.revision, files=_FILES)
        with told_plainly(folder):
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model = load_pretrained(BarkModel, folder, dtype=config.dtype).to(self._device)
        generation = self._model.generation_config
        self._codebook_size = generation.codebook_size
        self._semantic = BarkSemanticGenerationConfig(  # type: ignore[no-untyped-call]  # transformers types them not
            **generation.semantic_config | {"min_eos_p": config.min_eos_p}
        )
        self._coarse = BarkCoarseGenerationConfig(**generation.coarse_acoustics_config)
        self._fine = BarkFineGenerationConfig(  # type: ignore[no-untyped-call]
            **generation.fine_acoustics_config
        )
        check_rate(folder, found_hz=generation.sample_rate, table_hz=config.sample_rate_hz)
        self._speaker_of = {card.id: card.speaker for card in config.cards()}
        names = dict.fromkeys((*config.speakers, *config.styles))
        self._presets = {name: self._preset(folder, name) for name in names}

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, in batches of one style, timbre and temperature."""
        with repeatable(self._config.threads):
            return read_in_batches(
                lines,
                self._read,
                batch=self._config.batch,
                empty=empty_reading(self._config.sample_rate_hz, has_tokens=True),
                alike=lambda line: (line.voice_id, line.style, line.timbre, line.temperature),
            )

    def _read(self, lines: list[Line]) -> list[Reading]:
        speaker = self._speaker_of[lines[0].voice_id]
        style = self._borrowed(lines[0].style, speaker)
        timbre = self._borrowed(lines[0].timbre, speaker)
        semantic = self._say(lines, style)  # (B, S)
        coarse, lengths = self._sound(lines, semantic, timbre)  # (B, 2T)
        readings = []
        for line, row, codes, length in zip(lines, semantic, coarse, lengths, strict=True):
            tokens = tuple(row[row < self._semantic.semantic_vocab_size].tolist())
            if not tokens or not length:
                raise EngineError(f"bark ended line {line.id} before its first sound; try another seed")
            wave = self._polish(codes[None, :length], timbre)
            readings.append(reading_of(wave, self._config.sample_rate_hz, tokens))
        return readings

    def _say(self, lines: list[Line], style: Preset | None) -> torch.Tensor:
        """The semantic codes of the lines, (B, S); a line that is over goes on with the padding code."""
        longest = self._semantic.max_input_semantic_length
        encoded = self._tokenizer([line.text for line in lines], add_special_tokens=False)
        for line, ids in zip(lines, encoded.input_ids, strict=True):
            if not 0 < len(ids) <= longest:
                raise EngineError(f"line {line.id} has {len(ids)} text tokens; bark reads 1 to {longest}")
        inputs = self._tokenizer.pad(encoded, padding="max_length", max_length=longest, return_tensors="pt")
        wanted = lines[0].temperature
        with LineNoise([seed_of(line.seed, "semantic") for line in lines]):
            codes: torch.Tensor = self._model.semantic.generate(
                inputs.input_ids.to(self._device),
                semantic_generation_config=self._sampling(
                    self._semantic, self._config.temperature if wanted is None else wanted
                ),
                history_prompt=style,
                attention_mask=inputs.attention_mask.to(self._device),
            )
        return codes

    def _sound(
        self, lines: list[Line], semantic: torch.Tensor, timbre: Preset | None
    ) -> tuple[torch.Tensor, list[int]]:
        """The coarse codes of the lines, (B, 2T) with the two books by turns, and how many are each line's."""
        with LineNoise([seed_of(line.seed, "coarse") for line in lines]):
            codes, lengths = self._model.coarse_acoustics.generate(
                semantic.clone(),
                semantic_generation_config=self._semantic,
                coarse_generation_config=self._sampling(self._coarse, self._config.acoustic_temperature),
                codebook_size=self._codebook_size,
                history_prompt=timbre,
                return_output_lengths=True,
            )
        return codes, lengths.tolist()

    def _polish(self, coarse: torch.Tensor, timbre: Preset | None) -> torch.Tensor:
        """The sound of one line's coarse codes, (1, 2T), with all eight books, at its own length."""
        codes = self._model.fine_acoustics.generate(
            coarse,
            semantic_generation_config=self._semantic,
            coarse_generation_config=self._coarse,
            fine_generation_config=self._fine,
            codebook_size=self._codebook_size,
            history_prompt=timbre,
            temperature=None,
        )
        wave: torch.Tensor = self._model.codec_decode(codes)
        return wave

    def _sampling(self, stage: Stage, temperature: float) -> Stage:
        """A stage's own generation settings, but sampled as the table says."""
        settings = deepcopy(stage)
        settings.do_sample = temperature > 0
        settings.temperature = temperature if settings.do_sample else None
        settings.top_k = self._config.top_k if settings.do_sample else None
        settings.top_p = self._config.top_p if settings.do_sample else None
        return settings

    def _borrowed(self, name: str | None, speaker: str) -> Preset | None:
        if name == PLAIN:
            return None
        if name is None or name == speaker:
            return self._presets[speaker]
        if name not in self._config.styles:
            raise UsageError(f"a line asks for {name!r}; to lend it to others, add it to the `styles` of bark")
        return self._presets[name]

    def _preset(self, folder: Path, name: str) -> Preset:
        path = self._config.preset_path(name)
        with told_plainly(path or folder):
            if path is not None:
                with np.load(path, allow_pickle=False) as parts:
                    arrays = {part: parts[part] for part in _PARTS}
            else:
                stem = folder / "speaker_embeddings" / name
                arrays = {p: np.load(f"{stem}_{p}.npy", allow_pickle=False) for p in _PARTS}
        for part, array in arrays.items():
            if array.ndim != _PARTS[part]:
                raise EngineError(f"{name}: {part} has {array.ndim} axes, not the {_PARTS[part]} of a preset")
        return {part: torch.from_numpy(a.astype(np.int64)).to(self._device) for part, a in arrays.items()}
