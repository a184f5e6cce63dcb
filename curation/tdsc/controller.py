"""The controller: where the next round's readings are spent. It decides at a barrier, from stored rows alone.

For every voice and kind of text it estimates what share of readings is accepted at each step of the ladder, by the
mean of a Beta posterior whose prior is the voice's own share. A text is given what it is expected to need, at steps in
proportion to those shares, and at least one try at each as long as that fits; texts that give most for their seconds
come first when the budget runs short.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TypeAlias

from catalogs.ids import Id
from curation.tdsc.candidates import Text
from curation.tdsc.config import TdscConfig
from curation.tdsc.ladder import Ladder

PRIOR_TRIES = 4.0
"""How many tries the voice's own share counts for against those of one kind of text."""

HOPELESS_SHARE = 0.05
HOPELESS_TRIES = 36
"""A kind of text of which a voice has read so many, with less than such a share accepted, is given up."""

GUESSED_S_PER_CHAR = 0.07

Steps: TypeAlias = tuple[int, ...]
"""How many readings a text gets at each step of a round's ladder, in its order."""


@dataclass(slots=True)
class _Arm:
    """One step of the ladder: what has been tried there, and accepted."""

    tries: int = 0
    accepted: int = 0


@dataclass(slots=True)
class _Account:
    """What one voice has shown for one kind of text."""

    arms: list[_Arm]
    chars: int = 0
    audio_s: float = 0.0

    @property
    def tries(self) -> int:
        return sum(arm.tries for arm in self.arms)

    @property
    def accepted(self) -> int:
        return sum(arm.accepted for arm in self.arms)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a text should get, what that costs, and how many accepted readings it should bring."""

    group_id: Id
    steps: Steps
    cost_s: float
    gain: float = field(compare=False)


def plan_round(texts: Sequence[Text], config: TdscConfig, ladder: Ladder) -> Mapping[Id, Steps]:
    """What every text gets in the next round, by group; texts that get nothing are left out."""
    if config.spend == "evenly":
        accounts = _accounts(texts, config, ladder, by_kind=False)
        wishes = [_even_wish(text, accounts, ladder) for text in texts]
    else:
        of_voice, of_kind = (_accounts(texts, config, ladder, by_kind=by_kind) for by_kind in (False, True))
        accounts = of_voice | of_kind
        wishes = [_needed_wish(text, accounts, config) for text in texts]
        wishes.sort(key=lambda wish: -wish.gain / max(wish.cost_s, 1e-9))  # stable: ties keep the job's order
    spent_s = sum(c.audio_s for text in texts for c in text.candidates)
    return _within_budget([wish for wish in wishes if sum(wish.steps)], config, spent_s=spent_s)


def is_hopeless(tries: int, accepted: int) -> bool:
    """Whether so little has been accepted that more tries are thrown away."""
    return tries >= HOPELESS_TRIES and accepted < HOPELESS_SHARE * tries


def _accounts(texts: Sequence[Text], config: TdscConfig, ladder: Ladder, *, by_kind: bool) -> dict[object, _Account]:
    accounts: dict[object, _Account] = defaultdict(lambda: _Account([_Arm() for _ in range(len(ladder))]))
    for text in texts:
        account = accounts[_key(text, by_kind=by_kind)]
        for candidate in text.candidates:
            arm = account.arms[ladder.step_of(text.line.voice_id, candidate.style, candidate.temperature)]
            arm.tries += 1
            arm.accepted += candidate.is_accepted(config)
            account.chars += len(text.line.text)
            account.audio_s += candidate.audio_s
    return accounts


def _key(text: Text, *, by_kind: bool) -> object:
    return (text.line.voice_id, text.kind) if by_kind else text.line.voice_id


def _even_wish(text: Text, accounts: Mapping[object, _Account], ladder: Ladder) -> Wish:
    steps = ladder.evenly()
    return Wish(text.group_id, steps, _cost_s(text, accounts, sum(steps)), gain=0.0)


def _needed_wish(text: Text, accounts: Mapping[object, _Account], config: TdscConfig) -> Wish:
    """What a text still needs, at the shares that its voice shows for its kind."""
    whole = accounts[_key(text, by_kind=False)]
    kin = accounts[_key(text, by_kind=True)]
    lacking = config.keep - len(text.accepted(config))
    if lacking <= 0 or is_hopeless(kin.tries, kin.accepted):
        return Wish(text.group_id, (), 0.0, gain=0.0)
    shares = [
        _share(arm, prior=_share(all_kinds, prior=0.5)) for arm, all_kinds in zip(kin.arms, whole.arms, strict=True)
    ]
    mean = sum(share * share for share in shares) / sum(shares)  # of tries spread by these shares
    tries = min(config.candidates, ceil(lacking / mean))
    steps = _spread(tries, shares)
    gain = min(lacking, sum(n * share for n, share in zip(steps, shares, strict=True)))
    return Wish(text.group_id, steps, _cost_s(text, accounts, tries), gain=gain)


def _share(arm: _Arm, *, prior: float) -> float:
    """The mean of Beta(prior · m, (1 - prior) · m) after the tries of an arm."""
    return (arm.accepted + prior * PRIOR_TRIES) / (arm.tries + PRIOR_TRIES)


def _spread(tries: int, shares: Sequence[float]) -> Steps:
    """Tries in proportion to the shares: one each as far as they go, the rest by largest remainder."""
    if tries < len(shares):
        best = sorted(range(len(shares)), key=lambda n: (-shares[n], n))[:tries]
        return tuple(int(n in best) for n in range(len(shares)))
    left = tries - len(shares)
    exact = [left * share / sum(shares) for share in shares]
    steps = [1 + int(x) for x in exact]
    by_remainder = sorted(range(len(shares)), key=lambda n: (int(exact[n]) - exact[n], n))
    for n in by_remainder[: tries - sum(steps)]:
        steps[n] += 1
    return tuple(steps)


def _cost_s(text: Text, accounts: Mapping[object, _Account], tries: int) -> float:
    account = accounts[_key(text, by_kind=False)]
    s_per_char = account.audio_s / account.chars if account.audio_s else GUESSED_S_PER_CHAR
    return tries * len(text.line.text) * s_per_char


def _within_budget(wishes: Sequence[Wish], config: TdscConfig, *, spent_s: float) -> dict[Id, Steps]:
    granted: dict[Id, Steps] = {}
    for wish in wishes:
        if config.budget_audio_s is not None and spent_s + wish.cost_s > config.budget_audio_s:
            break
        spent_s += wish.cost_s
        granted[wish.group_id] = wish.steps
    return granted
