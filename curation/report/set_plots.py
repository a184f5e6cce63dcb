"""Plots of whole sets: figures with their intervals, in rows, or along a share such as that of synthetic speech."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from curation.report.findings import SetFigure
from curation.report.svg import Frame, Scale, axes, element, number, path, picture, text

_NUMBERED = re.compile(r"(?P<axis>.*?[^\d.])?(?P<place>\d+(?:\.\d+)?)(?P<unit>\s*%)?")
_FEWEST_ON_A_CURVE = 3
_WIDTH = 940
_LONGEST_LABEL = 38


def set_plot(name: str, figures: Sequence[SetFigure]) -> Markup:
    """Figures of one metric: curves where the parts of the sets are numbered ("alpha=0.4"), else a row each."""
    curves = _curves(figures)
    return _drawn_along(name, figures, curves=curves) if curves else _drawn_in_rows(name, figures)


def _curves(figures: Sequence[SetFigure]) -> dict[str, list[tuple[float, SetFigure]]]:
    """Every set's figures by the number in its part; none unless all have one on the same axis, and enough differ."""
    axes_met, curves = set(), defaultdict(list)
    for figure in figures:
        match = _NUMBERED.fullmatch(figure.subset)
        if match is None:
            return {}
        axes_met.add(match["axis"])
        curves[figure.name].append((float(match["place"]), figure))
    enough = all(len({place for place, _ in curve}) >= _FEWEST_ON_A_CURVE for curve in curves.values())
    if not enough or len(axes_met) > 1:
        return {}
    return {name: sorted(curve, key=lambda point: point[0]) for name, curve in curves.items()}


def _drawn_along(
    name: str, figures: Sequence[SetFigure], *, curves: Mapping[str, Sequence[tuple[float, SetFigure]]]
) -> Markup:
    height = 260
    places = [place for curve in curves.values() for place, _ in curve]
    up = Scale(min(f.low for f in figures), max(f.high for f in figures), height - 40, 14)
    frame = Frame(Scale(min(places), max(places), 60, _WIDTH - 20), up)
    parts = axes(frame)
    for curve in curves.values():
        lows = [frame.at(place, figure.low) for place, figure in curve]
        highs = [frame.at(place, figure.high) for place, figure in curve]
        values = [frame.at(place, figure.value) for place, figure in curve]
        parts.append(path([*lows, *reversed(highs)], class_="band"))
        parts.append(path(values, class_="curve"))
        parts += [_dot(figure, at) for at, (_, figure) in zip(values, curve, strict=True)]
        x, y = values[-1]
        parts.append(text(curve[-1][1].name, (x - 6, y - 9), class_="name", text_anchor="end"))
    axis = _NUMBERED.fullmatch(figures[0].subset)
    label = (axis["axis"] or "").rstrip(" =") if axis else ""
    parts.append(text(label, (_WIDTH - 20, height - 6), class_="label", text_anchor="end"))
    return picture(name, title=figures[0].metric, text=_told(figures), size=(_WIDTH, height), parts=parts)


def _drawn_in_rows(name: str, figures: Sequence[SetFigure]) -> Markup:
    row = 22
    floor = 10 + row * len(figures)
    across = Scale(min(f.low for f in figures), max(f.high for f in figures), 280, _WIDTH - 80)
    parts = axes(Frame(across, Scale(0, 1, floor, 6)), most=(6, 0))
    for place, figure in enumerate(figures):
        y = 20 + row * place
        label = " · ".join(word for word in (figure.name, figure.subset) if word)
        short = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
        parts.append(text(short, (268, y + 4), class_="name", text_anchor="end"))
        ends = {"x1": across.at(figure.low), "x2": across.at(figure.high), "y1": y, "y2": y}
        parts.append(element("line", class_="interval", **ends))
        parts.append(_dot(figure, (across.at(figure.value), y)))
        parts.append(text(number(figure.value), (_WIDTH - 66, y + 4), class_="tick"))
    return picture(name, title=figures[0].metric, text=_told(figures), size=(_WIDTH, floor + 24), parts=parts)


def _dot(figure: SetFigure, at: tuple[float, float]) -> Markup:
    return element("circle", element("title", _one(figure)), class_="mark kept", cx=at[0], cy=at[1], r=4)


def _told(figures: Sequence[SetFigure]) -> str:
    return "; ".join(map(_one, figures[:20]))


def _one(figure: SetFigure) -> str:
    where = f"{figure.name} {figure.subset}".strip()
    return f"{where}: {number(figure.value)} ({number(figure.low)} to {number(figure.high)})"
