"""The settings of TDSC, and the rule by which a reading is accepted."""

from dataclasses import dataclass
from typing import Literal

WORDS, REPETITION, LENGTH = "wer", "token_repetition", "duration_ratio"
"""The columns of ``takes`` that the rule reads."""


@dataclass(frozen=True, slots=True)
class TdscConfig:
    """How candidates are made, accepted and kept.

    Each of ``iterations`` rounds reads a text up to ``candidates`` times: at ``temperatures``, and at T_max, which is
    ``t_max`` in the first round and ``t_max_step`` more in each that follows. A reading is accepted if its word error
    rate is below ``max_wer``, its repetition below ``max_repetition``, and its length ``min_length`` to ``max_length``
    times what the text should take. A release gets up to ``keep`` accepted readings of a text by a voice: those with
    the lowest word error rates, where rates that are at most ``same_wer`` apart count as equal; see `tdsc.choosing`.

    ``spend`` "evenly" gives every text all its candidates in every round, as the paper does. "where_it_pays" gives a
    text only what it is expected to need until ``keep`` are accepted, at the temperatures that serve its voice and
    kind of text, and gives up where next to nothing is accepted. ``budget_audio_s`` ends the spending.
    """

    iterations: int = 5
    candidates: int = 12
    temperatures: tuple[float, ...] = (0.7, 1.0)
    t_max: float = 0.9
    t_max_step: float = 0.1
    max_wer: float = 0.4
    max_repetition: float = 0.1
    min_length: float = 0.5
    max_length: float = 2.0
    keep: int = 4
    same_wer: float = 0.0
    spend: Literal["evenly", "where_it_pays"] = "where_it_pays"
    budget_audio_s: float | None = None

    def __post_init__(self) -> None:
        if min(self.iterations, self.candidates, self.keep) < 1:
            raise ValueError("tdsc.iterations, candidates and keep must be at least 1")
        if min((*self.temperatures, self.t_max)) <= 0 or self.t_max_step < 0:
            raise ValueError("tdsc.temperatures and t_max must be positive, and t_max_step not negative")
        if self.candidates < len(self.temperatures) + 1:
            raise ValueError("tdsc.candidates must be enough for one reading at each temperature and at t_max")
        if not self.same_wer >= 0:
            raise ValueError("tdsc.same_wer must not be negative")
        if self.min_length > self.max_length:
            raise ValueError("tdsc.min_length is above max_length: nothing would be accepted")
        if self.budget_audio_s is not None and self.budget_audio_s <= 0:
            raise ValueError("tdsc.budget_audio_s must be positive")

    def ladder(self, iteration: int) -> tuple[float, ...]:
        """The temperatures of a round, the highest last: METHODS' T_max(k) = 0.8 + 0.1 k, for k from 1.

        Where T_max is one of the fixed temperatures, that one is read more often.
        """
        t_max = round(self.t_max + self.t_max_step * (iteration - 1), 6)
        return (*self.temperatures, t_max)

    def has_its_words(self, wer: float | None) -> bool:
        """The first part of the rule, WER < ``max_wer``; a figure that is missing or NaN does not hold."""
        return wer is not None and wer < self.max_wer

    def has_its_form(self, *, repetition: float | None, length: float | None) -> bool:
        """The rest of the rule: `repeats_little` and `has_its_length`."""
        return self.repeats_little(repetition) and self.has_its_length(length)

    def repeats_little(self, repetition: float | None) -> bool:
        """The second part of the rule, repetition < ``max_repetition``; missing or NaN does not hold."""
        return repetition is not None and repetition < self.max_repetition

    def has_its_length(self, length: float | None) -> bool:
        """The last part of the rule, length within its bounds, ends included; missing or NaN does not hold."""
        return length is not None and self.min_length <= length <= self.max_length
