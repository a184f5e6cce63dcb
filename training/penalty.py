"""A penalty on telling synthetic speech from real: what the projector makes of either is to look alike.

The slots of an utterance are pooled to their mean, and the pooled slots of a batch's real and synthetic utterances are
compared: by their covariances (CORAL; Sun & Saenko 2016), or by all their moments (MMD with Gaussian kernels; Gretton
et al. 2012, Long et al. 2015). Both have no parameters, so a checkpoint is that of the objective alone.

B utterances · N slots · W width of the language model
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from catalogs.errors import TrainingError
from training.objective import Batch, Loss, Objective, Utterance
from training.projectors import Projector

_FEWEST = 2
"""Utterances of a kind that have a covariance."""

_KERNELS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Widths of the kernels, as multiples of the median square distance."""


@dataclass(frozen=True, slots=True)
class PenaltyConfig:
    """Which penalty, and its ``weight`` beside the mean loss of a target."""

    kind: Literal["coral", "mmd"] = "coral"
    weight: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"penalty.weight = {self.weight}: expected more than 0; leave penalty out for none")

    def around(self, objective: Objective) -> "Penalised":
        """The objective, penalised.

        Raises:
            TrainingError: if it has no projector.
        """
        return Penalised(objective, self)


class Penalised:
    """An objective whose loss has a penalty added; see `Objective`. Everything else is the objective's own."""

    def __init__(self, objective: Objective, config: PenaltyConfig) -> None:
        projector = getattr(objective.module, "projector", None)
        if not isinstance(projector, Projector):
            raise TrainingError("objective.penalty compares what a projector makes, and this method has none")
        self._objective, self._config = objective, config
        self._projector: Projector = projector
        self.module: nn.Module = objective.module

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What the objective trains."""
        return self._objective.trained()

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """The objective's batch, and which of its utterances are synthetic."""
        batch = self._objective.collate(utterances)
        kinds = torch.tensor([utterance.is_synthetic for utterance in utterances])
        return replace(batch, tensors={**batch.tensors, "is_synthetic": kinds})

    def loss(self, batch: Batch) -> Loss:
        """The objective's, and the penalty for every target; watched: ``penalty``.

        It is 0 for a batch with fewer than two utterances of either kind.
        """
        caught: list[Tensor] = []
        hook = self._projector.register_forward_hook(
            lambda _module, _inputs, slots: caught.append(slots) if torch.is_grad_enabled() else None
        )
        try:
            found = self._objective.loss(batch)
        finally:
            hook.remove()
        lengths = self._projector.output_lengths(batch.tensors["lengths"])
        added = batch.num_targets * self._apart(pooled(caught[0], lengths), batch.tensors["is_synthetic"])
        return Loss(found.total + self._config.weight * added, {**found.watched, "penalty": added.detach()})

    def _apart(self, rows: Tensor, is_synthetic: Tensor) -> Tensor:
        synthetic, real = rows[is_synthetic], rows[~is_synthetic]
        if min(len(synthetic), len(real)) < _FEWEST:
            return rows.new_zeros(())
        scale = rows.detach().std().clamp(min=1e-6)  # so that a weight means the same for every language model
        compare = {"coral": coral, "mmd": mmd}[self._config.kind]
        with torch.autocast(rows.device.type, enabled=False):  # products in bfloat16 would drown what is compared
            return compare(synthetic / scale, real / scale)


def pooled(slots: Tensor, lengths: Tensor) -> Tensor:
    """The mean (B, W), in float32, of the first ``lengths`` (B,) slots of (B, N, W)."""
    heard = torch.arange(slots.shape[1], device=slots.device) < lengths[:, None]  # (B, N)
    total = slots.float().masked_fill(~heard[..., None], 0.0).sum(dim=1)
    return total / lengths.clamp(min=1)[:, None]


def coral(ours: Tensor, theirs: Tensor) -> Tensor:
    """How far the covariances of two sets of rows (B, W) are apart: the mean square of what their entries differ by.

    Sun & Saenko divide by 4 W squared, and so do we.
    """
    return (_covariance(ours) - _covariance(theirs)).square().mean() / 4


def mmd(ours: Tensor, theirs: Tensor) -> Tensor:
    """The squared maximum mean discrepancy of two sets of rows (B, W): 0 for equal sets, at most 2.

    The mean of Gaussian kernels about the median of all square distances. The estimate is the biased one: two small
    samples of one distribution are a little apart, by about 1 over their size.
    """
    rows = torch.cat([ours, theirs])
    return mmd_apart((rows[:, None] - rows[None]).square().sum(dim=-1), len(ours))


def mmd_apart(apart: Tensor, count: int) -> Tensor:
    """The same of the square distances (B, B) of all rows, of which the first ``count`` are ours."""
    off = ~torch.eye(len(apart), dtype=torch.bool, device=apart.device)
    median = apart.detach()[off].median().clamp(min=1e-12)
    alike = torch.stack([torch.exp(-apart / (width * median)) for width in _KERNELS]).mean(dim=0)
    return alike[:count, :count].mean() + alike[count:, count:].mean() - 2 * alike[:count, count:].mean()


def _covariance(rows: Tensor) -> Tensor:
    """(B, W) to (W, W)."""
    centred = rows - rows.mean(dim=0)
    found: Tensor = centred.T @ centred / (len(rows) - 1)
    return found
