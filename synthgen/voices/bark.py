"""Bark: text to semantic codes, semantic codes to codec codes, and both to sound, each with a preset to go by."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalogs.errors import UsageError
from catalogs.models import checkpoint_sha256, sha256_of_folder
from catalogs.models.pretrained import Device, packages
from catalogs.records import VoiceCard
from synthgen.voices.speakers import check_some, check_speaker
from synthgen.voices.torch_table import (
    Dtype,
    card_of,
    check_table,
    combined_sha256,
    files_by_name,
)

if TYPE_CHECKING:
    from synthgen.voices.neural.bark import BarkVoice

PLAIN = "plain"
"""The style of a line whose semantic codes are made without any preset."""

_RANGES = {
    "temperature": (0.0, 5.0),
    "acoustic_temperature": (0.0, 5.0),
    "top_k": (1.0, 1e6),
    "top_p": (0.01, 1.0),
    "min_eos_p": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BarkConfig:
    """A recipe table for ``suno/bark`` or ``suno/bark-small`` at a commit, or for a folder.

    A speaker is a preset, by its name in ``presets``: a folder of ``.npz`` files as the ``bark`` package
    has it. None takes the presets that the checkpoint itself brings. A line's style is the preset of the
    semantic stage, or "plain" for none, its timbre that of the acoustic stages; ``styles`` are the presets
    that lines may borrow so. ``temperature`` is that of the semantic stage, 0 is greedy.
    ``num_gpus`` and ``num_cpus`` are what an actor takes of its machine, ``batch`` its lines per call.
    """

    engine: Literal["bark"] = "bark"
    checkpoint: str = "suno/bark"
    revision: str | None = None
    presets: str | None = None
    speakers: tuple[str, ...] = ("v2/en_speaker_6",)
    styles: tuple[str, ...] = ()
    language: str = "en"
    sample_rate_hz: int = 24_000
    temperature: float = 0.7
    top_k: int = 50
    top_p: float = 1.0
    min_eos_p: float = 0.2
    acoustic_temperature: float = 0.7
    device: Device = "auto"
    dtype: Dtype = "float32"
    threads: int = 1
    batch: int = 16
    num_gpus: float = 0
    num_cpus: float = 1
    licence: str = "MIT"
    consent: str = "not stated"

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker; its checkpoint is the model, the speaker's preset, and those of the styles.

        Raises:
            UsageError: if the table is wrong, its hub id is not pinned, or there is no such preset.
            ModelMissing: if a folder is not there.
        """
        check_table(self, _RANGES)
        check_some(self.speakers, engine=self.engine)
        if PLAIN in (*self.speakers, *self.styles):
            raise UsageError(f"bark: {PLAIN!r} is the style without a preset; it cannot be the name of one")
        model = checkpoint_sha256(self.checkpoint, self.revision)
        return tuple(
            card_of(
                self,
                name,
                checkpoint_sha256=combined_sha256([model, *self._preset_hashes((name, *self.styles))]),
                licence=self.licence,
                temperature="sampling temperature of the semantic codes",
                tokens="bark-semantic",
            )
            for name in self.speakers
        )

    def build(self) -> "BarkVoice":
        """Load the model, its tokenizer and the presets.

        Raises:
            EngineError: if a package or the checkpoint is not to be had, or does not fit the table.
        """
        with packages(f"the {self.engine} voice", extra="engines"):
            from synthgen.voices.neural.bark import BarkVoice
        return BarkVoice(self)

    def preset_path(self, name: str) -> Path | None:
        """The file of a preset in the ``presets`` folder, or None if the checkpoint is to bring it.

        Raises:
            UsageError: if the folder has none of that name, with the nearest.
        """
        if self.presets is None:
            return None
        known = files_by_name(self.presets, suffixes=(".npz",))
        check_speaker(name, known, engine=self.engine)
        return known[name]

    def _preset_hashes(self, names: tuple[str, ...]) -> list[str]:
        paths = [self.preset_path(name) for name in names]
        return [sha256_of_folder(path) for path in paths if path is not None]
