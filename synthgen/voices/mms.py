"""MMS-TTS: VITS voices for more than a thousand languages, and any other VITS that `transformers` reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalogs.models import checkpoint_sha256
from catalogs.models.pretrained import Device, packages
from catalogs.records import VoiceCard
from synthgen.voices.speakers import check_some
from synthgen.voices.torch_table import Dtype, card_of, check_table

if TYPE_CHECKING:
    from synthgen.voices.neural.mms import MmsVoice


@dataclass(frozen=True, slots=True, kw_only=True)
class MmsConfig:
    """A recipe table for one checkpoint, say ``facebook/mms-tts-lao`` at a commit, or a folder.

    A checkpoint of one speaker needs no ``speakers``, and takes one name of your own; those of several
    are numbers from "0". ``temperature`` is the prior's noise scale; None is the checkpoint's own.
    ``num_gpus`` and ``num_cpus`` are what an actor takes of its machine, ``batch`` its lines per call.
    """

    engine: Literal["mms"] = "mms"
    checkpoint: str
    revision: str | None = None
    language: str
    speakers: tuple[str, ...] = ()
    sample_rate_hz: int = 16_000
    temperature: float | None = None
    speaking_rate: float | None = None
    device: Device = "auto"
    dtype: Dtype = "float32"
    threads: int = 1
    batch: int = 16
    num_gpus: float = 0
    num_cpus: float = 1
    licence: str = "CC-BY-NC-4.0"
    consent: str = "not stated"

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker.

        Raises:
            UsageError: if the table is wrong, or its hub id is not pinned.
            ModelMissing: if its folder is not there.
        """
        check_table(self, {"temperature": (0, 5), "speaking_rate": (0.1, 10)})
        names = self.speakers or (Path(self.checkpoint).name,)
        check_some(names, engine=self.engine)
        sha256 = checkpoint_sha256(self.checkpoint, self.revision)
        return tuple(
            card_of(
                self,
                name,
                checkpoint_sha256=sha256,
                licence=self.licence,
                temperature="noise scale of the prior, and of the durations in proportion",
            )
            for name in names
        )

    def build(self) -> "MmsVoice":
        """Load the model and its tokenizer.

        Raises:
            EngineError: if a package or the checkpoint is not to be had, or does not fit the table.
        """
        with packages(f"the {self.engine} voice", extra="engines"):
            from synthgen.voices.neural.mms import MmsVoice
        return MmsVoice(self)
