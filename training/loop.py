"""The training loop, the only one. It knows objectives, epochs and steps, and nothing of any method.

A step is made of ``micro_batches``, over all processes together. Their losses are summed and divided by all their
targets, so it does not matter for a step how it is split: over more micro-batches, or over two processes.
Random numbers, those of dropout for one, are seeded at each step. Killed anywhere, the same training goes on from its
last checkpoint with the same loss curve.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from torch import Tensor

from catalogs.errors import TrainingError, UsageError
from catalogs.ids import seed_of
from catalogs.progress import SILENT, Progress
from catalogs.stage import Outcome, batched
from training import checkpoint
from training.checkpoint import Position
from training.curve import VALIDATION, Curve, rows_of
from training.modes import begin_training
from training.objective import Batch, Objective, Utterance
from training.optim import SHARE, OptimConfig
from training.sampling import Draw, Sampler
from training.validation import Validation, best_of

Load = Callable[[Sequence[Draw]], list[Utterance]]


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How long and how: ``epochs``, or fewer if ``steps`` are taken before.

    ``precision`` is that of the forward pass. ``threads`` 0 is torch's own choice; a fixed number gives the same curve
    bit by bit. A row of the curve is of ``log_every`` steps, the last one of those that are left. The last ``keep``
    checkpoints stay.
    """

    epochs: int = 1
    steps: int | None = None
    micro_batches: int = 1
    precision: Literal["no", "bf16"] = "no"
    threads: int = 0
    seed: int = 0
    log_every: int = 10
    save_every: int = 200
    keep: int = 2

    def __post_init__(self) -> None:
        if min(self.epochs, self.micro_batches, self.log_every, self.save_every, self.keep) < 1:
            raise ValueError("loop.epochs, micro_batches, log_every, save_every and keep must be at least 1")
        if self.steps is not None and self.steps < 1:
            raise ValueError("loop.steps must be at least 1")
        if self.save_every % self.log_every:
            raise ValueError("loop.save_every must be a multiple of log_every, so that a resumed curve is the same")

    def check_shared(self, processes: int) -> None:
        """Refuse processes that have nothing to do.

        Raises:
            UsageError: if there are none, or more than a step has micro-batches.
        """
        if not 1 <= processes <= self.micro_batches:
            raise UsageError(
                f"{processes} processes cannot share the {self.micro_batches} micro-batches of a step; "
                "set loop.micro_batches to a multiple of the processes"
            )

    def set_threads(self) -> None:
        """Compute on as many threads as asked, from here on."""
        if self.threads:
            torch.set_num_threads(self.threads)


@dataclass(slots=True)
class _Sums:
    """What a few steps came to, over all processes."""

    targets: int = 0
    utterances: int = 0
    watched: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    def add(self, watched: Mapping[str, float], *, targets: int, utterances: int) -> None:
        self.targets += targets
        self.utterances += utterances
        for name, value in watched.items():
            self.watched[name] = self.watched.get(name, 0.0) + value

    def remark(self) -> str:
        """The loss so far, for people."""
        return f"loss {self.watched['loss'] / max(self.targets, 1):.3f}"

    def row(self) -> dict[str, float]:
        """Loss per target, what was watched per target, how fast it went and how long it took."""
        spent_s = time.perf_counter() - self.began
        per_target = {name: value / max(self.targets, 1) for name, value in self.watched.items()}
        speed = {"utterances_per_s": self.utterances / max(spent_s, 1e-9), "spent_s": spent_s}
        return {**per_target, "targets": self.targets, **speed}


