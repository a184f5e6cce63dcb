"""The loss of preference tuning: make what was liked likelier than what was not, compared with a frozen reference.

Direct preference optimisation (Rafailov et al. 2023) and its relatives: IPO (Azar et al. 2024) and smoothed labels
(Mitchell 2023). On its own the loss may lower the likelihood of both readings, and a voice then collapses after some
thousand steps; a share of cross entropy on the winner holds it (MPO, 2025).

B pairs · N tokens · V codes
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import torch

from synthgen.policy import Policy, TokenLogprobs, Utterance

IGNORED = -100
"""The target of a position that does not count."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What one model says of the winners and of the losers, row by row."""

    winner: TokenLogprobs
    loser: TokenLogprobs


@dataclass(frozen=True, slots=True)
class Terms:
    """A loss and what to watch while it falls; every field has shape (B,).

    ``margin`` is how much more than the reference the policy prefers the winner, in nats. ``winner_gain`` is how much
    likelier than for the reference the winner is: if it falls far below 0, the policy is forgetting how to speak.
    """

    loss: torch.Tensor
    margin: torch.Tensor
    winner_gain: torch.Tensor


@dataclass(frozen=True, slots=True)
class PreferenceLoss:
    """Settings of the loss.

    ``beta`` is how closely the reference is followed. ``kind`` "ipo" aims at a margin of 1 / (2 beta) in place of an
    ever larger one. ``label_smoothing``, below 0.5, is the share of pairs taken to be the wrong way round.
    ``cross_entropy`` is the weight of the winner's cross entropy per token. With ``by_length`` the logarithm of a
    reading's probability is its mean over the tokens, else their sum.
    """

    beta: float = 0.1
    kind: Literal["dpo", "ipo"] = "dpo"
    label_smoothing: float = 0.0
    cross_entropy: float = 0.0
    by_length: bool = False

    def __post_init__(self) -> None:
        if not (isfinite(self.beta) and self.beta > 0):
            raise ValueError("beta must be positive")
        if not 0 <= self.label_smoothing < 0.5:
            raise ValueError("label_smoothing must be from 0 to below 0.5")
        if self.kind == "ipo" and self.label_smoothing:
            raise ValueError("label_smoothing belongs to dpo; ipo is bounded without it")
        if not (isfinite(self.cross_entropy) and self.cross_entropy >= 0):
            raise ValueError("cross_entropy must not be negative")

    def __call__(self, policy: Pair, reference: Pair) -> Terms:
        """The loss of each pair; at the start, when policy and reference are one, that of dpo is ln 2.

        Gradients reach the policy only.
        """
        winner_gain = self._gain(policy.winner, reference.winner)
        margin = winner_gain - self._gain(policy.loser, reference.loser)
        loss = self._of_margin(margin)
        if self.cross_entropy:
            loss = loss - self.cross_entropy * _total(policy.winner, by_length=True)
        return Terms(loss, margin.detach(), winner_gain.detach())

    def _gain(self, policy: TokenLogprobs, reference: TokenLogprobs) -> torch.Tensor:
        return _total(policy, by_length=self.by_length) - _total(reference, by_length=self.by_length).detach()

    def _of_margin(self, margin: torch.Tensor) -> torch.Tensor:
        if self.kind == "ipo":
            return (margin - 1 / (2 * self.beta)).square()
        right = torch.nn.functional.logsigmoid(self.beta * margin)
        if not self.label_smoothing:
            return -right
        wrong = torch.nn.functional.logsigmoid(-self.beta * margin)
        return -(1 - self.label_smoothing) * right - self.label_smoothing * wrong


def compare(policy: Policy, winners: Sequence[Utterance], losers: Sequence[Utterance]) -> Pair:
    """Ask one model about winners and losers, which are pairs in order.

    Raises:
        ValueError: if there are not as many of the one as of the other.
    """
    if len(winners) != len(losers):
        raise ValueError(f"{len(winners)} winners and {len(losers)} losers do not make pairs")
    return Pair(policy.logprob(winners), policy.logprob(losers))


def token_logprobs(logits: torch.Tensor, targets: torch.Tensor) -> TokenLogprobs:
    """What a model's ``logits`` (B, N, V) say of ``targets`` (B, N), where `IGNORED` does not count.

    Position n of the logits is the guess for position n of the targets: shifting is the caller's.
    """
    counted = targets != IGNORED
    safe = targets.masked_fill(~counted, 0)
    values = torch.log_softmax(logits.float(), dim=-1).gather(-1, safe.unsqueeze(-1)).squeeze(-1)  # (B, N)
    return TokenLogprobs(values, counted)


def _total(given: TokenLogprobs, *, by_length: bool) -> torch.Tensor:
    """The sum, or the mean, over the positions that count, (B,); 0 for a row without any."""
    total = torch.where(given.counted, given.values, 0.0).sum(dim=-1)
    return total / given.counted.sum(dim=-1).clamp(min=1) if by_length else total
