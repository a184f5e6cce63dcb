"""What the recipe tables of the PyTorch voices share: their card, and how their settings are checked.

Nothing here imports PyTorch, so that a plan can be made on a machine without it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from catalogs.errors import ModelMissing
from catalogs.ids import canonical
from catalogs.records import VoiceCard
from synthgen.voices.speakers import check_in_range

Dtype = Literal["float32", "bfloat16", "float16"]

_NOT_HEARD = ("licence", "consent", "num_gpus", "num_cpus")


class TorchTable(Protocol):
    """The fields that every PyTorch voice has in its table."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def engine(self) -> str:
        """The name of the engine."""
        ...

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers a recipe asks for."""
        ...

    @property
    def language(self) -> str:
        """The language they speak."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """The rate of the checkpoint's audio; loading checks it."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads of one actor."""
        ...

    @property
    def batch(self) -> int:
        """Lines per call."""
        ...

    @property
    def consent(self) -> str:
        """What the speakers agreed to."""
        ...


Table = TypeVar("Table", bound=TorchTable)


def card_of(
    table: TorchTable,
    speaker: str,
    *,
    checkpoint_sha256: str,
    licence: str,
    temperature: str,
    tokens: str | None = None,
) -> VoiceCard:
    """Describe one speaker of a table.

    Only a batch of one is exact: padding changes the order of sums, and so the last bits of a sample; and
    only on one kind of machine, so a job that must repeat to the bit elsewhere names its ``device``. The
    table is the card's ``config``, but for what no ear can tell (licence, consent, the share of a machine).
    """
    fields = {key: value for key, value in asdict(_alone(table, speaker)).items() if key not in _NOT_HEARD}
    return VoiceCard.new(
        engine=table.engine,
        speaker=speaker,
        language=table.language,
        sample_rate_hz=table.sample_rate_hz,
        checkpoint_sha256=checkpoint_sha256,
        licence=licence,
        consent=table.consent,
        temperature=temperature,
        tokens=tokens,
        threads=table.threads,
        batch_exact=table.batch == 1,
        config=canonical(fields),
    )


def check_table(table: TorchTable, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a table that no voice can be made of; ``ranges`` has the least and the most of further settings.

    Raises:
        UsageError: naming the setting and its range.
    """
    for name, (low, high) in {"batch": (1, 4096), "threads": (1, 1024), **ranges}.items():
        value = getattr(table, name)
        if value is not None:
            check_in_range(name, value, low=low, high=high, engine=table.engine)


def combined_sha256(hashes: Sequence[str]) -> str:
    """One hash over several; one alone stays as it is."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def files_by_name(folder: str, *, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The files of a folder and its folders that end so, by their path without the ending ("v2/en_speaker_6").

    Raises:
        ModelMissing: if there is no such folder.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise ModelMissing(f"there is no folder {root}; it should hold a {' or '.join(suffixes)} file per speaker")
    found = (path for path in sorted(root.rglob("*")) if path.suffix in suffixes)
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in found}


def _alone(table: Table, speaker: str) -> Table:
    return replace(table, speakers=(speaker,))
