"""Speak with XTTS: a GPT makes speech codes from a text and a prosody to follow, a decoder gives them a voice.

    recordings ─▶ prosody (1, P, D) ─┐
    text ─▶ tokens (S,) ─────────────┴─▶ GPT ─▶ codes (N,) ─▶ latents (1, N, D) ─▶ sound
    recordings ─▶ timbre (1, 512, 1) ───────────────────────────────────────────────┘

The codes of a batch are made together; the latents and the sound of each line by itself, at its length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from transformers import LogitsProcessorList

from catalogs.errors import EngineError, UsageError
from catalogs.models import checkpoint_folder
from catalogs.models.pretrained import device_of
from catalogs.records import Line
from catalogs.signal import resample
from synthgen.voice import Reading
from synthgen.voices.coqui import CoquiConfig
from synthgen.voices.neural.loading import check_rate, load_tensors
from synthgen.voices.neural.noise import LineNoise
from synthgen.voices.neural.running import (
    empty_reading,
    read_in_batches,
    reading_of,
    repeatable,
)
from synthgen.voices.neural.xtts_checkpoint import load_xtts
from synthgen.voices.speakers import check_speaker

_FILES = ("config.json", "model.pth", "model.safetensors", "vocab.json", "speakers_xtts.pth")
_RATE_HZ = 22_050  # of the recordings that XTTS listens to
_DEFAULT_TEMPERATURE = 0.75


@dataclass(frozen=True, slots=True)
class Persona:
    """What XTTS has heard of a speaker: the prosody that the GPT follows, and the timbre of the decoder."""

    prosody: torch.Tensor  # (1, P, D)
    timbre: torch.Tensor  # (1, 512, 1)


class XttsVoice:
    """A loaded XTTS; serves every speaker of its table."""

    def __init__(self, config: CoquiConfig) -> None:
        folder = checkpoint_folder(config.checkpoint, config.revision, files=_FILES)
        self._config = config
        self._device = device_of(config.device)
        self._model = load_xtts(folder).to(self._device)
        check_rate(folder, found_hz=self._model.args.output_sample_rate, table_hz=config.sample_rate_hz)
        if config.language not in self._model.config.languages:
            raise UsageError(f"XTTS does not speak {config.language!r}: {', '.join(self._model.config.languages)}")
        self._speaker_of = {card.id: card.speaker for card in config.cards()}
        self._dtype = getattr(torch, config.dtype)
        self._personas = self._meet(folder)
        self._gpt = self._model.gpt.to(self._dtype)
        self._gpt.gpt.wpe = partial(_no_positions, width=self._gpt.model_dim, dtype=self._dtype)

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines, in batches."""
        with repeatable(self._config.threads):
            return read_in_batches(
                lines,
                self._read,
                batch=self._config.batch,
                empty=empty_reading(self._config.sample_rate_hz, has_tokens=True),
            )

    def _read(self, lines: list[Line]) -> list[Reading]:
        texts = [self._tokens(line) for line in lines]
        prosodies = [self._persona(line, line.style).prosody for line in lines]
        codes = self._say(lines, texts, prosodies)
        readings = []
        for line, text, prosody, row in zip(lines, texts, prosodies, codes, strict=True):
            wave = self._sound(text, prosody, row, timbre=self._persona(line, line.timbre).timbre)
            tokens = tuple(row[row != self._gpt.stop_audio_token].tolist())
            readings.append(reading_of(wave, self._config.sample_rate_hz, tokens))
        return readings

    def _say(self, lines: list[Line], texts: list[torch.Tensor], prosodies: list[torch.Tensor]) -> list[torch.Tensor]:
        """The speech codes of each line, (N,), its stop code included."""
        gpt = self._gpt
        prefixes = [
            torch.cat([prosody[0], self._embedded(text)]) for prosody, text in zip(prosodies, texts, strict=True)
        ]
        # Padded on the left, so that the codes of all lines begin, and are counted, at the same place.
        padded = nn.utils.rnn.pad_sequence(prefixes, batch_first=True, padding_side="left")  # (B, P+S, D)
        mask = nn.utils.rnn.pad_sequence(
            [torch.ones(len(prefix) + 1, dtype=torch.long, device=self._device) for prefix in prefixes],
            batch_first=True,
            padding_side="left",
        )
        # The GPT takes its prefix as vectors and wants ids in their place; 1 is what its authors put there,
        # and what their repetition penalty counts as heard.
        ids = torch.ones_like(mask)
        ids[:, -1] = gpt.start_audio_token
        gpt.gpt_inference.store_prefix_emb(padded)
        with LineNoise([line.seed or 0 for line in lines]):
            codes = gpt.gpt_inference.generate(
                ids,
                attention_mask=mask,
                bos_token_id=gpt.start_audio_token,
                eos_token_id=gpt.stop_audio_token,
                pad_token_id=gpt.stop_audio_token,
                max_length=gpt.max_gen_mel_tokens + ids.shape[1],
                do_sample=True,
                top_k=self._config.top_k,
                top_p=self._config.top_p,
                repetition_penalty=self._config.repetition_penalty,
                logits_processor=LogitsProcessorList([LineTemperatures(self._temperatures(lines))]),
            )
        return [_until_stop(row, gpt.stop_audio_token) for row in codes[:, ids.shape[1] :]]

    def _embedded(self, text: torch.Tensor) -> torch.Tensor:
        """A text as the GPT hears it, between its start and stop tokens; (S+2, D)."""
        framed = nn.functional.pad(text, (1, 0), value=self._gpt.start_text_token)
        framed = nn.functional.pad(framed, (0, 1), value=self._gpt.stop_text_token)[None]
        heard: torch.Tensor = self._gpt.text_embedding(framed) + self._gpt.text_pos_embedding(framed)
        return heard[0]

    def _sound(
        self, text: torch.Tensor, prosody: torch.Tensor, codes: torch.Tensor, *, timbre: torch.Tensor
    ) -> torch.Tensor:
        """The wave of one line's codes: the GPT reads them once more for its latents, which are decoded."""
        latents = self._gpt(
            text[None],
            torch.tensor([len(text)], device=self._device),
            codes[None],
            torch.tensor([len(codes) * self._gpt.code_stride_len], device=self._device),
            cond_latents=prosody,
            return_latent=True,
        )
        wave: torch.Tensor = self._model.hifigan_decoder(latents.float(), g=timbre)
        return wave

    def _tokens(self, line: Line) -> torch.Tensor:
        """The text tokens of a line, (S,)."""
        language = self._config.language
        ids = self._model.tokenizer.encode(line.text.strip().lower(), lang=language)
        limit = self._model.args.gpt_max_text_tokens
        if not 0 < len(ids) < limit:
            raise EngineError(f"line {line.id} has {len(ids)} text tokens; XTTS reads 1 to {limit - 1}")
        return torch.tensor(ids, device=self._device)

    def _temperatures(self, lines: list[Line]) -> torch.Tensor:
        """The temperature of each line, (B, 1)."""
        usual = _DEFAULT_TEMPERATURE if self._config.temperature is None else self._config.temperature
        wanted = [usual if line.temperature is None else line.temperature for line in lines]
        return torch.tensor(wanted, device=self._device)[:, None]

    def _persona(self, line: Line, name: str | None) -> Persona:
        speaker = self._speaker_of[line.voice_id]
        if name is not None and name != speaker and name not in self._config.styles:
            raise UsageError(f"a line asks for {name!r}; to lend it to others, add it to the `styles` of coqui")
        return self._personas[name or speaker]

    def _meet(self, folder: Path) -> dict[str, Persona]:
        """Work out, once, what there is to know of the speakers and styles of the table."""
        recordings = self._config.recordings()
        brought = folder / "speakers_xtts.pth"
        known = load_tensors(brought) if brought.exists() else {}
        personas = {}
        for name in dict.fromkeys((*self._config.speakers, *self._config.styles)):
            check_speaker(name, {*recordings, *known}, engine=self._config.engine)
            if name in recordings:
                personas[name] = self._hear(recordings[name])
            else:
                prosody, timbre = known[name]["gpt_cond_latent"], known[name]["speaker_embedding"]
                personas[name] = Persona(prosody.to(self._device, self._dtype), timbre.to(self._device))
        return personas

    def _hear(self, paths: Sequence[Path]) -> Persona:
        """Listen to recordings, for as long as the checkpoint's configuration says."""
        settings = self._model.config
        waves = [_recording(path)[:, : _RATE_HZ * settings.max_ref_len].to(self._device) for path in paths]
        if settings.sound_norm_refs:
            waves = [wave / wave.abs().max().clamp_(min=1e-6) * 0.75 for wave in waves]
        with repeatable(self._config.threads):
            timbres = [self._model.get_speaker_embedding(wave, _RATE_HZ) for wave in waves]
            prosody = self._model.get_gpt_cond_latents(
                torch.cat(waves, dim=1),
                _RATE_HZ,
                length=settings.gpt_cond_len,
                chunk_length=settings.gpt_cond_chunk_len,
            )
        return Persona(prosody.to(self._dtype), torch.stack(timbres).mean(0))


