"""Variants: every take as it is planned to be heard, numbered from 1; variant 0 is the take itself.

A variant is a pure function of the take's samples, its number, the steps and their seed, and, where steps hear
recordings or other takes, of those. It is the same in every batch and process, so it can be kept, or made anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial, reduce
from typing import Any

import numpy as np

from catalogs.config import mistakes_text, parse_named
from catalogs.errors import RecipeError, SynthgenError, TrainingError
from catalogs.ids import Id, content_id, seed_of
from catalogs.signal import unclipped
from training.augmentation.step import GROUP, Lengthening, Scene, Step
from training.members import Member, Wave, waves_of

VERSION = 1
"""Raised whenever the same recipe makes other samples than before."""

_LATER: Mapping[str, Any] = {"tail_s": 0.0}
"""Settings of steps that came later: left as they are they are no part of a definition, and older trainings go on."""


@dataclass(frozen=True)
class AugmentationConfig:
    """How many planned ``variants`` a take has beside itself, and the ``steps`` that each goes through, in order.

    A step is a table with the name of a ``step``, its ``probability`` and its ranges. ``seed`` is not the training's:
    trainings that differ in theirs hear the same variants, which are encoded once.
    """

    variants: int = 0
    seed: int = 0
    steps: tuple[Mapping[str, Any], ...] = field(default=())

    def __post_init__(self) -> None:
        if self.variants < 0:
            raise ValueError(f"augmentation.variants = {self.variants}: expected 0 or more")
        if self.variants and not self.steps:
            raise ValueError("augmentation.variants are asked for, and augmentation.steps has none")
        found, mistakes = [], []
        for number, table in enumerate(self.steps):
            try:
                found.append(_definition(_parsed(table, number)))
            except SynthgenError as error:
                mistakes.append(str(error))
        if mistakes:
            raise RecipeError(mistakes_text("augmentation", mistakes) if len(mistakes) > 1 else mistakes[0])
        object.__setattr__(self, "steps", tuple(found))

    def build(self, members: Sequence[Member]) -> "Augmentation":
        """The augmentation of these members.

        Raises:
            TrainingError: if recordings are not to be had, or a step hears other takes and there are none.
        """
        return Augmentation(self, members)


class Augmentation:
    """The variants of some members; ``lengthening`` is how long they may be, ``expected`` how long on the mean."""

    def __init__(self, config: AugmentationConfig, members: Sequence[Member]) -> None:
        parsed = [_parsed(table, number) for number, table in enumerate(config.steps)] if config.variants else []
        self._names = [each.step for each in parsed]
        self._steps: list[tuple[float, Step]] = [(each.probability, each.build()) for each in parsed]
        self.lengthening = reduce(Lengthening.then, (step.lengthening for _, step in self._steps), Lengthening())
        means = ((step.expected or step.lengthening).by_chance(probability) for probability, step in self._steps)
        self.expected = reduce(Lengthening.then, means, Lengthening())
        self._seed = config.seed
        self._members = {m.pcm_sha256: m for m in sorted(members, key=lambda m: (m.pcm_sha256, m.take_id))}
        self._hashes = list(self._members)
        hears_others = any(step.hears_others for _, step in self._steps)
        if hears_others and len(self._hashes) < 2:
            raise TrainingError(
                "noise.kinds has babble, which is made of other takes, and there are none; leave it out"
            )
        self.id: Id = content_id(
            "augmentation", VERSION, config.seed, [_definition(each) for each in parsed],
            [step.made_of for _, step in self._steps], self._hashes if hears_others else None,
        )  # fmt: skip

    def heard(self, member: Member, variant: int) -> Wave:
        """A variant of a member, float32 at 16 kHz; variant 0 is the take.

        Raises:
            AudioError: if a take's audio is missing or damaged.
            TrainingError: if a recording cannot be read.
        """
        wave, _ = self.made(member, variant)
        return wave

    def made(self, member: Member, variant: int) -> tuple[Wave, list[dict[str, float | str]]]:
        """The same, and how it was made: each step that it went through, with what was drawn for it."""
        (wave,) = waves_of([member])
        steps: list[dict[str, float | str]] = []
        for number, (probability, step) in enumerate(self._steps if variant else ()):
            random = np.random.default_rng(seed_of(self._seed, member.pcm_sha256, variant, number))
            if random.random() < probability:
                scene = Scene(random, partial(self._others, member, random))
                wave = step.apply(wave, scene)
                steps.append({"step": self._names[number], **scene.drawn})
        return (unclipped(wave) if variant else wave), steps

    def _others(self, member: Member, random: np.random.Generator, count: int) -> list[Wave]:
        """So many takes but this one; fewer if there are not that many."""
        others = [key for key in self._hashes if key != member.pcm_sha256]
        drawn = random.permutation(len(others))[:count]
        return waves_of([self._members[others[number]] for number in drawn])


def _definition(step: Any) -> dict[str, Any]:
    return {key: value for key, value in asdict(step).items() if key not in _LATER or value != _LATER[key]}


def _parsed(table: Mapping[str, Any], number: int) -> Any:
    """The configuration of a step; see `StepConfig`."""
    return parse_named(GROUP, table, field="step", source=f"augmentation.steps.{number}")
