"""Which utterances make the next batch: epochs planned from releases, mixed real and synthetic, in length buckets.

An epoch is a pure function of the members, the mixture, the seed and its number, so training goes on in the middle of
one by planning it again and leaving out the batches it has had. Lhotse makes the batches.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np

from catalogs.errors import TrainingError
from catalogs.ids import Id, seed_of
from catalogs.stage import batched
from training.interleaving.choosing import Part
from training.members import Member

Kind: TypeAlias = Literal["real", "synthetic", "text"]

_SEEDS: Final[dict[Kind, int]] = {"real": 0, "synthetic": 1, "text": 3}
"""Each kind is shuffled by itself; 2 is for the order of batches."""


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How an epoch is drawn, and cut into batches.

    ``batch_s`` is how many seconds of speech a micro-batch holds, ``batch_takes`` how many utterances at most (None: as
    many as there is time for), ``buckets`` how many lengths are kept apart. With ``order`` "texts" the seed shuffles
    texts, not takes: with one bucket and ``batch_takes``, trainings on readings of the same texts by others, real or
    synthetic, hear the same texts at the same steps, so that nothing but the readings sets them apart.
    ``real`` is the share of utterances that are real, from the first epoch's to the last's, in lines between evenly
    spaced ones: (0, 0.5) rises all the time, (0, 0, 0.5, 0.5) begins with none of them. None takes what there is, each
    utterance once. With a share, an epoch has ``size`` utterances (None: as many as there are); a part
    that is too small is gone through again before any of it is heard a third time.

    ``texts`` is in the same way the share of texts alone, where data has some: (0.8, 0.2), or (1, 1, 0.5, 0.5) for the
    texts first. Then ``real`` is a share of what is heard. Without it, texts count as synthetic speech does.
    """

    batch_s: float = 60.0
    batch_takes: int | None = None
    buckets: int = 8
    order: Literal["takes", "texts"] = "takes"
    real: tuple[float, ...] | None = None
    size: int | None = None
    texts: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.batch_s <= 0 or self.buckets < 1:
            raise ValueError("sampling.batch_s must be positive, and buckets at least 1")
        if self.batch_takes is not None and self.batch_takes < 1:
            raise ValueError("sampling.batch_takes must be at least 1")
        for name, shares in (("real", self.real), ("texts", self.texts)):
            if shares is not None and not (shares and all(0 <= share <= 1 for share in shares)):
                raise ValueError(f"sampling.{name} are shares from 0 to 1, of the first to the last epoch")
        if self.size is not None and self.size < 1:
            raise ValueError("sampling.size must be at least 1")

    def real_at(self, epoch: int, *, of: int) -> float | None:
        """The share of real utterances in an epoch, counted from 0, of so many."""
        return None if self.real is None else _share_at(self.real, epoch, of=of)

    def texts_at(self, epoch: int, *, of: int) -> float | None:
        """The share of texts alone in an epoch."""
        return None if self.texts is None else _share_at(self.texts, epoch, of=of)


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
        if config.order == "texts":
            members = sorted(members, key=lambda member: (member.text, member.take_id))
        self._config, self._seed, self._epochs, self._variants = config, seed, epochs, variants
        self._parts: dict[Kind, list[Member]] = {kind: [] for kind in _SEEDS}
        for member in members:
            self._parts[self._kind(member)].append(member)
        for kind, part in self._parts.items():
            if not part and any(self._wanted(epoch)[kind] for epoch in range(epochs)):
                name = "texts alone" if kind == "text" else f"{kind} speech"
                raise TrainingError(f"sampling asks for {name}, and the data have none")

    def plan(self, epoch: int) -> list[Draw]:
        """The utterances of an epoch, in no particular order."""
        draws = []
        for kind, wanted in self._wanted(epoch).items():
            part = self._parts[kind]
            of_kind = _SEEDS[kind] if self._config.order == "takes" else 0
            order = np.random.default_rng((self._seed, epoch, of_kind)).permutation(len(part))
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

        most = {"max_duration": self._config.batch_s, "max_cuts": self._config.batch_takes}
        common = {**most, "shuffle": True, "seed": self._seed, "world_size": 1, "rank": 0}
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # that the epoch is in memory, which it is
            if self._config.buckets == 1 or len(cuts) < 2 * self._config.buckets:
                return DynamicCutSampler(cuts, **common)
            return DynamicBucketingSampler(cuts, num_buckets=self._config.buckets, **common)

    def _kind(self, member: Member) -> Kind:
        """What a member counts as: a text alone is synthetic speech where nobody asks for a share of texts."""
        if member.place is None and self._config.texts is not None:
            return "text"
        return "synthetic" if member.is_synthetic else "real"

    def _wanted(self, epoch: int) -> dict[Kind, int]:
        """How many utterances of each kind an epoch has."""
        have = {kind: len(part) for kind, part in self._parts.items()}
        real, texts = (at(epoch, of=self._epochs) for at in (self._config.real_at, self._config.texts_at))
        if real is None and texts is None:
            return have
        size = self._config.size or sum(have.values())
        read = round((texts or 0.0) * size)
        if real is None:
            real = have["real"] / max(1, have["real"] + have["synthetic"])
        told = round(real * (size - read))
        return {"real": told, "synthetic": size - read - told, "text": read}


def _share_at(shares: Sequence[float], epoch: int, *, of: int) -> float:
    """The share of an epoch, counted from 0, of so many: on lines between evenly spaced ones."""
    at = epoch / (of - 1) * (len(shares) - 1) if of > 1 else 0.0
    before = min(int(at), max(0, len(shares) - 2))
    first, last = shares[before], shares[min(before + 1, len(shares) - 1)]
    return first + (last - first) * (at - before)
