"""The curve of a training and of its validation: rows of JSON lines, in TensorBoard, and as a plot."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.checkpoint import Position, put_text

ROWS, VALIDATION, PLOT = "metrics.jsonl", "validation.jsonl", "curve.svg"
SPEED = ("utterances_per_s", "spent_s")
"""What of a row another machine would have otherwise."""


class Curve:
    """Writes the rows of one training; those after the step it goes on from were lost with the killed run."""

    def __init__(self, folder: Path, *, after: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        for name in (ROWS, VALIDATION):
            kept = [row for row in rows_of(folder, name) if row["step"] <= after]
            if kept or name == ROWS or (folder / name).exists():
                put_text(folder / name, "".join(map(_line, kept)))
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=after + 1)

    def add(self, at: Position, figures: Mapping[str, float]) -> None:
        """Note where training is."""
        self._add(ROWS, {**asdict(at), **figures})
        for name, value in figures.items():
            self._board.add_scalar(name, value, at.step)

    def add_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Note what it does with takes that it does not learn from."""
        self._add(VALIDATION, {"step": step, **figures})
        for name, value in figures.items():
            self._board.add_scalar(f"validation/{name}", value, step)

    def _add(self, name: str, row: Mapping[str, float]) -> None:
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(_line(row))

    def close(self) -> None:
        """Flush what TensorBoard is to read."""
        self._board.close()


def rows_of(folder: Path, name: str = ROWS) -> list[dict[str, Any]]:
    """The rows of a training, or of its validation; a last line that was cut off by a kill is none."""
    path = folder / name
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def plot(folder: Path) -> Path | None:
    """Draw loss, and what else was watched, over steps, dots for validation; None if there is nothing to draw."""
    rows = rows_of(folder)
    if not rows:
        return None
    from matplotlib.figure import Figure

    held = rows_of(folder, VALIDATION)
    known = {name: None for row in (rows[0], *held[:1]) for name in row}
    names = [name for name in known if name not in (*Position.__dataclass_fields__, "targets", *SPEED)]
    figure = Figure(figsize=(8, 2.2 * len(names)), layout="constrained")
    for axes, name in zip(figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0], names, strict=True):
        for drawn, style in ((rows, "-"), (held, "o--")):
            if points := [(row["step"], row[name]) for row in drawn if name in row]:
                axes.plot(*zip(*points, strict=True), style, linewidth=1.2, markersize=4)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    axes.set_xlabel("step")
    to = folder / PLOT
    part = to.with_name(f".{os.getpid()}.{PLOT}")
    figure.savefig(part, metadata={"Date": None})
    part.replace(to)
    return to


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row) + "\n"
