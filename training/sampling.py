"""Which utterances make the next batch: epochs planned from releases, mixed real and synthetic, in length buckets.

An epoch is a pure function of the members, the mixture, the seed and its number, so training goes on in the middle of
one by planning it again and leaving out the batches it has had. Lhotse makes the batches.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from catalogs.errors import TrainingError
from catalogs.ids import Id, seed_of
from catalogs.stage import batched
from training.interleaving.choosing import Part
from training.members import Member


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How an epoch is drawn, and cut into batches.

    ``batch_s`` is how many seconds of speech a micro-batch holds, ``buckets`` how many lengths are kept apart.
    ``real`` is the share of utterances that are real, from the first epoch's to the last's in a line; None takes what
    there is, each utterance once. With a share, an epoch has ``size`` utterances (None: as many as there are); a part
    that is too small is gone through again before any of it is heard a third time.
    """

    batch_s: float = 60.0
    buckets: int = 8
    real: tuple[float, float] | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if self.batch_s <= 0 or self.buckets < 1:
            raise ValueError("sampling.batch_s must be positive, and buckets at least 1")
        if self.real and not all(0 <= share <= 1 for share in self.real):
            raise ValueError("sampling.real are shares from 0 to 1, of the first and of the last epoch")
        if self.size is not None and self.size < 1:
            raise ValueError("sampling.size must be at least 1")

    def real_at(self, epoch: int, *, of: int) -> float | None:
        """The share of real utterances in an epoch, counted from 0, of so many."""
        if self.real is None:
            return None
        first, last = self.real
        return first + (last - first) * (epoch / (of - 1) if of > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class Draw:
    """One utterance of an epoch: a member, the augmentation it is heard in, and how often it came before.

    ``parts`` are those of an interleaved sequence, heard and read; None is the whole take.
    """

    member: Member
    variant: int
    again: int = 0
    parts: tuple[Part, ...] | None = None

    @property
    def id(self) -> Id:
        """An id of its own in an epoch."""
        return f"{self.member.take_id}-{self.variant}-{self.again}"


class Sampler(Protocol):
    """The epochs of a training; each is the same whenever it is asked for, so that training goes on in its middle."""

    def batches(self, epoch: int) -> Iterator[list[Draw]]:
        """The micro-batches of an epoch, counted from 0."""
        ...

    def schedule(self, micro_batches: int, *, steps: int | None = None) -> tuple[int, list[Draw]]:
        """How many steps of so many micro-batches all epochs have, at most ``steps``, and all draws that they hear."""
        ...


def scheduled(sampler: Sampler, micro_batches: int, *, epochs: int, steps: int | None = None) -> tuple[int, list[Draw]]:
    """The schedule of any sampler; see `Sampler`."""
    taken = 0
    heard: list[Draw] = []
    for epoch in range(epochs):
        for batches in batched(sampler.batches(epoch), micro_batches):
            if taken == steps:
                return taken, heard
            taken += 1
            heard += [draw for batch in batches for draw in batch]
    return taken, heard


class Epochs:
    """The epochs of a training on whole takes; see `Sampler`."""

    def __init__(
        self, members: Sequence[Member], config: SamplingConfig, *, seed: int, epochs: int, variants: int = 0
    ) -> None:
        """``variants`` is how many planned augmentations a take has; an epoch hears one of them, or the take itself.

        Raises:
            TrainingError: for a share of real or of synthetic speech of which there is none.
        """
        self._parts = {kind: [m for m in members if m.is_synthetic is kind] for kind in (False, True)}
        self._config, self._seed, self._epochs, self._variants = config, seed, epochs, variants
        for kind, name in ((False, "real"), (True, "synthetic")):
            if not self._parts[kind] and any(self._wanted(kind, epoch) for epoch in range(epochs)):
                raise TrainingError(f"sampling.real asks for {name} speech, and the releases have none")

    def plan(self, epoch: int) -> list[Draw]:
        """The utterances of an epoch, in no particular order."""
        draws = []
        for kind, part in self._parts.items():
            wanted = self._wanted(kind, epoch)
            order = np.random.default_rng((self._seed, epoch, int(kind))).permutation(len(part))
            for number in range(wanted):
                member = part[order[number % len(part)]]
                variant = seed_of(self._seed, epoch, number // len(part), member.take_id) % (self._variants + 1)
                draws.append(Draw(member, variant, number // len(part)))
        return draws

    def batches(self, epoch: int) -> Iterator[list[Draw]]:
        """The micro-batches of an epoch, utterances of like length together, shuffled."""
        from lhotse import CutSet, MonoCut

        drawn = {draw.id: draw for draw in self.plan(epoch)}
        order = np.random.default_rng((self._seed, epoch, 2)).permutation(len(drawn))
        ids = [list(drawn)[number] for number in order]
        cuts = CutSet.from_cuts(MonoCut(id=i, start=0.0, duration=drawn[i].member.duration_s, channel=0) for i in ids)
        sampler = self._sampler(cuts)
        sampler.set_epoch(epoch)
        for batch in sampler:
            yield [drawn[cut.id] for cut in batch]

    def schedule(self, micro_batches: int, *, steps: int | None = None) -> tuple[int, list[Draw]]:
        """See `Sampler`."""
        return scheduled(self, micro_batches, epochs=self._epochs, steps=steps)

    def _sampler(self, cuts: Any) -> Any:
        """Lhotse's, with buckets if there are utterances enough to fill them."""
        from lhotse.dataset import DynamicBucketingSampler, DynamicCutSampler

        common = {"max_duration": self._config.batch_s, "shuffle": True, "seed": self._seed, "world_size": 1, "rank": 0}
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # that the epoch is in memory, which it is
            if self._config.buckets == 1 or len(cuts) < 2 * self._config.buckets:
                return DynamicCutSampler(cuts, **common)
            return DynamicBucketingSampler(cuts, num_buckets=self._config.buckets, **common)

    def _wanted(self, synthetic: bool, epoch: int) -> int:
        share = self._config.real_at(epoch, of=self._epochs)
        if share is None:
            return len(self._parts[synthetic])
        size = self._config.size or sum(map(len, self._parts.values()))
        real = round(share * size)
        return size - real if synthetic else real
