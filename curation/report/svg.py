"""SVG in a page: elements with everything escaped, scales, and axes with round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from the values ``low`` to ``high`` onto the pixels ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value lies; one outside lies outside, and in a scale of one value all lie in the middle."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values in the scale, ``most`` of them or fewer."""
        if self.high <= self.low:
            return [self.low]
        rough = (self.high - self.low) / most
        size = 10 ** math.floor(math.log10(rough))
        step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Frame:
    """The two scales of a plot: across, from left to right, and up, from the floor."""

    across: Scale
    up: Scale

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixels of a point."""
        return self.across.at(x), self.up.at(y)


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """One element; a trailing underscore is dropped from an attribute's name, others become hyphens.

    Children that are not `Markup` are text, and escaped like all attributes.
    """
    written = [f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"' for key, value in attributes.items()]
    inside = "".join(str(escape(child)) for child in children)
    return Markup(f"<{name}{''.join(written)}>{inside}</{name}>")  # noqa: S704  # all its parts are escaped


def picture(name: str, *, title: str, text: str, size: tuple[int, int], parts: Iterable[Markup]) -> Markup:
    """A picture of this size in pixels that scales with its column; ``name`` is its own within the page.

    ``title`` and ``text`` are what a reader who does not see it is told.
    """
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", text, id=f"{name}-text"),
        *parts,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{name}-title {name}-text",
    )


def path(points: Iterable[tuple[float, float]], **attributes: str) -> Markup:
    """A line through points."""
    steps = " ".join(f"{'L' if n else 'M'}{_plain(x)} {_plain(y)}" for n, (x, y) in enumerate(points))
    return element("path", d=steps, **attributes)


def text(words: str, at: tuple[float, float], **attributes: str | float) -> Markup:
    """Words at a place in pixels."""
    return element("text", words, x=at[0], y=at[1], **attributes)


def axes(frame: Frame, *, most: tuple[int, int] = (6, 5)) -> list[Markup]:
    """Grid lines with their numbers, along the bottom and the left; at most so many each way."""
    across, up, parts = frame.across, frame.up, list[Markup]()
    for value in across.ticks(most[0]):
        x = across.at(value)
        parts.append(element("line", class_="grid", x1=x, x2=x, y1=up.start, y2=up.end))
        parts.append(text(number(value), (x, up.start + 16), class_="tick", text_anchor="middle"))
    for value in up.ticks(most[1]) if most[1] else ():
        y = up.at(value)
        parts.append(element("line", class_="grid", x1=across.start, x2=across.end, y1=y, y2=y))
        parts.append(text(number(value), (across.start - 7, y + 4), class_="tick", text_anchor="end"))
    return parts


def number(value: float) -> str:
    """A number as short as a plot needs it: three digits, no needless zeros."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}".replace("e-0", "e-")


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
