"""The epochs of a mixture: each kind is drawn until its share of the tokens is reached, and all of them are shuffled.

An epoch is a pure function of the sources, the seed and its number, as those of `Epochs` are: what comes several times
in an epoch is counted through all epochs before.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Literal

import numpy as np

from catalogs.errors import TrainingError
from catalogs.ids import Id, seed_of
from training.augmentation.step import Lengthening
from training.interleaving.choosing import Part, interleave
from training.members import Member
from training.mixing.mixture import KINDS
from training.mixing.sources import Sources
from training.mixing.withheld import of_one_unit, withheld
from training.sampling import Draw, scheduled

_STREAMS = {"asr": 0, "interleaved": 1, "text": 2, "made_asr": 4, "made_interleaved": 5}
_SHUFFLED = 3
"""Streams of random numbers: of each kind, and of all together."""

_IN_TURN = ("interleaved", "made_interleaved")

LengthOf = Callable[[Draw], int]
"""How many positions a draw has, slots of audio included, if it is as long as its member."""


@dataclass(frozen=True, slots=True)
class Variants:
    """How many planned augmentations a take has, and how much longer than the take they are: at most, on the mean."""

    number: int = 0
    at_most: Lengthening = field(default_factory=Lengthening)
    expected: Lengthening = field(default_factory=Lengthening)


@dataclass(frozen=True, slots=True)
class Pool:
    """What is drawn together: members for a kind, the ``number`` among its pools, and their share of all tokens."""

    kind: str
    number: int
    share: float
    members: Sequence[Member]


class Mixer:
    """The epochs of a training on a mixture; see `Sampler`."""

    def __init__(
        self,
        sources: Sources,
        length_of: LengthOf,
        *,
        context: int,
        seed: int,
        epochs: int,
        variants: Variants = Variants(),
    ) -> None:
        """``context`` is the longest that a sequence may be, also one whose take is heard in its longest variant.

        Raises:
            TrainingError: for a share of something of which there is nothing.
        """
        self._sources, self._config, self._length_of = sources, sources.config, length_of
        self._context, self._seed, self._epochs, self._variants = context, seed, epochs, variants
        self._pools = [
            Pool(kind, number, self._config.share(kind) * share, members)
            for kind in KINDS
            for number, (share, members) in enumerate(sources.pools(kind))
            if self._config.share(kind) * share
        ]
        self._more: dict[str, list[Counter[Id]]] = {pool.kind: [Counter()] for pool in self._pools}
        for pool in self._pools:
            passes = (self._passed(pool, 0, again=again) for again in (0, 1))
            if not any(map(any, passes)):
                why = _MISSING[pool.kind]
                if pool.kind in _IN_TURN:
                    why = withheld(sources, pool.members) or why + of_one_unit(sources, pool.members)
                raise TrainingError(f"mixture.{pool.kind} = {self._config.share(pool.kind):g}: {why}")
        self._tokens = self._config.tokens or min(self._size(pool) / pool.share for pool in self._pools)

    def left_out(self) -> str:
        """Which takes are not interleaved, and why, for people; nothing if there are none."""
        told = []
        if self._config.interleaved and self._sources.untimed:
            told.append(f"{self._sources.untimed:,} takes whose words were not found in them")
        for pool in self._pools:
            what = {"interleaved": "takes", "made_interleaved": "texts"}.get(pool.kind)
            if what and (
                whole := sum(self._draw(pool.kind, member, epoch=0, again=0) is None for member in pool.members)
            ):
                of = f"{whole:,} of {len(pool.members):,} {what}"
                told.append(f"in the first epoch {of} with nothing to hear before the end")
        return f"not interleaved: {', and '.join(told)}" if told else ""

    def undrawn(self) -> str:
        """Of which shares nothing comes in the first epoch, for people; nothing if there are none.

        Raises:
            TrainingError: if these are all.
        """
        small = [pool for pool in self._pools if not self._drawn(pool, 0)]
        of = " and ".join(f"{pool.kind} ({pool.share:g})" for pool in small)
        told = f"mixture: too small a share of {self._tokens:,.0f} tokens for what comes first, {of}"
        if len(small) == len(self._pools):
            raise TrainingError(f"{told}: there is nothing to train on; give mixture.tokens more")
        return f"{told}: none of it is in the first epoch; give mixture.tokens more" if small else ""

    def plan(self, epoch: int) -> list[tuple[Draw, int]]:
        """The draws of an epoch and their lengths, pool after pool.

        Raises:
            TrainingError: for a sequence that is longer than a row.
        """
        return [each for pool in self._pools for each in self._drawn(pool, epoch)]

    def batches(self, epoch: int) -> Iterator[list[Draw]]:
        """The micro-batches of an epoch, all kinds shuffled, each of at most so many tokens or a single draw."""
        plan = self.plan(epoch)
        order = np.random.default_rng((self._seed, epoch, _SHUFFLED)).permutation(len(plan))
        batch: list[Draw] = []
        held = 0
        for number in order.tolist():
            draw, size = plan[number]
            if batch and held + size > self._config.batch_tokens:
                yield batch
                batch, held = [], 0
            batch.append(draw)
            held += size
        if batch:
            yield batch

    def schedule(self, micro_batches: int, *, steps: int | None = None) -> tuple[int, list[Draw]]:
        """See `Sampler`."""
        return scheduled(self, micro_batches, epochs=self._epochs, steps=steps)

    def _size(self, pool: Pool) -> int:
        """How many tokens there are in a pool, none of it twice: in one pass, or in the next if that has nothing."""
        passes = (sum(size for _, size in self._passed(pool, 0, again=again)) for again in (0, 1))
        return next((size for size in passes if size), 0)

    def _drawn(self, pool: Pool, epoch: int) -> list[tuple[Draw, int]]:
        """Draws from a pool in an epoch; of what is heard in turn it counts how often it came, for the epochs after."""
        found = list(self._until_its_share(pool, epoch))
        known = self._more[pool.kind]
        if pool.kind in _IN_TURN and epoch == len(known) - 1:
            again = {draw.member.take_id: draw.again for draw, _ in found if draw.again}
            known.append(known[-1] + Counter(again) if again else known[-1])
        return found

    def _came_more(self, kind: str, epoch: int) -> Mapping[Id, int]:
        """How much more often than once an epoch each member came in the epochs before this one."""
        (pool,) = (pool for pool in self._pools if pool.kind == kind)
        while len(self._more[kind]) <= epoch:
            self._drawn(pool, len(self._more[kind]) - 1)
        return self._more[kind][epoch]

    def _until_its_share(self, pool: Pool, epoch: int) -> Iterator[tuple[Draw, int]]:
        """Draws from a pool, pass after pass, until one more would be farther from its share than none."""
        left = pool.share * self._tokens
        for again in count():
            for draw, size in self._passed(pool, epoch, again=again):
                if size > 2 * left:
                    return
                yield draw, size
                left -= size

    def _passed(self, pool: Pool, epoch: int, *, again: int = 0) -> Iterator[tuple[Draw, int]]:
        """Once through all that is in a pool, in an order of the epoch's own, the same in each of its passes."""
        stream = (_STREAMS[pool.kind], pool.number) if pool.number else (_STREAMS[pool.kind],)
        order = np.random.default_rng((self._seed, epoch, *stream)).permutation(len(pool.members))
        for number in order.tolist():
            draw = self._draw(pool.kind, pool.members[number], epoch=epoch, again=again)
            if draw is not None:
                yield draw, self._checked(draw)

    def _draw(self, kind: str, member: Member, *, epoch: int, again: int) -> Draw | None:
        """A member as it is drawn; None for one of which nothing can be heard between what is read."""
        if kind == "text":
            of: Literal["words", "answers"] = "answers" if self._config.text_as == "answer" else "words"
            return Draw(member, 0, again, (Part("text", member.text, 0.0, 0.0, 0, 0, of),))
        if kind == "made_asr":
            return Draw(member, 0, again)
        if kind == "asr":
            variant = seed_of(self._seed, epoch, again, member.take_id) % (self._variants.number + 1)
            return Draw(member, variant, again)
        time = epoch + again + self._came_more(kind, epoch)[member.take_id]
        parts = interleave(
            self._sources.words[member.take_id],
            self._config.choosing,
            take_id=member.take_id,
            seed=seed_of(self._seed, time // 2) if self._config.alternation == "both" else seed_of(self._seed, time),
            heard_first=self._hears_first(member, time),
            entities=self._sources.entities.get(member.take_id, ()),
        )
        return Draw(member, 0, again, tuple(parts)) if any(part.modality == "speech" for part in parts) else None

    def _hears_first(self, member: Member, time: int) -> bool:
        """Which variant of a take comes at a time: of two that follow each other each once, if both are asked for."""
        if self._config.alternation != "both":
            return self._config.alternation == "heard_first"
        return (seed_of("variant", self._seed, member.take_id) + time) % 2 == 0

    def _checked(self, draw: Draw) -> int:
        """How many positions a draw is expected to have."""
        size = self._size_of(draw, self._variants.at_most)
        if size > self._context:
            is_text = draw.member.place is None
            what = f"the text {draw.member.text[:40]!r}" if is_text else f"take {draw.member.take_id}"
            raise TrainingError(
                f"{what} is a sequence of {size} positions, and objective.context is {self._context}; leave long takes "
                f"out with data.max_s, and break long texts"
            )
        return self._size_of(draw, self._variants.expected) if draw.variant else size

    def _size_of(self, draw: Draw, lengthening: Lengthening) -> int:
        if not draw.variant:
            return self._length_of(draw)
        heard_s = lengthening.longest_s(draw.member.duration_s)
        return self._length_of(replace(draw, member=replace(draw.member, duration_s=heard_s)))


_MISSING = {
    "asr": "the releases have no takes",
    "interleaved": "no take has word times and two units, one to hear and one to read",
    "text": "there are no texts",
    "made_asr": "there are no texts",
    "made_interleaved": "there are no texts of two units, one to hear and one to read",
}
