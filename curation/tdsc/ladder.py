"""The ladder: the steps at which a round reads a text, from the coolest; with DGSA each is read in both modes."""

from collections.abc import Sequence

from catalogs.ids import Id
from catalogs.records import VoiceCard
from curation.dgsa.toggles import Mode, in_mode
from curation.tdsc.config import TdscConfig
from synthgen.casting import Manner


class Ladder:
    """Steps are numbered alike in every round and for every voice; the T_max of all rounds stand on the same ones."""

    def __init__(self, config: TdscConfig, dual_mode: Sequence[VoiceCard] = ()) -> None:
        """``dual_mode`` are the voices that read every step expressively and flatly: all of a job, or none.

        Raises:
            UsageError: for one of them without a style to turn off.
        """
        self._config = config
        self._cards = {card.id: card for card in dual_mode}
        self._known: dict[Id, dict[tuple[str, float | None], int]] = {}

    def __len__(self) -> int:
        return (len(self._config.temperatures) + 1) * (len(Mode) if self._cards else 1)

    def steps(self, voice_id: Id, iteration: int) -> list[Manner]:
        """How a voice reads at each step of a round."""
        temperatures = self._config.ladder(iteration)
        card = self._cards.get(voice_id)
        if card is None:
            return [Manner(temperature=temperature) for temperature in temperatures]
        return [in_mode(card, mode, temperature) for temperature in temperatures for mode in Mode]

    def evenly(self) -> tuple[int, ...]:
        """All candidates of a round, spread over the steps; what is left over goes to the lower ones."""
        share, more = divmod(self._config.candidates, len(self))
        return tuple(share + (step < more) for step in range(len(self)))

    def step_of(self, voice_id: Id, style: str, temperature: float) -> int:
        """The step on which a reading was made; where T_max meets a fixed temperature, it is the fixed one's."""
        return self._of_voice(voice_id).get((style, temperature), len(self) - 1)

    def _of_voice(self, voice_id: Id) -> dict[tuple[str, float | None], int]:
        if voice_id not in self._known:
            known = self._known[voice_id] = {}
            for iteration in range(1, self._config.iterations + 1):
                for number, manner in enumerate(self.steps(voice_id, iteration)):
                    known.setdefault((manner.style, manner.temperature), number)
        return self._known[voice_id]
