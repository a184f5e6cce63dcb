"""What is meant by an utterance: its intent, and values by name, as the catalog has them for the text that is said."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalogs.records import Prompt, Slot


@dataclass(frozen=True, slots=True)
class Labels:
    """Intent, slots and entities of a text; what it has none of is None or empty."""

    intent: str | None = None
    slots: tuple[Slot, ...] = ()
    entities: tuple[Slot, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.intent or self.slots or self.entities)

    @property
    def values(self) -> tuple[Slot, ...]:
        """Slots and entities alike; an entity that is also a slot, name and value, counts once."""
        return (*self.slots, *(entity for entity in self.entities if entity not in self.slots))


UNLABELLED = Labels()


def labels_of(prompt: Prompt) -> Labels:
    """Those of a prompt."""
    return Labels(prompt.intent, prompt.slots, prompt.entities)


def labels_in(
    intent: str | None, slots: Iterable[tuple[str, str]] | None, entities: Iterable[dict[str, str]] | None
) -> Labels:
    """Those of a row of ``takes``, as Arrow has it."""
    named = (Slot(entity["name"], entity["value"]) for entity in entities or ())
    return Labels(intent, tuple(Slot(name, value) for name, value in slots or ()), tuple(named))
