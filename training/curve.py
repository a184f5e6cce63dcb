"""The curve of a training: one row every few steps, as JSON lines, in TensorBoard, and as a plot."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.checkpoint import Position

ROWS, PLOT = "metrics.jsonl", "curve.svg"
SPEED = ("utterances_per_s", "spent_s")
"""What of a row another machine would have otherwise."""


class Curve:
    """Writes the rows of one training; those after the step it goes on from were lost with the killed run."""

    def __init__(self, folder: Path, *, after: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / ROWS
        kept = [row for row in rows_of(folder) if row["step"] <= after]
        part = self._path.with_suffix(".part")
        part.write_text("".join(_line(row) for row in kept), encoding="utf-8")
        part.replace(self._path)
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=after + 1)

    def add(self, at: Position, figures: Mapping[str, float], *, rate: float) -> None:
        """Note where training is."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line({**asdict(at), "rate": rate, **figures}))
        for name, value in {**figures, "rate": rate}.items():
            self._board.add_scalar(name, value, at.step)

    def close(self) -> None:
        """Flush what TensorBoard is to read."""
        self._board.close()


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """The rows of a training; a last line that was cut off by a kill is none."""
    path = folder / ROWS
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def plot(folder: Path) -> Path | None:
    """Draw loss, and what else was watched, over steps; None if there is nothing to draw."""
    rows = rows_of(folder)
    if not rows:
        return None
    from matplotlib.figure import Figure

    names = [name for name in rows[0] if name not in (*Position.__dataclass_fields__, "targets", *SPEED)]
    figure = Figure(figsize=(8, 2.2 * len(names)), layout="constrained")
    steps = [row["step"] for row in rows]
    for axes, name in zip(figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0], names, strict=True):
        axes.plot(steps, [row[name] for row in rows], linewidth=1.2)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    axes.set_xlabel("step")
    to = folder / PLOT
    figure.savefig(to, metadata={"Date": None})
    return to


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row) + "\n"
