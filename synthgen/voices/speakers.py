"""What every engine does with the speakers of its recipe table: check the names, and describe one of them."""

from collections.abc import Collection
from dataclasses import asdict, replace
from difflib import get_close_matches
from typing import Any, ClassVar, Protocol, TypeVar

from catalogs.errors import UsageError
from catalogs.ids import canonical
from catalogs.records import Line


class SpeakersConfig(Protocol):
    """A frozen dataclass with a ``speakers`` field."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def speakers(self) -> tuple[str, ...]:
        """The speakers a recipe asks for."""
        ...


Config = TypeVar("Config", bound=SpeakersConfig)


def table_of(config: Config, speaker: str) -> str:
    """The recipe table that makes this one speaker's voice, as canonical JSON: the ``config`` of its card."""
    return canonical(asdict(replace(config, speakers=(speaker,))))


def check_speaker(speaker: str, known: Collection[str], *, engine: str) -> None:
    """Refuse a speaker that the engine does not have.

    Raises:
        UsageError: with the nearest speaker it has.
    """
    if speaker in known:
        return
    nearest = get_close_matches(speaker, sorted(known), n=1, cutoff=0.0)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise UsageError(f"{engine} has no speaker {speaker!r}{hint} (`synthgen voices` lists them)")


def check_some(speakers: tuple[str, ...], *, engine: str) -> None:
    """Refuse a voice without speakers, or with one twice, which would plan the same lines twice.

    Raises:
        UsageError: naming the speaker.
    """
    if not speakers:
        raise UsageError(f"{engine} needs at least one speaker")
    for position, speaker in enumerate(speakers):
        if speaker in speakers[:position]:
            raise UsageError(f"{engine} is given the speaker {speaker!r} twice")


def refuse_style(line: Line, *, engine: str) -> None:
    """Refuse a line that asks a voice with one way of reading for another one.

    Raises:
        UsageError: naming the style or timbre.
    """
    if line.style is not None or line.timbre is not None:
        raise UsageError(f"{engine} has neither styles nor timbres; got {line.style!r} and {line.timbre!r}")


def check_in_range(name: str, value: float, *, low: float, high: float, engine: str) -> None:
    """Refuse a setting out of range, NaN among them.

    Raises:
        UsageError: naming the setting and its range.
    """
    if not low <= value <= high:
        raise UsageError(f"{engine}: {name} is {value}; expected {low:g} to {high:g}")
