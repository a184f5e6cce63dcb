"""Checkpoints: what was trained, where it came from, and what it takes to go on as if nothing had happened.

    step-00001200/
        trained.safetensors     the trained parameters, by name, and nothing that was frozen
        training.safetensors    the optimiser's moments
        checkpoint.json         how far training was, and its provenance: releases, recipe, versions

Beside them lies ``best``, if training was validated: the name of the one that did best, which is what the training's
folder stands for; training itself goes on from the last.

A checkpoint appears under its name when it is whole; one that is replaced is put aside until then. Nothing in it is a
pickle.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim import Optimizer

from catalogs.errors import TrainingError
from training.tensors import readable, write_tensors

TRAINED, TRAINING, ABOUT = "trained.safetensors", "training.safetensors", "checkpoint.json"
BEST = "best"


@dataclass(frozen=True, slots=True)
class Position:
    """How far training is: optimiser steps taken, the epoch under way, and the steps it has had of that epoch."""

    step: int = 0
    epoch: int = 0
    steps_of_epoch: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint on disk."""

    folder: Path
    position: Position
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def trained(self) -> dict[str, Tensor]:
        """The trained parameters, by name.

        Raises:
            TrainingError: if they are not there, or damaged.
        """
        path = self.folder / TRAINED
        missing = "put it back, or name another checkpoint"
        damaged = "put the file back as it was, or train again"
        with readable(path, what="the trained parameters", missing=missing, damaged=damaged):
            return load_file(path)


def save(
    folder: Path,
    position: Position,
    *,
    trained: Mapping[str, nn.Parameter],
    optimizer: Optimizer | None,
    provenance: Mapping[str, Any],
) -> Checkpoint:
    """Write ``folder/step-N``, whole or not at all."""
    moments = _moments(trained, optimizer) if optimizer else {}
    return write(
        folder / _name(position.step),
        position,
        trained={name: parameter.detach() for name, parameter in trained.items()},
        training=moments,
        provenance=provenance,
    )


def write(
    to: Path,
    position: Position,
    *,
    trained: Mapping[str, Tensor],
    provenance: Mapping[str, Any],
    training: Mapping[str, Tensor] | None = None,
    beside: Mapping[str, str] | None = None,
) -> Checkpoint:
    """Write a checkpoint to this very folder, whole or not at all.

    Without ``training`` it can be used and started from, but no training goes on in it. ``beside`` are texts by the
    names of further files.
    """
    part, aside = _beside(to)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    write_tensors(trained, part / TRAINED)
    if training is not None:
        write_tensors(training, part / TRAINING)
    texts = {ABOUT: _told(position, provenance), **(beside or {})}
    for name, text in texts.items():
        (part / name).write_text(text, encoding="utf-8")
    for path in part.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if to.exists():
        shutil.rmtree(aside, ignore_errors=True)
        to.rename(aside)
    part.rename(to)
    clear(to)
    return Checkpoint(to, position, provenance)


def clear(to: Path) -> None:
    """Remove what a `write` to this folder that was killed has left beside it."""
    for left in _beside(to):
        shutil.rmtree(left, ignore_errors=True)


def tell(found: Checkpoint, provenance: Mapping[str, Any]) -> None:
    """Write what a checkpoint says of itself anew; its parameters stay."""
    put_text(found.folder / ABOUT, _told(found.position, provenance))


def load(folder: Path) -> Checkpoint:
    """A checkpoint by its folder, or the best or else the last one of a training by its.

    Raises:
        TrainingError: if there is none, or it is damaged.
    """
    folder = folder.expanduser()
    found = folder if (folder / ABOUT).exists() else _best(folder) or _last(folder)
    if found is None:
        raise TrainingError(f"{folder} is no checkpoint, and has none in it: expected {ABOUT}, or folders step-N")
    try:
        about = json.loads((found / ABOUT).read_text(encoding="utf-8"))
        return Checkpoint(found, Position(**about["position"]), about["provenance"])
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"{found / ABOUT} cannot be read ({error!r}): expected JSON with position and provenance; put the file "
            "back as it was, or name another checkpoint"
        ) from error


def last(folder: Path) -> Checkpoint | None:
    """The last whole checkpoint of a training, if there is one."""
    found = _last(folder)
    return load(found) if found else None


def restore(checkpoint: Checkpoint, trained: Mapping[str, nn.Parameter], optimizer: Optimizer | None = None) -> None:
    """Put a checkpoint's parameters, and with an optimiser its moments, back where they were.

    Raises:
        TrainingError: if it holds the parameters of another model, or what is asked for is missing or damaged.
    """
    stored = checkpoint.trained()
    wanted = {name: tuple(p.shape) for name, p in trained.items()}
    held = {name: tuple(tensor.shape) for name, tensor in stored.items()}
    if wrong := sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name)):
        name = wrong[0]
        raise TrainingError(
            f"{checkpoint.folder} is of another model: {len(wrong)} parameters differ, for example {name}, "
            f"{held.get(name, 'missing')} there and {wanted.get(name, 'missing')} here"
        )
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(stored[name])
    if optimizer is not None:
        _restore_moments(checkpoint, trained, optimizer)


def mark_best(folder: Path, step: int) -> None:
    """Say which checkpoint of a training is the best."""
    put_text(folder / BEST, f"{_name(step)}\n")


def put_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all, over what is there."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def keep(folder: Path, number: int) -> None:
    """Remove all but the last so many checkpoints, and the best."""
    best = _best(folder)
    for path in sorted(folder.glob("step-*"))[:-number]:
        if path != best:
            shutil.rmtree(path)


def _restore_moments(checkpoint: Checkpoint, trained: Mapping[str, nn.Parameter], optimizer: Optimizer) -> None:
    path = checkpoint.folder / TRAINING
    advice = f"put it back as it was, or remove {checkpoint.folder}: training then goes on from the one before, if any"
    with (
        readable(path, what="the optimiser's moments", missing=advice, damaged=advice),
        safe_open(path, framework="pt") as file,
    ):
        names = set(file.keys())
        for name, parameter in trained.items():
            kept = {key: f"{key}.{name}" for key in ("step", "exp_avg", "exp_avg_sq")}
            if kept["step"] in names:
                moments = {key: file.get_tensor(stored_as) for key, stored_as in kept.items()}
                optimizer.state[parameter] = {
                    key: m if key == "step" else m.to(parameter.device) for key, m in moments.items()
                }


def _moments(trained: Mapping[str, nn.Parameter], optimizer: Optimizer) -> dict[str, Tensor]:
    return {
        f"{key}.{name}": tensor.detach().cpu().contiguous()
        for name, parameter in trained.items()
        for key, tensor in optimizer.state.get(parameter, {}).items()
    }


def _told(position: Position, provenance: Mapping[str, Any]) -> str:
    return json.dumps({"position": asdict(position), "provenance": provenance}, indent=1, sort_keys=True) + "\n"


def _beside(to: Path) -> tuple[Path, Path]:
    """Where a checkpoint is written first, and where the one that it replaces is put meanwhile."""
    return to.with_name(f".{to.name}.part"), to.with_name(f".{to.name}.replaced")


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _best(folder: Path) -> Path | None:
    marked = folder / BEST
    found = folder / marked.read_text(encoding="utf-8").strip() if marked.exists() else None
    return found if found is not None and (found / ABOUT).exists() else None


def _last(folder: Path) -> Path | None:
    found = sorted(path for path in folder.glob("step-*") if (path / ABOUT).exists())
    return found[-1] if found else None
