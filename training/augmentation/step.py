"""Steps of an augmentation: what they hear beside the wave, and how a recipe table becomes one.

A step of a recipe is a frozen dataclass registered under ``synthgen.augmentations``. What it does is a pure function
of the wave and the scene: every choice comes from the scene's random numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from catalogs.ids import Part
from training.members import Wave

GROUP = "synthgen.augmentations"

Range: TypeAlias = tuple[float, float]
"""The least and the greatest of what is drawn evenly."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a step draws from: random numbers of its own, and so many takes that others have read."""

    random: np.random.Generator
    others: Callable[[int], Sequence[Wave]]

    def between(self, span: Range) -> float:
        """A number of a range."""
        return float(self.random.uniform(*span))

    def one_of(self, choices: Sequence[str]) -> str:
        """One of some names."""
        return choices[int(self.random.integers(len(choices)))]


@dataclass(frozen=True, slots=True)
class Step:
    """A step that is ready: wave in, wave of the same rate out.

    ``made_of`` is the content of the recordings it draws from, and ``hears_others`` says whether it asks the scene for
    takes of others: both decide what comes out, and are no part of the recipe. ``slower`` is how many times longer at
    most a wave comes out than it went in.
    """

    apply: Callable[[Wave, Scene], Wave]
    made_of: Part = None
    hears_others: bool = False
    slower: float = 1.0


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