class LineTemperatures:
    """Gives each line of a batch its own sampling temperature; 0 leaves the likeliest code alone."""

    def __init__(self, temperatures: torch.Tensor) -> None:
        self._temperatures = temperatures.clamp(min=1e-4)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002  transformers'
        """Scale (B, codes) scores by line."""
        return scores / self._temperatures


def _no_positions(ids: torch.Tensor, *, width: int, dtype: torch.dtype) -> torch.Tensor:
    """What the GPT adds for positions, which XTTS counts itself: nothing, and of the GPT's own type."""
    return torch.zeros((*ids.shape, width), dtype=dtype, device=ids.device)


def _until_stop(codes: torch.Tensor, stop: int) -> torch.Tensor:
    """The codes of a line up to its first stop code, which belongs to it."""
    stops = (codes == stop).nonzero()
    return codes[: int(stops[0]) + 1] if len(stops) else codes


def _recording(path: Path) -> torch.Tensor:
    """A recording as XTTS listens to it, (1, n) in [-1, 1].

    Raises:
        EngineError: if it cannot be read, or is too short to learn anything from.
    """
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise EngineError(f"the recording {path} cannot be read: {error}") from error
    mono = resample(samples.mean(axis=1), from_hz=rate_hz, to_hz=_RATE_HZ)
    if len(mono) < _RATE_HZ // 3:
        raise EngineError(f"the recording {path} lasts {len(mono) / _RATE_HZ:.2f} s; XTTS needs a third of a second")
    return torch.from_numpy(np.clip(mono, -1.0, 1.0))[None]
