"""DGSA: read a text expressively and flatly in one voice, and learn from a better reading what each of them lacks.

"Bridging the Stability-Expressivity Gap" (ICML 2026) turns a voice's style on and off while its timbre stays. The
expressive reading makes mistakes, and a reading without them is *preferred for stability*; the stable one is flat, and
a livelier reading is *preferred for expressivity*. The larger the synthetic share of the training data, the more
weight expressivity gets. Winner and loser always have one voice and one timbre, so speakers are never compared.

A take that lacks the figure by which an objective compares is in no pair for it, as winner or as loser: that it was not
measured says nothing of how it was read. `left_out` tells which takes these are, and why.

Up to the threshold share the paper says two things, no tuning at all and stability alone: here it is a switch.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal, TypeAlias

from catalogs.ids import Id
from catalogs.records import Preference
from curation.dgsa.config import DgsaConfig

METHOD = "dgsa"
STABILITY, EXPRESSIVITY = "stability", "expressivity"
NEEDED = ("wer", "f0_sd_st")
"""The columns of ``takes`` that decide."""

READS: Mapping[str, tuple[str, ...]] = {STABILITY: ("wer",), EXPRESSIVITY: NEEDED}
"""The columns by which each objective compares: a livelier winner must have its words, too."""

Role: TypeAlias = Literal["expressive", "stable", "real", "own"]

_LOSES_FOR: Mapping[Role, str] = {"expressive": STABILITY, "stable": EXPRESSIVITY}


@dataclass(frozen=True, slots=True)
class DgsaTake:
    """A take as DGSA sees it: whose it is, what part it plays, and the figures that decide.

    ``identity`` is equal for takes that sound like one speaker: a voice, or the human as whom it speaks. ``is_kept`` is
    the policy's verdict.
    """

    take_id: Id
    prompt_id: Id
    identity: str
    role: Role
    wer: float | None
    f0_sd_st: float | None
    is_kept: bool

    def lacks(self, objective: str) -> tuple[str, ...]:
        """The figures that an objective reads, and that this take has not; a real reading needs none."""
        if self.role == "real":
            return ()
        figures = {"wer": self.wer, "f0_sd_st": self.f0_sd_st}
        return tuple(name for name in READS[objective] if _is_missing(figures[name]))


def preferences_of(takes: Sequence[DgsaTake], config: DgsaConfig, *, iteration: int) -> list[Preference]:
    """The pairs that takes of any prompts and voices give, in the order of prompts and identities.

    A real reading wins over both modes. Without one the best reading that was kept wins over the expressive one if it
    has fewer word errors, and the liveliest that was kept over the stable one if its pitch spreads more. What was not
    measured is left out.
    """
    groups: dict[tuple[Id, str], list[DgsaTake]] = defaultdict(list)
    for take in takes:
        groups[take.prompt_id, take.identity].append(take)
    losers = (take for key in sorted(groups) for take in sorted(groups[key], key=_by_id))
    found = (_lost(loser, groups[loser.prompt_id, loser.identity], config, iteration=iteration) for loser in losers)
    return [preference for preference in found if preference]


def left_out(takes: Sequence[DgsaTake]) -> dict[Id, str]:
    """Why takes are in no pair, or in none for one of the objectives, for want of a figure; in the order of takes."""
    found: dict[Id, str] = {}
    for take in sorted(takes, key=_by_id):
        lacking = {objective: names for objective in READS if (names := take.lacks(objective))}
        if lacking:
            missing = dict.fromkeys(name for names in lacking.values() for name in names)
            whose = "" if len(lacking) == len(READS) else f" for {' and '.join(lacking)}"
            found[take.take_id] = f"{' and '.join(missing)} missing: in no pair{whose}"
    return found


def _lost(loser: DgsaTake, group: Sequence[DgsaTake], config: DgsaConfig, *, iteration: int) -> Preference | None:
    """What a take of either mode loses to; None if nothing in its group is better, or it was not measured."""
    objective = _LOSES_FOR.get(loser.role)
    if objective is None or loser.lacks(objective):
        return None
    measured = [take for take in group if take != loser and not take.lacks(objective)]
    real = sorted((take for take in measured if take.role == "real"), key=_by_id)
    fit = [take for take in measured if take.is_kept and _wer(take) <= config.max_wer]
    if objective == STABILITY:
        better = sorted((t for t in fit if _wer(t) < _wer(loser)), key=lambda t: (_wer(t), t.take_id))
    else:
        least_st = _spread(loser) + config.least_gain_st
        better = sorted((t for t in fit if _spread(t) >= least_st), key=lambda t: (-_spread(t), t.take_id))
    winners = real or better
    if not winners:
        return None
    return Preference(loser.prompt_id, winners[0].take_id, loser.take_id, objective, METHOD, iteration)


def _by_id(take: DgsaTake) -> Id:
    return take.take_id


def _is_missing(figure: float | None) -> bool:
    return figure is None or isnan(figure)


def _wer(take: DgsaTake) -> float:
    """Asked only of takes that were measured; not a number for a real one that was not."""
    return float("nan") if take.wer is None else take.wer


def _spread(take: DgsaTake) -> float:
    """As `_wer`."""
    return float("nan") if take.f0_sd_st is None else take.f0_sd_st
