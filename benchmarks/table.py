"""Rows of two columns: ours, and what a user would do instead, measured in the same run."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement; ``ratio`` above 1 is in our favour."""

    what: str
    ours: str
    theirs: str
    ratio: float | None = None


def markdown(title: str, theirs: str, rows: Iterable[Row]) -> str:
    """A table with a heading."""
    lines = [f"### {title}", "", f"| | synthgen | {theirs} | ratio |", "|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
        lines.append(f"| {row.what} | {row.ours} | {row.theirs} | {ratio} |")
    return "\n".join(lines) + "\n"
