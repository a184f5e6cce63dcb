"""DGSA: read a text expressively and flatly in one voice, and learn from a better reading what each of them lacks.

"Bridging the Stability-Expressivity Gap" (ICML 2026) turns a voice's style on and off while its timbre stays. The
expressive reading makes mistakes, and a reading without them is *preferred for stability*; the stable one is flat, and
a livelier reading is *preferred for expressivity*. The larger the synthetic share of the training data, the more
weight expressivity gets. Winner and loser always have one voice and one timbre, so speakers are never compared.

Up to the threshold share the paper says two things, no tuning at all and stability alone: here it is a switch.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from catalogs.ids import Id
from catalogs.records import Failure, Line, Preference, Prompt, VoiceCard
from curation.toggles import Mode, manner_of
from synthgen.casting import Casting, CastingConfig, Manner, Part
from synthgen.spoken import Spoken

METHOD = "dgsa"
STABILITY, EXPRESSIVITY = "stability", "expressivity"

Role: TypeAlias = Literal["expressive", "stable", "real", "own"]


@dataclass(frozen=True, slots=True)
class DgsaConfig:
    """``threshold`` is the synthetic share from which expressivity counts, the paper's α*.

    ``below`` says what is tuned up to it: nothing ("sft"), or stability alone. ``max_wer`` is what a generated winner
    may have. ``least_gain_st`` is how many semitones more pitch spread a generated winner needs to be preferred for
    expressivity. ``real`` names, for a voice, the real speaker whom it speaks as: ``{"coqui/anna" = "human/anna"}``.
    ``takes`` is how often each mode is read.
    """

    threshold: float = 0.5
    below: Literal["sft", "stability"] = "sft"
    max_wer: float = 0.4
    least_gain_st: float = 0.2
    takes: int = 1
    seed: int = 0
    real: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < 1:
            raise ValueError("dgsa.threshold must be from 0 to below 1")
        if self.takes < 1:
            raise ValueError("dgsa.takes must be at least 1")
        if self.least_gain_st < 0:
            raise ValueError("dgsa.least_gain_st must not be negative")

    def manners(self, card: VoiceCard) -> Iterator[Manner]:
        """How a voice reads every text: expressively and flatly, again only where a seed makes a difference.

        Raises:
            UsageError: for a voice without a style to turn off.
        """
        for mode in Mode:
            manner = manner_of(card, mode)
            for number in range(self.takes if manner.temperature is not None else 1):
                yield Manner(manner.style, manner.timbre, manner.temperature, number)


@dataclass(frozen=True, slots=True)
class Weights:
    """What each of the two losses counts for, λ_s and λ_e; both 0 says that nothing is tuned."""

    stability: float
    expressivity: float


@dataclass(frozen=True, slots=True)
class DgsaTake:
    """A take as DGSA sees it: whose it is, what part it plays, and the figures that decide.

    ``identity`` is equal for takes that sound like one speaker. ``is_kept`` is the policy's verdict.
    """

    take_id: Id
    prompt_id: Id
    identity: str
    role: Role
    wer: float | None
    f0_sd_st: float | None
    is_kept: bool


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


def dgsa_lines(
    prompts: Iterable[Prompt], card: VoiceCard, *, spoken: Spoken, config: DgsaConfig, batch: int = 1
) -> list[Line | Failure]:
    """The expressive and the stable line of each prompt by one voice; a prompt that cannot be cast is a failure.

    Raises:
        UsageError: for a voice without a style to turn off.
    """
    casting = Casting(CastingConfig(seed=config.seed), [Part(card, batch)], spoken)
    made = [item for prompt in prompts for item in casting.lines(prompt, config.manners)]
    return [*made, *casting.rest()]


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
