"""GRPO (Shao et al. 2024) for SLAM-ASR: a recogniser learns from what its own answers are worth.

Of each utterance a group of answers is sampled, rollouts; a rollout is worth 1 - WER, and what is worth more than its
group's mean is made likelier. Synthetic speech teaches by given words alone to be sure of what nobody said, words that
run on behind the end; answers of one's own show that stopping is worth more (arXiv 2607.08409, whose settings these
are).

Rollouts are learned from once, by the policy that sampled them. So the ratio of PPO is 1 in value, and its clip, 0.2
in the paper, could never act: there is none. What the loss shows is then the pull back to the start alone. Dropout,
where there is any, acts when rollouts are learned from, and not when they are sampled.

B utterances · G rollouts of each · R = B * G rows, those of an utterance next to each other · A tokens · N slots
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from training.answering import Answer, DecodingConfig, nearest_reference
from training.decoding import sample_batch
from training.modes import at_rest
from training.objective import Batch, Loss, Utterance
from training.padding import IGNORED, lay_out
from training.slam_asr import SlamAsr

_LIMITS = DecodingConfig()
"""A rollout is cut where evaluation cuts an answer if nothing else is said."""

_LEAST_SPREAD = 1e-4
"""What is added to the spread of rewards that advantages are divided by."""


@dataclass(frozen=True, slots=True)
class GrpoConfig:
    """How many ``rollouts`` an utterance gets, at which ``temperature``; ``beta`` weighs the pull back to the start.

    ``beta`` 0 does without the start, and saves a pass.
    """

    rollouts: int = 4
    temperature: float = 0.8
    beta: float = 0.04

    def __post_init__(self) -> None:
        if self.rollouts < 2:
            raise ValueError(f"objective.rollouts = {self.rollouts}: expected at least 2, which can be compared")
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"objective.temperature = {self.temperature}: expected more than 0")
        if not (isfinite(self.beta) and self.beta >= 0):
            raise ValueError(f"objective.beta = {self.beta}: expected 0 or more")


class Grpo:
    """The objective; see `Objective`. It trains what a SLAM-ASR trains, and answers as one."""

    def __init__(self, asr: SlamAsr, config: GrpoConfig) -> None:
        self.module, self.template = asr.module, asr.template
        self.asr, self._config = asr, config
        self.keep_start()

    def keep_start(self) -> None:
        """See `HeldToStart`: the pull is to what is trained as it is now."""
        self._start = {name: parameter.detach().clone() for name, parameter in self.trained().items()}

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What the recogniser trains: the projector, and LoRA."""
        return self.asr.trained()

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What is heard. Raises as `SlamAsr.answers` does."""
        return self.asr.answers(utterances, settings)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """A batch of questions: every target is a rollout. Raises as `SlamAsr.collate` does."""
        questions = self.asr.questions(utterances)
        return replace(questions, num_targets=len(utterances) * self._config.rollouts, utterances=tuple(utterances))

    def loss(self, batch: Batch) -> Loss:
        """Sample rollouts, by torch's own random numbers, and learn from them: see `learned_from`."""
        each, temperature = self._config.rollouts, self._config.temperature
        rollouts = sample_batch(self.asr, batch, _LIMITS, each=each, temperature=temperature)
        return self.learned_from(batch, rollouts)

    def learned_from(self, batch: Batch, rollouts: Sequence[Sequence[int]]) -> Loss:
        """The loss of the rollouts of a batch in tokens, as `sample_batch` gives them: a sum of means over tokens.

        Watched: ``reward``, ``wer``, ``length`` in tokens; whether a rollout ``ended`` by itself; whether its group is
        ``tied``, all worth the same, and teaches nothing; with a beta ``kl``, from the start, of a token.
        """
        tensors = self._laid_out(batch, rollouts)
        rewards = self._rewards(batch.utterances, rollouts)
        audio = self.module.projector(batch.tensors["features"], batch.tensors["lengths"])  # (B, N, W)
        audio = audio.repeat_interleave(self._config.rollouts, dim=0)  # (R, N, W)
        found = self._log_probs(self.module(tensors, audio), tensors)  # (R, A)
        gained = advantages(rewards).flatten().to(found)
        ratio = (found - found.detach()).exp()  # 1, with the gradient of the log probability
        per_token = -gained[:, None] * ratio
        ended = [rollout[-1] == self.template.eos for rollout in rollouts]
        watched = {
            "reward": rewards.sum(),
            "wer": (1 - rewards).sum(),
            "length": torch.tensor(sum(map(len, rollouts))),
            "ended": torch.tensor(sum(ended)),
            "tied": (rewards == rewards[:, :1]).all(dim=1).sum() * self._config.rollouts,
        }
        is_read = tensors["labels"] != IGNORED
        if self._config.beta:
            kl = divergence(found, self._log_probs_at_start(batch, tensors))
            per_token = per_token + self._config.beta * kl
            watched["kl"] = _means(kl.detach(), is_read).sum()
        on_device = {name: value.to(found.device) for name, value in watched.items()}
        return Loss(_means(per_token, is_read).sum(), on_device)

    def _laid_out(self, batch: Batch, rollouts: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """The question of each rollout, and the rollout as its answer."""
        questions = [self.asr.fill(utterance, answered=False) for utterance in batch.utterances]
        each = self._config.rollouts
        rows = [replace(questions[number // each], answer=rollout) for number, rollout in enumerate(rollouts)]
        return {name: tensor.to(batch.tensors["lengths"].device) for name, tensor in lay_out(rows).items()}

    def _rewards(self, utterances: Sequence[Utterance], rollouts: Sequence[Sequence[int]]) -> Tensor:
        """What rollouts are worth (B, G)."""
        each = self._config.rollouts
        texts = [self.template.read(rollout) for rollout in rollouts]
        worth = [reward(utterances[number // each], text) for number, text in enumerate(texts)]
        return torch.tensor(worth, dtype=torch.float64).view(-1, each)

    def _log_probs(self, logits: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
        """The log probabilities (R, A), in float32, by which the tokens were sampled, 0 where there is none."""
        scaled, labels = (logits.float() / self._config.temperature).flatten(0, 1), tensors["labels"]
        found = functional.cross_entropy(scaled, labels.flatten(), ignore_index=IGNORED, reduction="none")
        return -found.view_as(labels)

    def _log_probs_at_start(self, batch: Batch, tensors: Mapping[str, Tensor]) -> Tensor:
        """What they were when training began; nothing is dropped, and no gradient goes there."""
        heard = {name: batch.tensors[name] for name in ("features", "lengths")}
        repeated = {name: tensor.repeat_interleave(self._config.rollouts, dim=0) for name, tensor in heard.items()}
        self._start = {name: tensor.to(heard["features"].device) for name, tensor in self._start.items()}
        with torch.no_grad(), at_rest(self.module):
            logits = functional_call(self.module, self._start, ({**tensors, **repeated},))
            return self._log_probs(logits, tensors)


def reward(utterance: Utterance, text: str) -> float:
    """What an answer is worth: 1 - WER, as `synthgen evaluate` counts, of the text as written or as spoken; at most 1.

    It has no lower bound: every word too many costs, however many there are.
    """
    return 1 - nearest_reference(utterance, text)[1].words.wer


def advantages(rewards: Tensor) -> Tensor:
    """By how many standard deviations rewards (B, G) are above their group's mean; 0 in a group that is tied.

    The deviation is that of a sample, G - 1, as in TRL.
    """
    above = rewards - rewards[:, :1]  # exactly 0 where all are equal, which a mean may miss by a rounding
    return (above - above.mean(dim=1, keepdim=True)) / (above.std(dim=1, keepdim=True) + _LEAST_SPREAD)


def divergence(ours: Tensor, theirs: Tensor) -> Tensor:
    """The KL divergence of us from them, estimated at tokens that we sampled, from both log probabilities.

    It is Schulman's k3, r - 1 - log r for r = theirs / ours, as in GRPO: never negative, and without bias. Its
    gradient, the tokens held fixed, is on average that of the divergence of them from us, 0 in the same place.
    """
    apart = theirs - ours
    return apart.exp() - 1 - apart


def _means(values: Tensor, counted: Tensor) -> Tensor:
    """The means (R,) of the values (R, A) that count."""
    return values.masked_fill(~counted, 0.0).sum(dim=1) / counted.sum(dim=1)
