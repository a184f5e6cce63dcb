"""The settings of DGSA, what each of its two losses weighs, and how a voice reads for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from catalogs.ids import Id
from catalogs.records import VoiceCard
from curation.dgsa.toggles import Mode, bank_of, first_turn
from synthgen.casting import Manner


@dataclass(frozen=True, slots=True)
class DgsaConfig:
    """``threshold`` is the synthetic share from which expressivity counts, the paper's α*.

    ``below`` says what is tuned up to it: nothing ("sft"), or stability alone. ``share`` is the synthetic share of what
    is trained on, α; None is that of the takes beside the corpus's real ones. They decide what pairs weigh, and none is
    left out for that. ``max_wer`` is what a generated winner may have. ``least_gain_st`` is how many semitones more
    pitch spread a generated winner needs to be preferred for expressivity. ``real`` names, for a voice, the real
    speaker whom it speaks as: ``{"coqui/anna" = "human/anna"}``. ``takes`` is how often each mode is read; with TDSC
    its ladder says that.
    """

    threshold: float = 0.5
    below: Literal["sft", "stability"] = "sft"
    max_wer: float = 0.4
    least_gain_st: float = 0.2
    takes: int = 1
    real: Mapping[str, str] = field(default_factory=dict)
    share: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise ValueError("dgsa.threshold must be from 0 to below 1")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError("dgsa.share must be from 0 to 1")
        if self.takes < 1:
            raise ValueError("dgsa.takes must be at least 1")
        if self.least_gain_st < 0:
            raise ValueError("dgsa.least_gain_st must not be negative")

    def manners(self, card: VoiceCard, prompt_id: Id) -> Iterator[Manner]:
        """How a voice reads a text: expressively and flatly, again only where a style or a seed makes a difference.

        Raises:
            UsageError: for a voice without a style to turn off.
        """
        for mode in Mode:
            bank = bank_of(card, mode)
            first = first_turn(prompt_id, card.id)
            is_drawn = bank[0].temperature is not None
            for turn in range(self.takes if is_drawn else min(self.takes, len(bank))):
                yield replace(bank[(first + turn) % len(bank)], number=turn // len(bank))


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of the two losses counts for, λ_s and λ_e; both 0 says that nothing is tuned."""

    stability: float
    expressivity: float


def weights_of(share: float, config: DgsaConfig) -> Weights:
    """The weights at a synthetic share α: λ_e = max(0, (α - α*) / (1 - α*)), λ_s = 1 - λ_e.

    Raises:
        ValueError: for a share that is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share is from 0 to 1, not {share}")
    if share <= config.threshold:
        return Weights(0.0, 0.0) if config.below == "sft" else Weights(1.0, 0.0)
    expressivity = (share - config.threshold) / (1 - config.threshold)
    return Weights(1.0 - expressivity, expressivity)
