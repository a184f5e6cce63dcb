"""Transplant: any other voice, read again with pitch, loudness and timing taken from a bank of readings.

For engines that have no style of their own. A line's style is the name of a reading of the bank; without one it is the
base voice's reading as it is. `catalogs.world` does the work.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from catalogs.config import parse_named
from catalogs.errors import EngineError, ModelMissing, UsageError
from catalogs.ids import canonical
from catalogs.models import sha256_of_folder
from catalogs.records import Line, VoiceCard
from catalogs.text import normalise
from catalogs.world import transplant
from synthgen.voice import Reading, Voice, VoiceConfig
from synthgen.voices.speakers import check_in_range, check_speaker
from synthgen.voices.torch_table import combined_sha256, files_by_name

_AUDIO = (".wav", ".flac")
_CODE_VERSION = "world-2"


@dataclass(frozen=True, kw_only=True)
class TransplantConfig:
    """A recipe table: ``base`` is the table of another voice, ``bank`` a folder of recordings.

    ``NAME.flac`` or ``NAME.wav`` is the reading NAME; ``NAME.txt`` beside it has its text. Where a line has the same
    text, the take follows the reading in time too. ``styles`` are the readings that lines may name, all of them if it
    is empty. ``strength``, 0 to 1, is how far pitch and loudness follow. ``licence`` and ``consent`` are the bank's:
    a card has those of the base voice beside them.
    """

    engine: Literal["transplant"] = "transplant"
    base: Mapping[str, Any] = field(hash=False)
    bank: str
    styles: tuple[str, ...] = ()
    strength: float = 1.0
    licence: str = "not stated"
    consent: str = "not stated"

    @property
    def batch(self) -> int:
        """Lines per call, as the base voice has it."""
        return int(getattr(self.base_config, "batch", 16))

    @property
    def num_cpus(self) -> float:
        """The cores the base voice takes."""
        return float(getattr(self.base_config, "num_cpus", 1.0))

    @property
    def num_gpus(self) -> float:
        """The GPUs the base voice takes."""
        return float(getattr(self.base_config, "num_gpus", 0.0))

    @property
    def base_config(self) -> VoiceConfig:
        """The base voice's table, validated.

        Raises:
            UsageError: if the table has mistakes, or is a transplant itself.
        """
        if self.base.get("engine") == self.engine:
            raise UsageError("transplant: the base cannot be a transplant")
        config: VoiceConfig = parse_named("synthgen.voices", self.base, field="engine", source="transplant.base")
        return config

    def readings(self) -> dict[str, Path]:
        """The readings that lines may name.

        Raises:
            ModelMissing: if the folder is not there, or has no recordings.
            UsageError: for a style that is not in the bank, with the nearest one.
        """
        found = files_by_name(self.bank, suffixes=_AUDIO)
        if not found:
            raise ModelMissing(f"transplant: there are no recordings ({', '.join(_AUDIO)}) in {self.bank}")
        for name in self.styles:
            check_speaker(name, found, engine=self.engine)
        return {name: found[name] for name in self.styles or sorted(found)}

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker of the base voice; its checkpoint is the base's card and the bank's content.

        Raises:
            UsageError: if a table is wrong.
            ModelMissing: if the bank is not there.
        """
        return tuple(card for card, _ in self.pairs())

    def pairs(self) -> list[tuple[VoiceCard, VoiceCard]]:
        """Our cards, each with the base voice's."""
        check_in_range("strength", self.strength, low=0.0, high=1.0, engine=self.engine)
        self.readings()
        bank = sha256_of_folder(Path(self.bank).expanduser())
        return [(self._card(base, bank), base) for base in self.base_config.cards()]

    def build(self) -> "TransplantVoice":
        """Load the base voice and the bank.

        Raises:
            EngineError: if the base voice is not to be had, or a recording cannot be read.
        """
        return TransplantVoice(self)

    def _card(self, base: VoiceCard, bank_sha256: str) -> VoiceCard:
        return VoiceCard.new(
            engine=self.engine,
            speaker=base.name,
            language=base.language,
            sample_rate_hz=base.sample_rate_hz,
            checkpoint_sha256=combined_sha256([base.id, bank_sha256, _CODE_VERSION]),
            licence=f"{base.licence}; {self.licence} (bank of readings)",
            consent=f"{base.consent}; {self.consent} (bank of readings)",
            temperature=base.temperature,
            threads=base.threads,
            batch_exact=base.batch_exact,
            config=self._table(base),
        )

    def _table(self, base: VoiceCard) -> str:
        """The recipe table that makes this one speaker's voice; licence and consent are nothing that is heard."""
        return canonical(
            {
                "engine": self.engine,
                "base": json.loads(base.config),
                "bank": self.bank,
                "styles": self.styles,
                "strength": self.strength,
            }
        )


@dataclass(frozen=True)
class Donor:
    """One reading of the bank: its file, and its text in comparable form ("" if it is not known)."""

    path: Path
    text: str

    @cached_property
    def wave(self) -> tuple[NDArray[np.float32], int]:
        """Mono samples and their rate.

        Raises:
            EngineError: if the file cannot be read.
        """
        try:
            samples, rate_hz = soundfile.read(self.path, dtype="float32", always_2d=True)
        except (OSError, soundfile.LibsndfileError) as error:
            raise EngineError(f"the reading {self.path} cannot be read: {error}") from error
        return samples.mean(axis=1), int(rate_hz)


class TransplantVoice:
    """A loaded base voice and a bank."""

    def __init__(self, config: TransplantConfig) -> None:
        pairs = config.pairs()
        self._strength = config.strength
        self._base_of = {ours.id: base for ours, base in pairs}
        self._language = pairs[0][0].language
        self._donors = {name: self._donor(path) for name, path in config.readings().items()}
        self._voice: Voice = config.base_config.build()

    def speak(self, lines: Sequence[Line]) -> list[Reading]:
        """Read the lines with the base voice, then lay over each the reading that its style names.

        Raises:
            UsageError: for a style that is not in the bank, with the nearest one.
            AudioError: for a reading without 0.1 s of voiced speech to work on.
        """
        for line in lines:
            if line.style is not None:
                check_speaker(line.style, self._donors, engine="transplant")
        plain = [replace(line, voice_id=self._base_of[line.voice_id].id, style=None) for line in lines]
        readings = self._voice.speak(plain)
        return [self._follow(line, reading) for line, reading in zip(lines, readings, strict=True)]

    def _follow(self, line: Line, reading: Reading) -> Reading:
        if line.style is None or len(reading.samples) == 0:
            return replace(reading, tokens=None)
        donor = self._donors[line.style]
        samples, rate_hz = donor.wave
        made = transplant(
            reading.samples,
            samples,
            target_hz=reading.sample_rate_hz,
            donor_hz=rate_hz,
            same_text=bool(donor.text) and donor.text == normalise(line.text, self._language),
            strength=self._strength,
        )
        return Reading(made, reading.sample_rate_hz)

    def _donor(self, path: Path) -> Donor:
        written = path.with_suffix(".txt")
        text = written.read_text(encoding="utf-8") if written.exists() else ""
        return Donor(path, normalise(text, self._language) if text.strip() else "")
