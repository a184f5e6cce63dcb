"""Steps of an augmentation: what they hear beside the wave, and how a recipe table becomes one.

A step of a recipe is a frozen dataclass registered under ``synthgen.augmentations``. What it does is a pure function
of the wave and the scene: every choice comes from the scene's random numbers, and is noted there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from catalogs.ids import Part
from training.members import Wave

S = TypeVar("S", bound=str)

GROUP = "synthgen.augmentations"

Range: TypeAlias = tuple[float, float]
"""The least and the greatest of what is drawn evenly."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step draws from: random numbers of its own, and so many takes that others have read.

    ``drawn`` is what came of it, by name.
    """

    random: np.random.Generator
    others: Callable[[int], Sequence[Wave]]
    drawn: dict[str, float | str] = field(default_factory=dict)

    def between(self, name: str, span: Range) -> float:
        """A number of a range."""
        number = float(self.random.uniform(*span))
        self.drawn[name] = number
        return number

    def one_of(self, name: str, choices: Sequence[S]) -> S:
        """One of some names."""
        choice = choices[int(self.random.integers(len(choices)))]
        self.drawn[name] = choice
        return choice


@dataclass(frozen=True, slots=True)
class Lengthening:
    """How long a wave may come out, or is on the mean: ``slower`` times as long as before, and ``longer_s`` beyond."""

    slower: float = 1.0
    longer_s: float = 0.0

    def longest_s(self, duration_s: float) -> float:
        """Of a wave of this duration, at most."""
        return self.slower * duration_s + self.longer_s

    def longest_before_s(self, longest_s: float) -> float:
        """How long a wave may go in that has to come out no longer than this."""
        return (longest_s - self.longer_s) / self.slower

    def by_chance(self, probability: float) -> "Lengthening":
        """What it is on the mean, if a wave is lengthened with this probability, and else comes out as it went in."""
        return Lengthening(1 + probability * (self.slower - 1), probability * self.longer_s)

    def then(self, after: "Lengthening") -> "Lengthening":
        """Both, one after the other."""
        return Lengthening(self.slower * after.slower, after.longest_s(self.longer_s))


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is ready: wave in, wave of the same rate out.

    ``made_of`` is the content of the recordings it draws from, and ``hears_others`` says whether it asks the scene for
    takes of others: both decide what comes out, and are no part of the recipe. ``lengthening`` is the most that it does
    to the length of a wave, ``expected`` what it does on the mean; None if that is as much.
    """

    apply: Callable[[Wave, Scene], Wave]
    made_of: Part = None
    hears_others: bool = False
    lengthening: Lengthening = Lengthening()
    expected: Lengthening | None = None


class StepConfig(Protocol):
    """A recipe table that makes a step; ``step`` is the name it is registered under."""

    @property
    def step(self) -> str:
        """Its name."""
        ...

    @property
    def probability(self) -> float:
        """How often a variant goes through it."""
        ...

    def build(self) -> Step:
        """The step.

        Raises:
            TrainingError: if its recordings are not to be had.
        """
        ...


def check_step(config: Any, **limits: Range) -> None:
    """Refuse a step that cannot be: its probability, an empty choice, or a range that leaves the limits of its name.

    Raises:
        ValueError: as a recipe reports its mistakes.
    """
    if not 0 < config.probability <= 1:
        raise ValueError(f"{config.step}.probability = {config.probability}: expected more than 0, and at most 1")
    for key in ("kinds", "codecs"):
        if getattr(config, key, None) == ():
            raise ValueError(f"{config.step}.{key} is empty: expected at least one")
    for key, (least, most) in limits.items():
        low, high = getattr(config, key)
        if not least <= low <= high <= most:
            raise ValueError(
                f"{config.step}.{key} = {[low, high]}: expected the least and the greatest, from {least:g} to {most:g}"
            )
