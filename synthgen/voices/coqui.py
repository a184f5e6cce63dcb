"""Coqui voices: XTTS-v2, which speaks as any recording it is given, and any VITS that Coqui trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalogs.errors import UsageError
from catalogs.models import checkpoint_sha256, sha256_of_folder
from catalogs.models.pretrained import Device, packages
from catalogs.records import VoiceCard
from synthgen.voices.speakers import check_some
from synthgen.voices.torch_table import (
    Dtype,
    card_of,
    check_table,
    combined_sha256,
    files_by_name,
)

if TYPE_CHECKING:
    from synthgen.voice import Voice

_RANGES = {
    "temperature": (0.0, 5.0),
    "top_k": (1.0, 1e6),
    "top_p": (0.01, 1.0),
    "repetition_penalty": (0.01, 100.0),
}
_AUDIO = (".wav", ".flac", ".ogg", ".mp3")
_LICENCES = {"xtts": "CPML (non-commercial, outputs included)", "vits": "not stated"}
_TEMPERATURES = {
    "xtts": "sampling temperature of the GPT codes",
    "vits": "noise scale of the prior, and of the durations in proportion",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoquiConfig:
    """A recipe table for ``coqui/XTTS-v2`` at a commit, or a folder with an XTTS or a VITS checkpoint.

    XTTS takes a speaker from ``references``, a folder with ``NAME.wav`` or with several recordings in
    ``NAME/``, or else one that the checkpoint brings. A line's style is the recording whose prosody the
    GPT follows, its timbre the one whose voice the decoder takes on; ``styles`` are those that lines may
    borrow so. A VITS of one speaker needs no ``speakers``. ``temperature`` None is 0.75 for XTTS, 0 being
    greedy, and the checkpoint's own noise scale for a VITS.
    ``num_gpus`` and ``num_cpus`` are what an actor takes of its machine, ``batch`` its lines per call.
    """

    engine: Literal["coqui"] = "coqui"
    model: Literal["xtts", "vits"] = "xtts"
    checkpoint: str = "coqui/XTTS-v2"
    revision: str | None = None
    references: str | None = None
    speakers: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    language: str = "en"
    sample_rate_hz: int = 24_000
    temperature: float | None = None
    top_k: int = 50
    top_p: float = 0.85
    repetition_penalty: float = 10.0
    device: Device = "auto"
    dtype: Dtype = "float32"
    threads: int = 1
    batch: int = 16
    num_gpus: float = 0
    num_cpus: float = 1
    licence: str | None = None
    consent: str = "not stated"

    def cards(self) -> tuple[VoiceCard, ...]:
        """One card per speaker; its checkpoint is the model, the speaker's recordings, and the styles'.

        Raises:
            UsageError: if the table is wrong, or its hub id is not pinned.
            ModelMissing: if a folder is not there.
        """
        check_table(self, _RANGES)
        if self.model == "vits" and (self.references or self.styles):
            raise UsageError("coqui: only XTTS takes `references` and `styles`; this table is a VITS")
        names = self.speakers or ((Path(self.checkpoint).name,) if self.model == "vits" else ())
        check_some(names, engine=self.engine)
        model = checkpoint_sha256(self.checkpoint, self.revision)
        return tuple(
            card_of(
                self,
                name,
                checkpoint_sha256=combined_sha256([model, *self._recording_hashes((name, *self.styles))]),
                licence=self.licence or _LICENCES[self.model],
                temperature=_TEMPERATURES[self.model],
                tokens="xtts-gpt" if self.model == "xtts" else None,
            )
            for name in names
        )

    def build(self) -> "Voice":
        """Load the model, and work out its speakers.

        Raises:
            EngineError: if a package or the checkpoint is not to be had, or does not fit the table.
            UsageError: for a speaker it has not, with the nearest one it has.
        """
        with packages(f"the {self.engine} voice", extra="engines"):
            if self.model == "vits":
                from synthgen.voices.neural.coqui_vits import CoquiVitsVoice

                return CoquiVitsVoice(self)
            from synthgen.voices.neural.xtts import XttsVoice

            return XttsVoice(self)

    def recordings(self) -> dict[str, tuple[Path, ...]]:
        """The recordings in ``references`` by speaker: ``NAME.wav`` alone, or all that lies in ``NAME/``."""
        if self.references is None:
            return {}
        found: dict[str, tuple[Path, ...]] = {}
        for name, path in files_by_name(self.references, suffixes=_AUDIO).items():
            speaker = name.split("/")[0]
            found[speaker] = (*found.get(speaker, ()), path)
        return found

    def _recording_hashes(self, names: tuple[str, ...]) -> list[str]:
        known = self.recordings()
        return [sha256_of_folder(path) for name in names for path in known.get(name, ())]
