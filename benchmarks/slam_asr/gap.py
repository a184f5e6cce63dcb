"""The gap between what synthetic and what real speech taught, and how much of it a mitigation closes.

Errors of an utterance are means over the seeds of a row. Speakers are drawn again, the same for all rows.
"""

from collections.abc import Mapping, Sequence

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


def table(rows: Mapping[str, Errors]) -> list[str]:
    """Every row against real speech, and what it closes of the gap if its interval leaves out 0; as Markdown."""
    lines = ["| | WER less that of `real` | share of G closed |", "|---|---:|---:|"]
    whole = less(rows["synthetic"], rows["real"])
    is_gap = whole is not None and whole.low is not None and whole.low > 0
    for name, errors in rows.items():
        if name == "real":
            continue
        gap = less(errors, rows["real"])
        is_mitigated = is_gap and name != "synthetic"
        share = closed(rows["synthetic"], errors, rows["real"]) if is_mitigated else None
        lines.append(f"| {name} | {told(gap, '+.1%')} | {told(share, '.2f')} |")
    return lines
