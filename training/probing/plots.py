"""The plots of a probe: the curve over the layers with its controls, and the sweep as a map of shifts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation.resampling import Interval
from training.probing.layers import SURFACE, LayerRow
from training.probing.sweep import SweepRow


def plot_layers(rows: Sequence[LayerRow], to: Path) -> None:
    """Draw the area under the curve over the layers, with its 95 % interval; the controls are dashed."""
    from matplotlib.figure import Figure

    layers = [row for row in rows if row.layer != SURFACE.name]
    (without,) = (row for row in rows if row.layer == SURFACE.name)
    figure = Figure(figsize=(max(7, 0.28 * len(layers) + 2), 4), layout="constrained")
    axes = figure.subplots()
    _curve(axes, [row.auc for row in layers], "C0", "layer", marker="o", markersize=3)
    _curve(axes, [row.random_auc for row in layers], "C7", "random labels", linestyle="--")
    label = "duration, loudness and pauses alone"
    _curve(axes, [without.auc] * len(layers), "C1", label, linestyle="--")
    axes.axhline(0.5, color="black", linewidth=0.8, linestyle=":")
    axes.set_ylabel("AUC, synthetic against real")
    axes.set_ylim(min(0.3, *axes.get_ylim()), 1.02)
    axes.grid(alpha=0.3, axis="y")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    _mark_parts([axes], [row.layer for row in layers])
    _save(figure, to)


def plot_sweep(rows: Sequence[SweepRow], to: Path) -> None:
    """Draw how far each perturbation shifts P(synthetic) in each layer, and how well probes fitted anew still tell.

    Where the 95 % interval of a shift holds 0, or that of an area under the curve 0.5, there is a dot.
    """
    from matplotlib.figure import Figure

    layers, names = ([*dict.fromkeys(getattr(row, key) for row in rows)] for key in ("layer", "perturbation"))
    figure = Figure(figsize=(max(7, 0.28 * len(layers) + 3), 3 + len(names)), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    most = max(0.1, *(abs(row.shift.value) for row in rows))
    for axes, kind in zip(panels[:2], ("synthetic", "real"), strict=True):
        shifts = {(row.perturbation, row.layer): row.shift for row in rows if row.kind == kind}
        image = _map(axes, shifts, names, layers, middle=0.0, cmap="RdBu_r", vmin=-most, vmax=most)
        axes.set_title(f"{kind} takes, perturbed", fontsize="medium")
    figure.colorbar(image, ax=panels[:2], label="shift of P(synthetic)")
    for axes, key, which in zip(panels[2:], ("auc_anew", "auc_both_anew"), ("synthetic", "all"), strict=True):
        told = {(row.perturbation, row.layer): getattr(row, key) for row in rows if row.kind == "synthetic"}
        image = _map(axes, told, names, layers, middle=0.5, cmap="viridis", vmin=0.5, vmax=1)
        axes.set_title(f"{which} takes perturbed, and a probe that was fitted on them", fontsize="medium")
    figure.colorbar(image, ax=panels[2:], label="AUC")
    _mark_parts(panels, layers)
    _save(figure, to)


def _map(
    axes: Any,
    cells: Mapping[tuple[str, str], Interval],
    names: Sequence[str],
    layers: Sequence[str],
    *,
    middle: float,
    **style: Any,
) -> Any:
    """Draw intervals by perturbation and layer, with a dot where one holds the middle."""
    found = [[cells[name, layer] for layer in layers] for name in names]
    image = axes.imshow([[interval.value for interval in row] for row in found], aspect="auto", **style)
    dots = [(x, y) for y, row in enumerate(found) for x, interval in enumerate(row) if _holds(interval, middle)]
    axes.scatter(*zip(*dots, strict=True) if dots else ((), ()), s=4, color="black")
    axes.set_yticks(range(len(names)), names)
    return image


def _curve(axes: Any, intervals: Sequence[Interval], colour: str, label: str, **style: Any) -> None:
    places = np.arange(len(intervals))
    axes.plot(places, [i.value for i in intervals], color=colour, label=label, linewidth=1.4, **style)
    low = [i.value if i.low is None else i.low for i in intervals]
    high = [i.value if i.high is None else i.high for i in intervals]
    axes.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)


def _mark_parts(panels: Sequence[Any], names: Sequence[str]) -> None:
    """Number the layers beneath the last panel, name the parts they belong to, and draw lines where parts end."""
    parts = [name.partition(".")[0] for name in names]
    last = panels[-1]
    last.set_xticks(range(len(names)), [name.partition(".")[2] for name in names], fontsize="x-small")
    for part in dict.fromkeys(parts):
        first, number = parts.index(part), parts.count(part)
        slanted = {"rotation": 30, "ha": "right"} if number < 3 else {"ha": "center"}
        last.annotate(
            part.replace("_", " "), (first + (number - 1) / 2, 0), (0, -18), va="top", fontsize="small",
            xycoords=last.get_xaxis_transform(), textcoords="offset points", **slanted,
        )  # fmt: skip
        for axes in panels if first else ():
            axes.axvline(first - 0.5, color="black", linewidth=0.6)


def _holds(found: Interval, value: float) -> bool:
    return found.low is None or found.high is None or found.low <= value <= found.high


def _save(figure: Any, to: Path) -> None:
    """Write a figure; the same rows are the same bytes."""
    import matplotlib as mpl

    steady: Any = {"svg.hashsalt": "probe"}
    with mpl.rc_context(steady):
        figure.savefig(to, metadata={"Date": None} if to.suffix == ".svg" else None)
