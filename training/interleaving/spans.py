"""Spans: the heard pieces of a batch behind each other, through an encoder once, and each slot back in its place.

Pieces are cut out of their takes before anything hears them. To encode a take and to cut its frames would leak: a
frame knows the words around it, among them those that are to be read. Pieces of one wave still hear each other.

P pieces · N slots · W width
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.signal import bounds, cut
from training.interleaving.choosing import Part
from training.members import RATE_HZ, Wave


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece lies: in which wave, from which slot, how many of them."""

    wave: int
    start: int
    num_slots: int


@dataclass(frozen=True, slots=True)
class Slotting:
    """``samples_a_slot`` is the total subsampling of encoder and projector; a wave has at most ``longest`` slots."""

    samples_a_slot: int
    longest: int

    def __post_init__(self) -> None:
        if self.samples_a_slot < 1 or self.longest < 1:
            raise ValueError("samples_a_slot and longest must be at least 1")

    def num_slots(self, num_samples: int) -> int:
        """How many slots a piece becomes: a whole number, rounded up, at least one."""
        return max(1, -(-num_samples // self.samples_a_slot))


def bounds_of(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """Where the heard parts of a sequence begin and end, in samples of 16 kHz; each has one at least."""
    return [bounds(part.start_s, part.end_s, rate_hz=RATE_HZ) for part in parts if part.modality == "speech"]


def counts_of(parts: Sequence[Part], slotting: Slotting) -> list[int]:
    """How many slots each heard part of a sequence becomes."""
    return [slotting.num_slots(stop - start) for start, stop in bounds_of(parts)]


def pieces_of(wave: Wave, parts: Sequence[Part]) -> list[Wave]:
    """The samples of the heard parts of a sequence, in order; behind the end of the wave is silence.

    Raises:
        TrainingError: for a part that begins behind the end of the wave, by more than rounding to samples moves it.
    """
    pieces = []
    for start, stop in bounds_of(parts):
        if start > len(wave):
            raise TrainingError(
                f"a part is said from {start / RATE_HZ:.2f} s on, and its take has {len(wave) / RATE_HZ:.2f} s; "
                f"its timings belong to another take: measure the family timing again"
            )
        pieces.append(cut(wave, start, stop))
    return pieces


def concatenate(pieces: Sequence[Wave], slotting: Slotting) -> tuple[list[Wave], list[Place]]:
    """Waves of pieces behind each other, each followed by silence up to a whole slot, and where each piece lies.

    A new wave begins where the last one would be longer than an encoder hears at once.

    Raises:
        TrainingError: for a piece that is longer than that by itself.
    """
    places: list[Place] = []
    wave, start = 0, 0
    for piece in pieces:
        count = slotting.num_slots(len(piece))
        if count > slotting.longest:
            raise TrainingError(
                f"a piece of {len(piece) / RATE_HZ:.1f} s is {count} slots, and the encoder hears {slotting.longest} "
                f"at once; make segments.max_s smaller, or objective.longest_s larger"
            )
        if start + count > slotting.longest:
            wave, start = wave + 1, 0
        places.append(Place(wave, start, count))
        start += count
    totals = [0] * (wave + 1 if pieces else 0)
    for place in places:
        totals[place.wave] = place.start + place.num_slots
    waves = [np.zeros(total * slotting.samples_a_slot, np.float32) for total in totals]
    for piece, place in zip(pieces, places, strict=True):
        at = place.start * slotting.samples_a_slot
        waves[place.wave][at : at + len(piece)] = piece
    return waves, places


def scatter(outputs: Sequence[Tensor], places: Sequence[Place], *, rows_a_slot: int = 1) -> list[Tensor]:
    """What came of each piece, in the order of the pieces: (..., num_slots * rows_a_slot, W).

    Args:
        outputs: what came of each wave, (..., N * rows_a_slot, W): slots of a projector, or frames of an encoder.
        places: where the pieces lie.
        rows_a_slot: 1 for slots; for frames, how many of them a slot is made of.

    Raises:
        TrainingError: for an output that ends before its pieces do.
    """
    found = []
    for place in places:
        start, stop = place.start * rows_a_slot, (place.start + place.num_slots) * rows_a_slot
        length = outputs[place.wave].shape[-2]
        if stop > length:
            raise TrainingError(
                f"{length} rows came of a wave whose pieces need {stop}: encoder and projector subsample by more than "
                f"samples_a_slot says"
            )
        found.append(outputs[place.wave][..., start:stop, :])
    return found