class Loop:
    """One training: an objective on the epochs of some releases."""

    def __init__(
        self, objective: Objective, epochs: Sampler, load: Load, *, config: LoopConfig, optim: OptimConfig, folder: Path
    ) -> None:
        """``load`` gives the utterances of some draws, with what the objective hears of them."""
        config.set_threads()
        self._objective, self._epochs, self._load = objective, epochs, load
        self._config, self._optim, self._folder = config, optim, folder
        self._accelerator = Accelerator(mixed_precision=config.precision, cpu=not torch.cuda.is_available())
        objective.module.to(self._accelerator.device)
        begin_training(objective.module)
        self._trained = dict(sorted(objective.trained().items()))
        if frozen := [name for name, parameter in self._trained.items() if not parameter.requires_grad]:
            raise TrainingError(f"{len(frozen)} parameters that are to be trained are frozen, {frozen[0]} first")
        self._optimizer = optim.build(self._trained)

    def run(
        self,
        provenance: Mapping[str, Any],
        *,
        total_steps: int,
        validation: Validation | None = None,
        progress: Progress = SILENT,
    ) -> Position:
        """Train to the end from the last checkpoint, if any, validating at checkpoints, one of which is best; to where.

        Raises:
            TrainingError: for a loss or a gradient that is no number, or a checkpoint of another model.
        """
        at = begun = self._resume(total_steps)
        if begun.step >= total_steps:
            return begun
        curve = Curve(self._folder, after=at.step) if self._accelerator.is_main_process else None
        sums = _Sums()
        progress.start("training, steps", total_steps - begun.step)
        for at, draws in self._todo(begun, total_steps):
            rate = self._optim.rate_at(at.step - 1, of=total_steps)
            self._step(draws, rate=rate, sums=sums, step=at.step)
            progress.receive(Outcome(items=1), remark=sums.remark())
            if at.step % self._config.log_every == 0 or at.step == total_steps:
                if curve:
                    curve.add(at, {"rate": rate, **sums.row()})
                sums = _Sums()
            if at.step % self._config.save_every == 0:
                if validation and at.step % validation.every == 0:
                    self._validate(at, validation, curve)
                self._save(at, provenance, validation)
        if at != begun and at.step % self._config.save_every:
            if validation:
                self._validate(at, validation, curve)
            self._save(at, provenance, validation)
        progress.finish()
        if curve:
            curve.close()
        return at

    def _todo(self, begun: Position, total_steps: int) -> Iterator[tuple[Position, list[list[Draw]]]]:
        """The micro-batches of every step that is left, and where training is after it."""
        step = begun.step
        for epoch in range(begun.epoch, self._config.epochs):
            had = begun.steps_of_epoch if epoch == begun.epoch else 0
            steps = batched(self._epochs.batches(epoch), self._config.micro_batches)
            for number, draws in enumerate(islice(steps, had, None), start=had + 1):
                if step >= total_steps:
                    return
                step += 1
                yield Position(step, epoch, number), draws

    def _resume(self, total_steps: int) -> Position:
        found = checkpoint.last(self._folder)
        if found is None:
            return Position()
        goes_on = found.position.step < total_steps
        checkpoint.restore(found, self._trained, self._optimizer if goes_on else None)
        return found.position

    def _validate(self, at: Position, validation: Validation, curve: Curve | None) -> None:
        figures = validation.measure(self._accelerator)
        if curve:
            curve.add_validation(at.step, figures)

    def _save(self, at: Position, provenance: Mapping[str, Any], validation: Validation | None) -> None:
        if self._accelerator.is_main_process:
            best = best_of(rows_of(self._folder, VALIDATION), validation.by) if validation else None
            if best is not None:
                checkpoint.mark_best(self._folder, best)  # before it is there, so that no checkpoint lacks its mark
            checkpoint.save(self._folder, at, trained=self._trained, optimizer=self._optimizer, provenance=provenance)
            checkpoint.keep(self._folder, self._config.keep)
        self._accelerator.wait_for_everyone()

    def _step(self, draws: list[list[Draw]], *, rate: float, sums: _Sums, step: int) -> None:
        accelerator = self._accelerator
        torch.manual_seed(seed_of(self._config.seed, step, accelerator.process_index))  # on every device
        mine = draws[accelerator.process_index :: accelerator.num_processes]
        batches = [self._objective.collate(self._load(each)).to(accelerator.device) for each in mine or draws[:1]]
        share = 1.0 if mine else 0.0  # a process that has none at the end of an epoch goes along with one of weight 0
        count = torch.tensor([sum(b.num_targets for b in batches), sum(map(len, mine))], device=accelerator.device)
        targets, utterances = (int(n) for n in accelerator.reduce(count * int(share), "sum"))
        watched = [self._backward(batch, scale=share / max(targets, 1), step=step) for batch in batches]
        self._share_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self._trained.values(), self._optim.clip or inf)
        if not torch.isfinite(norm):  # what is trained must not become that
            raise _no_number("gradient", norm, batches, step=step)
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group[SHARE]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        sums.add(self._summed(watched, share=share), targets=targets, utterances=utterances)

    def _backward(self, batch: Batch, *, scale: float, step: int) -> dict[str, Tensor]:
        with self._accelerator.autocast():
            found = self._objective.loss(batch)
        if not torch.isfinite(found.total):
            raise _no_number("loss", found.total, [batch], step=step)
        if found.total.requires_grad:  # a batch of nothing but texts teaches no projector
            (found.total * scale).backward()  # type: ignore[no-untyped-call]  # torch
        return {"loss": found.total.detach(), **{name: value.detach() for name, value in found.watched.items()}}

    def _share_gradients(self) -> None:
        """Add up the gradients of all processes."""
        if self._accelerator.num_processes == 1:
            return
        for parameter in self._trained.values():
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = self._accelerator.reduce(gradient, "sum")

    def _summed(self, watched: list[dict[str, Tensor]], *, share: float) -> dict[str, float]:
        """Sums over micro-batches and processes."""
        sums = {name: share * torch.stack([each[name].double() for each in watched]).sum() for name in watched[0]}
        return {name: float(self._accelerator.reduce(value, "sum")) for name, value in sorted(sums.items())}


def _no_number(what: str, found: Tensor, batches: Sequence[Batch], *, step: int) -> TrainingError:
    """What to say of a loss or a gradient that is no number."""
    some = ", ".join([take_id for batch in batches for take_id in batch.take_ids][:3])
    return TrainingError(
        f"step {step}: the {what} is {found.item()}; its takes begin with {some}; "
        'a lower optim.rate, or precision "no", may help'
    )
