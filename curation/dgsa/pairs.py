"""DGSA: read a text expressively and flatly in one voice, and learn from a better reading what each of them lacks.

"Bridging the Stability-Expressivity Gap" (ICML 2026) turns a voice's style on and off while its timbre stays. The
expressive reading makes mistakes, and a reading without them is *preferred for stability*; the stable one is flat, and
a livelier reading is *preferred for expressivity*. The larger the synthetic share of the training data, the more
weight expressivity gets. Winner and loser always have one voice and one timbre, so speakers are never compared.

Up to the threshold share the paper says two things, no tuning at all and stability alone: here it is a switch.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from catalogs.ids import Id
from catalogs.records import Preference
from curation.dgsa.config import DgsaConfig

METHOD = "dgsa"
STABILITY, EXPRESSIVITY = "stability", "expressivity"
NEEDED = ("wer", "f0_sd_st")
"""The columns of ``takes`` that decide."""

Role: TypeAlias = Literal["expressive", "stable", "real", "own"]


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


def preferences_of(takes: Sequence[DgsaTake], config: DgsaConfig, *, iteration: int) -> list[Preference]:
    """The pairs that takes of any prompts and voices give, in the order of prompts and identities.

    A real reading wins over both modes. Without one the best reading that was kept wins over the expressive one if it
    has fewer word errors, and the liveliest that was kept over the stable one if its pitch spreads more.
    """
    groups: dict[tuple[Id, str], list[DgsaTake]] = defaultdict(list)
    for take in takes:
        groups[take.prompt_id, take.identity].append(take)
    losers = (take for key in sorted(groups) for take in sorted(groups[key], key=_by_id))
    found = (_lost(loser, groups[loser.prompt_id, loser.identity], config, iteration=iteration) for loser in losers)
    return [preference for preference in found if preference]


def _lost(loser: DgsaTake, group: Sequence[DgsaTake], config: DgsaConfig, *, iteration: int) -> Preference | None:
    """What a take of either mode loses to; None if nothing in its group is better."""
    real = sorted((take for take in group if take.role == "real"), key=_by_id)
    fit = [take for take in group if take.is_kept and _wer(take) <= config.max_wer]
    if loser.role == "expressive":
        objective = STABILITY
        better = sorted((t for t in fit if _wer(t) < _wer(loser)), key=lambda t: (_wer(t), t.take_id))
    elif loser.role == "stable":
        objective = EXPRESSIVITY
        least_st = _spread(loser) + config.least_gain_st
        better = sorted((t for t in fit if _spread(t) >= least_st), key=lambda t: (-_spread(t), t.take_id))
    else:
        return None
    winners = real or [take for take in better if take != loser]
    if not winners:
        return None
    return Preference(loser.prompt_id, winners[0].take_id, loser.take_id, objective, METHOD, iteration)


def _by_id(take: DgsaTake) -> Id:
    return take.take_id


def _wer(take: DgsaTake) -> float:
    """A take that was not heard has the worst."""
    return float("inf") if take.wer is None else take.wer


def _spread(take: DgsaTake) -> float:
    """A take without pitch has none; it is never beaten for that, nor does it win."""
    return float("nan") if take.f0_sd_st is None else take.f0_sd_st
