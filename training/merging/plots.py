"""The plots of merging: cosines between vectors as maps, and the error rate over lambda."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalogs.errors import TrainingError, UsageError
from training.merging.angles import CosineRow, Registered
from training.merging.choosing import Choice, relative_wers

_ACROSS = 3
"""Maps side by side."""


def check_drawable(to: Path) -> None:
    """Refuse a file that nothing can be drawn into, before there is anything to draw.

    Raises:
        UsageError: if its ending is that of no format, or its folder is not there.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    formats = sorted(FigureCanvasBase.get_supported_filetypes())
    if to.suffix.lower().removeprefix(".") not in formats:
        raise UsageError(f"{to} cannot be drawn: expected a file that ends in .{', .'.join(formats)}")
    if not to.parent.is_dir():
        raise UsageError(f"{to} cannot be drawn: there is no folder {to.parent}; make it, or name another")


def plot_cosines(found: Registered, to: Path) -> None:
    """Draw the cosines of all vectors as a map for all parameters and one for each kind, and their mean over layers.

    Raises:
        TrainingError: if there is no vector, or none that can be computed.
    """
    from matplotlib.figure import Figure

    if not found.cosines:
        raise TrainingError(
            f"there are no cosines to draw: {len(found.gone)} vectors, and the models of none are there"
        )
    names = {row.one_id: row.one for row in found.cosines if not row.part}
    parts = list(dict.fromkeys(row.part for row in found.cosines if not row.part.startswith("layer=")))
    down = -(-len(parts) // _ACROSS)
    side = 1.6 + 0.35 * len(names)
    figure = Figure(figsize=(_ACROSS * side + 1, down * side + 2.6), layout="constrained")
    parted: Any = figure.subfigures(2, 1, height_ratios=(down * side, 2.6))
    above, below = parted
    panels = above.subplots(down, _ACROSS, squeeze=False).flatten()
    for axes, part in zip(panels, parts, strict=False):
        image = axes.imshow(_matrix(found.cosines, part, list(names)), cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_title(part.removeprefix("kind=") or "all parameters", fontsize="medium")
        axes.set_xticks(range(len(names)), list(names.values()), rotation=60, ha="right", fontsize="x-small")
        axes.set_yticks(range(len(names)), list(names.values()), fontsize="x-small")
    for axes in panels[len(parts) :]:
        axes.set_axis_off()
    above.colorbar(image, ax=panels, label="cosine")
    _over_layers(below.subplots(), found.cosines)
    save(figure, to)


def plot_choosing(
    choices: Sequence[Choice], chosen: float | None, to: Path, *, heard: str = "the source that was left out"
) -> None:
    """Draw the error rate of every source's model over lambda, with its 95 % interval, and what lambda is chosen by.

    That is `relative_wers`, below. Where none is, ``chosen`` None, the plain mean is drawn among the rates instead.
    ``heard`` says what they are of.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4 if chosen is None else 6), layout="constrained")
    panels = figure.subplots(1 if chosen is None else 2, squeeze=False, sharex=True)[:, 0]
    axes = panels[0]
    for number, source in enumerate(dict.fromkeys(choice.source for choice in choices)):
        rows = sorted((choice for choice in choices if choice.source == source), key=lambda choice: choice.scale)
        scales = [row.scale for row in rows]
        axes.plot(scales, [row.wer for row in rows], marker="o", markersize=3, linewidth=1, label=source)
        low = [row.wer if row.low is None else row.low for row in rows]
        high = [row.wer if row.high is None else row.high for row in rows]
        axes.fill_between(scales, low, high, color=f"C{number}", alpha=0.12, linewidth=0)
    axes.set_ylabel(f"WER on {heard}")
    if chosen is None:
        scales = sorted({choice.scale for choice in choices})
        means = [np.mean([choice.wer for choice in choices if choice.scale == scale]) for scale in scales]
        axes.plot(scales, means, color="black", linewidth=2, label="mean")
    else:
        _draw_chosen(panels[1], choices, chosen)
    for each in panels:
        each.grid(alpha=0.3)
    panels[-1].set_xlabel("lambda")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    save(figure, to)


def _draw_chosen(axes: Any, choices: Sequence[Choice], chosen: float) -> None:
    """What lambda is chosen by, lowest where it was."""
    found = relative_wers(choices)
    axes.plot(list(found), list(found.values()), color="black", linewidth=2, label="mean of all, by which it is chosen")
    axes.axvline(chosen, color="black", linewidth=0.8, linestyle=":")
    axes.set_ylabel("WER over its mean")


def save(figure: Any, to: Path) -> None:
    """Write a figure; the same rows are the same bytes."""
    import matplotlib as mpl

    steady: Any = {"svg.hashsalt": "merging"}
    with mpl.rc_context(steady):
        figure.savefig(to, metadata={"Date": None} if to.suffix == ".svg" else None)


def _matrix(rows: Sequence[CosineRow], part: str, ids: Sequence[str]) -> Any:
    """Cosines (N, N) of one part; NaN where there is none."""
    found = np.full((len(ids), len(ids)), np.nan)
    for row in rows:
        if row.part == part and row.cosine is not None:
            one, other = ids.index(row.one_id), ids.index(row.other_id)
            found[one, other] = found[other, one] = row.cosine
    return found


def _over_layers(axes: Any, rows: Sequence[CosineRow]) -> None:
    """The mean over all pairs of different vectors, and the range of all of them, for each layer."""
    layers: dict[str, list[float]] = {}
    for row in rows:
        if row.part.startswith("layer=") and row.one_id != row.other_id and row.cosine is not None:
            layers.setdefault(row.part.removeprefix("layer="), []).append(row.cosine)
    places = range(len(layers))
    axes.plot(places, [float(np.mean(values)) for values in layers.values()], marker="o", markersize=3, linewidth=1.4)
    axes.fill_between(places, [*map(min, layers.values())], [*map(max, layers.values())], alpha=0.2, linewidth=0)
    axes.set_xticks(places, list(layers), rotation=60, ha="right", fontsize="xx-small")
    axes.set_ylabel("cosine, mean and range")
    axes.grid(alpha=0.3, axis="y")
