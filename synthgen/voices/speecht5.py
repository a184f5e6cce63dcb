"""SpeechT5: one model, any speaker for whom there is an x-vector."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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
    from synthgen.voices.neural.speecht5 import SpeechT5Voice


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechT5Config:
    """A recipe table for ``microsoft/speecht5_tts`` and its vocoder, each a folder or a hub id at a commit.

    ``xvectors`` is a folder with ``NAME.npy`` for every speaker: a vector of 512 floats. ``temperature``
    scales the dropout that SpeechT5 keeps on while it speaks, its one source of variety: 1 is as trained.
    ``num_gpus`` and ``num_cpus`` are what an actor takes of its machine, ``batch`` its lines per call.
    """

    engine: Literal["speecht5"] = "speecht5"
    checkpoint: str = "microsoft/speecht5_tts"
    revision: str | None = None
    vocoder: str = "microsoft/speecht5_hifigan"
    vocoder_revision: str | None = None
    xvectors: str
    speakers: tuple[str, ...]
    language: str = "en"
    sample_rate_hz: int = 16_000
    temperature: float = 1.0
    device: Device = "auto"
    dtype: Dtype = "float32"
    threads: int = 1
    batch: int = 16
    num_gpus: float = 0
    num_cpus: float = 1
    licence: str = "MIT"
    consent: str = "not stated"

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker; its checkpoint is the model, the vocoder and the speaker's x-vector.

        Raises:
            UsageError: if the table is wrong, a hub id is not pinned, or a speaker has no x-vector.
            ModelMissing: if a folder is not there.
        """
        check_table(self, {"temperature": (0, 1.9)})
        check_some(self.speakers, engine=self.engine)
        model = checkpoint_sha256(self.checkpoint, self.revision)
        vocoder = checkpoint_sha256(self.vocoder, self.vocoder_revision)
        return tuple(
            card_of(
                self,
                name,
                checkpoint_sha256=combined_sha256([model, vocoder, sha256_of_folder(self.xvector_of(name))]),
                licence=self.licence,
                temperature="share of the trained pre-net dropout that stays on while speaking",
            )
            for name in self.speakers
        )

    def build(self) -> "SpeechT5Voice":
        """Load the model, the vocoder and the x-vectors.

        Raises:
            EngineError: if a package or a checkpoint is not to be had, or does not fit the table.
        """
        with packages(f"the {self.engine} voice", extra="engines"):
            from synthgen.voices.neural.speecht5 import SpeechT5Voice
        return SpeechT5Voice(self)

    def xvector_of(self, speaker: str) -> Path:
        """The file of a speaker.

        Raises:
            UsageError: if there is none, with the nearest speaker.
        """
        known = files_by_name(self.xvectors, suffixes=(".npy",))
        check_speaker(speaker, known, engine=self.engine)
        return known[speaker]
