"""Recognisers, as evaluation sees them, and how one is found by its name."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from catalogs.ids import Id
from catalogs.progress import Progress
from training.answering import Answer
from training.members import Member, Wave


class Recogniser(Protocol):
    """A loaded recogniser with one way of decoding. What it hears in a take depends on that take alone."""

    @property
    def name(self) -> str:
        """Its name, for people."""
        ...

    @property
    def id(self) -> Id:
        """A hash of its weights and of all that decides what it hears, its way of decoding aside."""
        ...

    @property
    def decoding(self) -> str:
        """Its way of decoding, as canonical JSON."""
        ...

    def prepare(self, members: Sequence[Member], progress: Progress) -> None:
        """Do what is done once for all members that it is to hear."""
        ...

    def transcribe(self, members: Sequence[Member]) -> list[Answer]:
        """Hear a batch of takes, in their order; their texts are not looked at.

        Raises:
            SynthgenError: for a take whose audio is missing, or that it cannot hear.
        """
        ...

    def hear(self, waves: Mapping[str, Wave]) -> list[Answer]:
        """Hear a batch of waves, each under a name, which its answer carries as ``take_id``. Raises likewise."""
        ...
