"""Objectives: what a method trains, and the loss of a batch. The loop knows nothing else of a method.

B utterances · T encoder frames · L encoder layers · D their width
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from catalogs.ids import Id
from training.interleaving.choosing import Part
from training.labels import UNLABELLED, Labels
from training.members import Member


@dataclass(frozen=True, slots=True)
class Utterance:
    """One take as training sees it: what is written, what is said ("at 9", "at nine"), and what is meant by it.

    ``features`` (L, T, D) are those of a frozen encoder, padding trimmed; ``samples`` (n,) are mono float32 at 16 kHz.
    An objective gets the one it asks for. ``variant`` says which planned augmentation was heard, 0 none. ``parts`` are
    those of an interleaved sequence, whose features are of its heard parts alone; None is the whole take.
    """

    take_id: Id
    text: str
    spoken: str
    language: str
    is_synthetic: bool
    variant: int = 0
    features: Tensor | None = None
    samples: Tensor | None = None
    parts: Sequence[Part] | None = None
    labels: Labels = UNLABELLED

    @classmethod
    def unheard(cls, member: Member) -> "Utterance":
        """What is known of a member before it is heard."""
        said = (member.text, member.spoken, member.language)
        return cls(member.take_id, *said, is_synthetic=member.is_synthetic, labels=member.labels)


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors by name, made of some utterances, and how many targets their loss is a sum of.

    ``utterances`` are those themselves, for a loss that looks at their texts; others leave them out.
    """

    tensors: Mapping[str, Tensor]
    num_targets: int
    take_ids: Sequence[Id] = ()
    utterances: Sequence[Utterance] = ()

    @classmethod
    def of(cls, utterances: Sequence[Utterance], tensors: Mapping[str, Tensor]) -> "Batch":
        """The batch of utterances whose ``tensors`` say as ``num_targets`` (B,) how many targets each has."""
        return cls(tensors, int(tensors["num_targets"].sum()), [utterance.take_id for utterance in utterances])

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in self.tensors.items()}
        return Batch(moved, self.num_targets, self.take_ids, self.utterances)


@dataclass(frozen=True, slots=True)
class Heard:
    """What of a batch is heard: its ``values``, ``lengths`` (B,) in frames, and which axes are time and channels."""

    values: str = "features"
    lengths: str = "lengths"
    time: int = -2
    channels: int = -1


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss summed over a batch's targets, and sums of whatever else is to be watched (correct tokens, ...).

    Sums, not means: a batch of many short texts and one of few long ones weigh by their targets, however a step is
    split over micro-batches and processes.
    """

    total: Tensor
    watched: Mapping[str, Tensor] = field(default_factory=dict)


class Objective(Protocol):
    """One method of training. It holds its modules; frozen parts neither need gradients nor enter a checkpoint."""

    module: nn.Module

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What is trained, by name: the loop gives it to the optimiser, and a checkpoint holds it and nothing else."""
        ...

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Make a batch, on the CPU; the same utterances give the same batch.

        Raises:
            TrainingError: for an utterance that lacks what the method needs.
        """
        ...

    def loss(self, batch: Batch) -> Loss:
        """The loss of a batch on the module's device."""
        ...


@runtime_checkable
class LookingOver(Protocol):
    """An objective that reads texts, and can tell before it begins whether it can."""

    def look_over(self, members: Sequence[Member]) -> str:
        """What there is to say, for people, of all takes and texts of a training, whose texts it reads or writes.

        Raises:
            TrainingError: if it can learn nothing of some of them.
        """
        ...


@runtime_checkable
class NeedsFrames(Protocol):
    """An objective that learns nothing of a take with fewer frames than its text needs."""

    def frames_needed(self, members: Sequence[Member]) -> Tensor:
        """How many frames of the encoder the text of each of M members needs at least, (M,).

        Raises:
            TrainingError: for a text that it cannot write.
        """
        ...


@runtime_checkable
class Writes(Protocol):
    """An objective that writes what is said with signs of its own, which may not do for every text."""

    def targets(self, utterances: Sequence[Utterance]) -> Mapping[str, Tensor]:
        """What is to be written, as tensors of a batch, of utterances that need not be heard yet.

        Raises:
            TrainingError: for a text that it cannot write.
        """
        ...


@runtime_checkable
class HeldToStart(Protocol):
    """An objective that is held to what it was when its training began."""

    def keep_start(self) -> None:
        """Keep what it is now as that: training is about to begin, or to go on from a checkpoint of its own."""
        ...
