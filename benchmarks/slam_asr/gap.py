"""The gap between what synthetic and what real speech taught, and how much of it a mitigation closes.

Errors of an utterance are means over the seeds of a row. Speakers are drawn again, the same for all rows.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import Errors, told
from training.evaluation.resampling import Groups, Interval, Sums, interval, ratio, replicates


def less(row: Errors, other: Errors) -> Interval | None:
    """The WER of one row less that of another."""
    sums, drawn = _drawn([row, other])
    return interval(lambda s: ratio(0, -1)(s) - ratio(1, -1)(s), sums, drawn)


def closed(raw: Errors, mitigated: Errors, real: Errors) -> Interval | None:
    """How much of the gap between raw synthetic and real speech a mitigation closes: 1 is all of it."""
    sums, drawn = _drawn([raw, mitigated, real])

    def share(s: Sums) -> NDArray[np.float64]:
        gap = s[..., 0] - s[..., 2]
        return np.divide(s[..., 0] - s[..., 1], gap, out=np.full_like(gap, np.nan), where=gap != 0)

    return interval(share, sums, drawn)


def _drawn(rows: Sequence[Errors]) -> tuple[Sums, Sums]:
    """Sums by speaker of every row's errors and of words, and their replicates."""
    first = rows[0]
    if any(row.takes != first.takes for row in rows):
        raise SystemExit("the rows have not heard the same takes: evaluate what is missing by the same command")
    sums = Groups.of(first.speakers).sums(np.stack([*(row.errors for row in rows), first.words], axis=1))
    return sums, replicates(sums)


HEAD = ("| | seeds | WER less that of `real` | share of G closed |", "|---|---:|---:|---:|")


def closing_line(name: str, seeds: int, synthetic: Errors, mitigated: Errors, real: Errors) -> str:
    """A row against real speech, and what it closes of the gap if its interval leaves out 0; as Markdown.

    All three are means over so many ``seeds``.
    """
    whole, left = less(synthetic, real), less(mitigated, real)
    is_gap = whole is not None and whole.low is not None and whole.low > 0
    share = closed(synthetic, mitigated, real) if is_gap and name != "synthetic" else None
    return f"| {name} | {seeds} | {told(left, '+.1%')} | {told(share, '.2f')} |"
