"""The ladder: the steps at which a round reads a text, from the coolest; with DGSA each is read in both modes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from catalogs.ids import Id
from catalogs.records import VoiceCard
from curation.dgsa.toggles import Bank, Mode, first_turn, in_mode
from curation.tdsc.config import TdscConfig
from synthgen.casting import Manner

How: TypeAlias = tuple[str, float | None]
"""A style and a temperature: readings that share both differ in their number alone."""


class Ladder:
    """Steps are numbered alike in every round and for every voice; the T_max of all rounds stand on the same ones."""

    def __init__(self, config: TdscConfig, dual_mode: Sequence[VoiceCard] = ()) -> None:
        """``dual_mode`` are the voices that read every step expressively and flatly: all of a job, or none.

        Raises:
            UsageError: for one of them without a style to turn off.
        """
        self._config = config
        self._cards = {card.id: card for card in dual_mode}
        self._known: dict[Id, dict[How, int]] = {}

    def __len__(self) -> int:
        return (len(self._config.temperatures) + 1) * (len(Mode) if self._cards else 1)

    def steps(self, voice_id: Id, iteration: int) -> list[Bank]:
        """How a voice reads at each step of a round: in one manner, or in one of a bank."""
        temperatures = self._config.ladder(iteration)
        card = self._cards.get(voice_id)
        if card is None:
            return [(Manner(temperature=temperature),) for temperature in temperatures]
        return [in_mode(card, mode, temperature) for temperature in temperatures for mode in Mode]

    def readings(
        self, voice_id: Id, prompt_id: Id, iteration: int, *, counts: Sequence[int], made: Mapping[How, int]
    ) -> Iterator[Manner]:
        """So many readings of a text at each step of a round, numbered on from what was made before in each manner.

        Where a step has a bank, readings take its styles in turn, through all such steps and rounds. The text draws
        the first one, so that over texts every style is read at every step.
        """
        numbers, turn = Counter(made), first_turn(prompt_id, voice_id)
        turn += sum(count for how, count in made.items() if self.is_expressive(voice_id, *how))
        for bank, count in zip(self.steps(voice_id, iteration), counts, strict=False):
            for _ in range(count):
                manner = bank[turn % len(bank)]
                turn += len(bank) > 1
                how = manner.style, manner.temperature
                yield replace(manner, number=numbers[how])
                numbers[how] += 1

    def evenly(self) -> tuple[int, ...]:
        """All candidates of a round, spread over the steps; what is left over goes to the lower ones."""
        share, more = divmod(self._config.candidates, len(self))
        return tuple(share + (step < more) for step in range(len(self)))

    def step_of(self, voice_id: Id, style: str, temperature: float | None) -> int:
        """The step on which a reading was made; where T_max meets a fixed temperature, it is the fixed one's."""
        return self._of_voice(voice_id).get((style, temperature), len(self) - 1)

    def is_expressive(self, voice_id: Id, style: str, temperature: float | None) -> bool:
        """Whether a reading was made on an expressive step; never for a voice that reads in one mode."""
        step = self.step_of(voice_id, style, temperature)
        return voice_id in self._cards and tuple(Mode)[step % len(Mode)] is Mode.EXPRESSIVE

    def _of_voice(self, voice_id: Id) -> dict[How, int]:
        if voice_id not in self._known:
            known = self._known[voice_id] = {}
            for iteration in range(1, self._config.iterations + 1):
                for number, bank in enumerate(self.steps(voice_id, iteration)):
                    for manner in bank:
                        known.setdefault((manner.style, manner.temperature), number)
        return self._known[voice_id]
