"""Why the rule accepts none of the takes that the policy keeps, and what can be done about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan

from curation.tdsc.candidates import Text
from curation.tdsc.config import LENGTH, REPETITION, WORDS, TdscConfig

_UNKNOWN_LENGTH = (
    "how long a text should take is known for some scripts only: leave texts in others out, or [tdsc] out of the recipe"
)


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the rule: the figure it reads, what it wants, where that is set, and the figures of some takes."""

    column: str
    wants: str
    setting: str
    holds: Callable[[float | None], bool]
    figures: Sequence[float | None]

    @property
    def missing(self) -> int:
        return sum(figure is None or isnan(figure) for figure in self.figures)

    @property
    def refused(self) -> int:
        return sum(not self.holds(figure) for figure in self.figures) - self.missing

    def told(self) -> list[str]:
        counts = [(self.missing, f"{self.column} missing"), (self.refused, f"{self.column} not {self.wants}")]
        return [f"{what} ({count:,})" for count, what in counts if count]


def refusals_told(texts: Sequence[Text], config: TdscConfig) -> str:
    """Which parts of the rule refuse how many of the takes that the policy keeps, and what to do.

    A take that several refuse counts for each.
    """
    kept = [candidate for text in texts for candidate in text.candidates if candidate.is_kept]
    little, between = f"< {config.max_repetition:g}", f"{config.min_length:g} to {config.max_length:g}"
    parts = [
        _Part(WORDS, f"< {config.max_wer:g}", "tdsc.max_wer", config.has_its_words, [c.words for c in kept]),
        _Part(REPETITION, little, "tdsc.max_repetition", config.repeats_little, [c.repetition for c in kept]),
        _Part(LENGTH, between, "tdsc.min_length or max_length", config.has_its_length, [c.length for c in kept]),
    ]
    told = ", ".join(what for part in parts for what in part.told())
    return "; ".join(
        [f"the rule of tdsc accepts none of the {len(kept):,} takes that the policy keeps: {told}", *_advice(parts)]
    )


def _advice(parts: Sequence[_Part]) -> list[str]:
    found = []
    if settings := [part.setting for part in parts if part.refused]:
        found.append(f"change {', '.join(settings)} and run again, nothing is recorded twice")
    if lacking := [part.column for part in parts if part.missing]:
        found.append("`synthgen retry` reopens measurements that failed")
        found += [_UNKNOWN_LENGTH] if LENGTH in lacking else []
    return found
