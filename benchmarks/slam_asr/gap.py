"""The gap between what synthetic and what real speech taught, and how much of it a mitigation closes.

Errors of an utterance are means over the seeds of a row. Speakers are drawn again, the same for all rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalogs.catalog import Catalog
from catalogs.ids import Id
from training.evaluation.resampling import Groups, Interval, Sums, interval, ratio, replicates

_ERRORS = """
    SELECT take_id::VARCHAR AS take_id, speaker, domain, sum(substitutions + insertions + deletions)::DOUBLE AS errors,
        any_value(num_words)::DOUBLE AS num_words, count(*) AS heard
    FROM hypothesis JOIN takes USING (take_id)
    WHERE list_contains($evaluations::UUID[], evaluation_id)
    GROUP BY ALL ORDER BY take_id
"""


@dataclass(frozen=True)
class Errors:
    """Mean errors (N,) of a row in each utterance, its words (N,), takes, speakers and domains."""

    takes: Sequence[Id]
    errors: NDArray[np.float64]
    words: NDArray[np.float64]
    speakers: Sequence[str]
    domains: Sequence[str]


def errors_of(corpus: Path, evaluations: Sequence[Id]) -> Errors:
    """The errors of the evaluations of a row, one for each seed; takes that not all of them have heard are left out."""
    with Catalog.open(corpus) as catalog:
        rows = catalog.lake.table(_ERRORS, evaluations=list(evaluations)).to_pylist()
    rows = [row for row in rows if row["heard"] == len(evaluations)]
    return Errors(
        [row["take_id"] for row in rows],
        np.array([row["errors"] for row in rows]) / len(evaluations),
        np.array([row["num_words"] for row in rows]),
        [row["speaker"] for row in rows],
        [row["domain"] for row in rows],
    )


def less(row: Errors, other: Errors, *, domain: str) -> Interval | None:
    """The WER of one row less that of another."""
    sums, drawn = _drawn([row, other], domain)
    return interval(lambda s: ratio(0, -1)(s) - ratio(1, -1)(s), sums, drawn)


def closed(raw: Errors, mitigated: Errors, real: Errors, *, domain: str) -> Interval | None:
    """How much of the gap between raw synthetic and real speech a mitigation closes: 1 is all of it."""
    sums, drawn = _drawn([raw, mitigated, real], domain)

    def share(s: Sums) -> NDArray[np.float64]:
        gap = s[..., 0] - s[..., 2]
        return np.divide(s[..., 0] - s[..., 1], gap, out=np.full_like(gap, np.nan), where=gap != 0)

    return interval(share, sums, drawn)


def _drawn(rows: Sequence[Errors], domain: str) -> tuple[Sums, Sums]:
    """Sums by speaker of every row's errors and of words, in one domain; and their replicates."""
    first = rows[0]
    if any(row.takes != first.takes for row in rows):
        raise SystemExit("the rows have not heard the same takes: evaluate what is missing by the same command")
    here = np.array([found == domain for found in first.domains])
    groups = Groups.of([speaker for speaker, is_here in zip(first.speakers, here, strict=True) if is_here])
    sums = groups.sums(np.stack([*(row.errors[here] for row in rows), first.words[here]], axis=1))
    return sums, replicates(sums)


def table(rows: Mapping[str, Errors], *, domain: str) -> list[str]:
    """Every row against real speech, and what it closes of the gap if its interval leaves out 0; as Markdown."""
    lines = [f"| {domain} | WER less that of `real` | share of G closed |", "|---|---:|---:|"]
    whole = less(rows["synthetic"], rows["real"], domain=domain)
    is_gap = whole is not None and whole.low is not None and whole.low > 0
    for name, errors in rows.items():
        if name == "real":
            continue
        gap = less(errors, rows["real"], domain=domain)
        share = (
            closed(rows["synthetic"], errors, rows["real"], domain=domain) if is_gap and name != "synthetic" else None
        )
        lines.append(f"| {name} | {_told(gap, '+.1%')} | {_told(share, '.2f')} |")
    return lines


def _told(found: Interval | None, form: str) -> str:
    if found is None:
        return "–"
    around = "" if found.low is None else f" ({found.low:{form}} to {found.high:{form}})"
    return f"{found.value:{form}}{around}"
