"""How long the units are of which interleaved sequences are made: where segments are cut badly, it is seen here.

units.jsonl    a row for each length: what is counted, from and to how many seconds, how many
units.svg      the same as bars
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from training.interleaving.choosing import Choosing
from training.interleaving.units import segments, words_as_units
from training.interleaving.words import Word

ROWS, PLOT = "units.jsonl", "units.svg"
_BINS = 24


def unit_lengths(timed: Iterable[Sequence[Word]], choosing: Choosing) -> dict[str, list[float]]:
    """Seconds of all units that a mixture may draw, "words" or "segments" or both, as its granularity asks."""
    found: dict[str, list[float]] = {}
    for words in timed:
        if choosing.granularity != "segment":
            found.setdefault("words", []).extend(unit.duration_s for unit in words_as_units(words))
        if choosing.granularity != "word":
            found.setdefault("segments", []).extend(unit.duration_s for unit in segments(words, choosing.segments))
    return found


def told_lengths(lengths: Mapping[str, Sequence[float]]) -> str:
    """How many there are, and how long they are, for people; nothing if there are none."""
    told = [
        f"{len(each):,} {name} of {min(each):.2f} to {max(each):.2f} s, half of them up to {np.median(each):.2f} s"
        for name, each in lengths.items()
        if each
    ]
    return f"units: {'; '.join(told)}" if told else ""


def keep_lengths(lengths: Mapping[str, Sequence[float]], folder: Path) -> None:
    """Write the histogram and draw it."""
    from matplotlib.figure import Figure

    rows = []
    figure = Figure(figsize=(8, 2.4 * max(1, len(lengths))), layout="constrained")
    panels = figure.subplots(max(1, len(lengths)), 1, squeeze=False)[:, 0]
    for axes, (name, each) in zip(panels, lengths.items(), strict=False):
        counts, edges = np.histogram(each, bins=_BINS, range=(0.0, max(each)))
        rows += [
            {"of": name, "from_s": round(float(low), 3), "to_s": round(float(high), 3), "count": int(count)}
            for low, high, count in zip(edges, edges[1:], counts, strict=False)
        ]
        axes.stairs(counts, edges, fill=True)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    panels[-1].set_xlabel("seconds")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROWS).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    figure.savefig(folder / PLOT, metadata={"Date": None})
