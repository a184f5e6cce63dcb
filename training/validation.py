"""Validation: what a training does with takes that it does not learn from, every so many steps.

    validation.jsonl    a row each time: step, loss and what else is watched per target, and the WER if it is asked for
    best                the name of the best checkpoint of them, which is never removed

It stops nothing: the loss of a projector before a language model lies still for hundreds of steps before it falls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from accelerate import Accelerator

from catalogs.config import parse
from catalogs.errors import TrainingError
from catalogs.ids import seed_of
from training.answering import Answering, DecodingConfig, nearest_reference
from training.members import DataConfig, Member
from training.modes import at_rest
from training.objective import Objective, Utterance
from training.sampling import Draw

GREEDY = DecodingConfig(beams=1)

Load = Callable[[Sequence[Draw]], list[Utterance]]


@dataclass(frozen=True)
class ValidationConfig:
    """What a training is held against.

    ``data`` are tables as those of the training, of split "dev" unless they say otherwise; of their takes at most
    ``takes`` are heard, drawn by hash (None is all). It is done after ``every`` so many steps, in batches of
    ``batch_s`` seconds. The best checkpoint is the one of the lowest loss per target, or, ``by`` "wer", of the lowest
    word error rate of greedy answers: that takes longer, and is what counts, as a loss may fall while answers run on.
    """

    data: tuple[Mapping[str, Any], ...]
    every: int = 200
    by: Literal["loss", "wer"] = "loss"
    takes: int | None = None
    batch_s: float = 60.0
    tables: tuple[DataConfig, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.data:
            raise ValueError("validation.data is empty: expected at least one release")
        if self.every < 1 or not self.batch_s > 0 or (self.takes is not None and self.takes < 1):
            raise ValueError(
                "validation.every and validation.takes must be at least 1, and validation.batch_s positive"
            )
        parsed = [
            parse(DataConfig, {"split": "dev", **table}, source=f"validation.data.{number}")
            for number, table in enumerate(self.data)
        ]
        object.__setattr__(self, "tables", tuple(parsed))

    def table(self) -> dict[str, Any]:
        """What it is, as a recipe has it."""
        return {**{name: getattr(self, name) for name in ("every", "by", "takes", "batch_s")}, "data": [*self.data]}

    def drawn(self, members: Sequence[Member]) -> list[Member]:
        """Those of the members that are heard, short ones first."""
        by_hash = sorted(members, key=lambda member: seed_of("validation", member.take_id))[: self.takes]
        return sorted(by_hash, key=lambda member: (member.duration_s, member.take_id))


class Validation:
    """The takes of a validation, and how they are heard."""

    def __init__(self, config: ValidationConfig, members: Sequence[Member], objective: Objective, load: Load) -> None:
        """``objective`` is the training's own, without what a recipe adds to its loss; ``load`` gives its utterances.

        Raises:
            TrainingError: for a word error rate of a method that writes nothing.
        """
        if config.by == "wer" and not isinstance(objective, Answering):
            raise TrainingError('validation.by = "wer": this method writes nothing down; use "loss"')
        self._config, self._objective, self._load = config, objective, load
        self.draws = [Draw(member, 0) for member in config.drawn(members)]
        self.every, self.by = config.every, config.by

    def measure(self, accelerator: Accelerator) -> dict[str, float]:
        """Loss and what else is watched, per target, and the WER where it is asked for, over all processes."""
        sums: dict[str, float] = {"targets": 0.0}
        torch.manual_seed(seed_of("validation"))
        with torch.no_grad(), at_rest(self._objective.module):
            for batch in self._batches()[accelerator.process_index :: accelerator.num_processes]:
                for name, value in self._sums(self._load(batch), accelerator).items():
                    sums[name] = sums.get(name, 0.0) + value
        shared = _added_up(sums, accelerator)
        words, targets = shared.pop("words", 0.0), shared.pop("targets")
        errors = shared.pop("errors", 0.0)
        row = {name: value / max(targets, 1.0) for name, value in shared.items()}
        return row | ({"wer": errors / max(words, 1.0)} if self.by == "wer" else {})

    def _batches(self) -> list[list[Draw]]:
        batches: list[list[Draw]] = []
        held_s = 0.0
        for draw in self.draws:
            if not batches or held_s + draw.member.duration_s > self._config.batch_s:
                batches.append([])
                held_s = 0.0
            batches[-1].append(draw)
            held_s += draw.member.duration_s
        return batches

    def _sums(self, utterances: list[Utterance], accelerator: Accelerator) -> dict[str, float]:
        objective = self._objective
        batch = objective.collate(utterances).to(accelerator.device)
        with accelerator.autocast():
            found = objective.loss(batch)
        sums = {"loss": found.total, **found.watched}
        told = {name: float(value) for name, value in sums.items()} | {"targets": float(batch.num_targets)}
        if self.by != "wer" or not isinstance(objective, Answering):
            return told
        compared = [
            nearest_reference(utterance, answer.text)[1].words
            for utterance, answer in zip(utterances, objective.answers(utterances, GREEDY), strict=True)
        ]
        told["errors"] = float(sum(each.substitutions + each.insertions + each.deletions for each in compared))
        return told | {"words": float(sum(each.length for each in compared))}


def best_of(rows: Sequence[Mapping[str, Any]], by: str) -> int | None:
    """The step of the lowest figure; of several the first. None if there is none."""
    known = [(row[by], row["step"]) for row in rows if by in row]
    return min(known)[1] if known else None


def _added_up(sums: Mapping[str, float], accelerator: Accelerator) -> dict[str, float]:
    """Sums over all processes; one that heard nothing knows no names but that of the targets."""
    if accelerator.num_processes == 1:
        return dict(sums)
    parts: list[Mapping[str, float]] = [{}] * accelerator.num_processes
    torch.distributed.all_gather_object(parts, dict(sums))
    return {name: sum(part.get(name, 0.0) for part in parts) for name in sorted({n for part in parts for n in part})}
