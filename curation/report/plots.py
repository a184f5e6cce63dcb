"""Plots of takes: bars, histograms and pitch.

Every mark has a form besides its colour: kept is filled, dropped is a dashed outline.
"""

from collections.abc import Sequence

from markupsafe import Markup

from curation.report.findings import STATES, Histogram
from curation.report.svg import Frame, Scale, axes, element, number, path, picture, text
from curation.report.tracks import Track

_HIGHEST_ST = 9.0


def bar(share: float, *, kind: str) -> Markup:
    """A bar for a cell of a table, which says the number itself."""
    width = max(0.0, min(1.0, share)) * 100
    return element(
        "svg",
        element("rect", class_="rest", x=0, y=0, width=100, height=10),
        element("rect", class_=kind, x=0, y=0, width=width, height=10),
        class_="bar",
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def histogram(drawn: Histogram) -> Markup:
    """Shares of the takes of each verdict; dashed lines are the limits of the policy."""
    width, height = 320, 130
    highest = max(max(shares) for shares in drawn.shares.values())
    frame = Frame(Scale(drawn.low, drawn.high, 10, width - 10), Scale(0, highest, height - 22, 14))
    across, floor = frame.across, frame.up.start
    parts = [element("line", class_="axis", x1=across.start, x2=across.end, y1=floor, y2=floor)]
    parts += [
        text(number(value), (across.at(value), floor + 16), class_="tick", text_anchor="middle")
        for value in across.ticks(5)
        if across.start + 8 <= across.at(value) <= across.end - 8
    ]
    shapes = ((state, drawn.shares[state]) for state in STATES if state in drawn.shares)
    parts += [path(_outline(shares, frame), class_=f"shape {state}") for state, shares in shapes]
    parts += [
        element("line", class_="limit", x1=across.at(end), x2=across.at(end), y1=floor, y2=4) for end in drawn.ends
    ]
    return picture(
        f"histogram-{drawn.figure.name}",
        title=f"Distribution of {drawn.figure.name}",
        text=_told(drawn),
        size=(width, height),
        parts=parts,
    )


def pitch(name: str, own: Track | None, *, others: Sequence[Track]) -> Markup | None:
    """The pitch of a take over that of other takes of its text; None if nothing is voiced."""
    if own is None:
        return None
    width, height = 660, 118
    longest_s = max((time for track in (own, *others) for run in track.runs for time, _ in run), default=0.0)
    across = Scale(0, max(longest_s, 0.5), 30, width - 6)
    frame = Frame(across, Scale(-_HIGHEST_ST, _HIGHEST_ST, height - 18, 6))
    parts = axes(frame, most=(8, 4))
    parts += [path(run, class_="pitch other") for other in others for run in _runs(other, frame)]
    parts += [path(run, class_="pitch own") for run in _runs(own, frame)]
    beside = f", over {len(others)} other takes of this text" if others else ""
    return picture(
        f"pitch-{name}",
        title="Pitch",
        text=f"Semitones around the take's median, by seconds from its first voiced sound{beside}.",
        size=(width, height),
        parts=parts,
    )


def _told(drawn: Histogram) -> str:
    means = ", ".join(
        f"{state}: mean {number(mean)} over {drawn.takes[state]:,}" for state, mean in drawn.means.items()
    )
    limits = f"; the policy's limit is {' and '.join(map(number, drawn.ends))}" if drawn.ends else ""
    return f"{drawn.figure.meaning}. {means}{limits}."


def _outline(shares: Sequence[float], frame: Frame) -> list[tuple[float, float]]:
    """The steps of a histogram, from the floor to the floor."""
    across, up = frame.across, frame.up
    width = (across.end - across.start) / len(shares)
    corners = [(across.start, up.start)]
    for place, share in enumerate(shares):
        left = across.start + place * width
        corners += [(left, up.at(share)), (left + width, up.at(share))]
    return [*corners, (across.end, up.start)]


def _runs(track: Track, frame: Frame) -> list[list[tuple[float, float]]]:
    """The runs of a track in pixels; what lies outside the frame is laid on its edge."""
    return [[frame.at(time, max(-_HIGHEST_ST, min(_HIGHEST_ST, height))) for time, height in run] for run in track.runs]
