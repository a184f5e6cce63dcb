"""Asking the pool, in SQL, for all that the report tells but the players."""

from collections.abc import Callable, Mapping
from math import sqrt
from typing import Any, TypeVar

from catalogs.catalog import Catalog
from catalogs.intervals import FEWEST, student
from catalogs.lake import query
from catalogs.records import ScoreColumn
from curation.report.faults import FAULTS
from curation.report.findings import (
    STATES,
    FailureCount,
    FaultCount,
    Findings,
    Funnel,
    Group,
    Groups,
    HardText,
    Histogram,
    PointFigure,
    Reason,
    ReleasePoint,
    Run,
    SetFigure,
    SpreadLost,
    State,
    Voice,
)
from curation.report.pool import Pool, columns
from curation.report.subject import Subject
from curation.sets.signs import FIGURES

T = TypeVar("T")

BINS = 32


def gather(catalog: Catalog, subject: Subject, *, pool: Pool) -> Findings:
    """Ask all there is to tell; `make_pool` comes first."""
    job = subject.job_id
    return Findings(
        subject=subject,
        pool=pool,
        funnel=_records(catalog, "report_funnel", kind=Funnel, job_id=job)[0],
        groups=_groups(catalog),
        histograms=_histograms(catalog, subject, pool=pool),
        spread_lost=spread_lost(catalog),
        reasons=_records(catalog, "report_reasons", kind=Reason),
        faults=_faults(catalog, pool),
        failures=_records(catalog, "report_failures", kind=FailureCount, job_id=job),
        releases=_releases(catalog, pool),
        set_figures=_set_figures(catalog, subject),
        erosion=_erosion(catalog, subject),
        voices=_records(catalog, "report_voices", kind=Voice),
        runs=_records(catalog, "report_runs", kind=Run, job_id=job),
        hard_texts=_records(catalog, "report_hard_texts", kind=HardText),
    )


def near(catalog: Catalog, reason: str, *, figure: str, low: float, high: float) -> tuple[int, float]:
    """How many takes one reason alone drops whose figure lies from ``low`` to ``high``, and their seconds."""
    sql = query("report_near").format(figure=f'"{figure}"')
    takes, audio_s = catalog.lake.rows(sql, reason=reason, low=low, high=high)[0]
    return takes, audio_s


def spread_lost(catalog: Catalog) -> SpreadLost | None:
    """What judging loses of the spread of pitch; its interval has the freedom of texts, None if these are too few."""
    for difference_st, error_st, takes, texts in catalog.lake.rows(query("report_flatter")):
        if texts >= FEWEST:
            half_st = student(texts - 1) * error_st * sqrt(texts / (texts - 1))
            return SpreadLost(difference_st, difference_st - half_st, difference_st + half_st, takes, texts)
    return None


def _groups(catalog: Catalog) -> Groups:
    def ask(by: str, where: str = "TRUE") -> tuple[Group, ...]:
        sql = query("report_groups").format(by=by, where=where)
        return tuple(Group(*row) for row in catalog.lake.rows(sql))

    return Groups(
        voices=ask("voice"),
        kept_voices=ask("voice", "state = 'kept'"),
        domains=ask("domain"),
        languages=ask("language"),
        whole=next(iter(ask("'all'")), None),
        released=next(iter(ask("'released'", "is_released")), None),
    )


def _histograms(catalog: Catalog, subject: Subject, *, pool: Pool) -> tuple[Histogram, ...]:
    """Those of the figures that the policy limits come first; a figure that no take has gets none."""
    limits = {limit.figure: limit.ends for limit in subject.limits}
    ordered = sorted(pool.figures, key=lambda figure: figure.name not in limits)
    drawn = (_histogram(catalog, figure, ends=limits.get(figure.name, ())) for figure in ordered)
    return tuple(histogram for histogram in drawn if histogram)


def _histogram(catalog: Catalog, figure: ScoreColumn, *, ends: tuple[float, ...]) -> Histogram | None:
    sql = query("report_histogram").format(figure=f'"{figure.name}"')
    rows = catalog.lake.rows(sql, points=list(ends), bins=BINS)
    if not rows:
        return None
    takes: dict[State, int] = dict.fromkeys(STATES, 0)
    totals: dict[State, float] = dict.fromkeys(STATES, 0.0)
    counts: dict[State, list[int]] = {state: [0] * BINS for state in STATES}
    for state, place, number, total, _, _ in rows:
        takes[state] += number
        totals[state] += total
        counts[state][place] += number
    present = [state for state in STATES if takes[state]]
    return Histogram(
        figure=figure,
        low=rows[0][4],
        high=rows[0][5],
        takes={state: takes[state] for state in present},
        means={state: totals[state] / takes[state] for state in present},
        shares={state: tuple(count / takes[state] for count in counts[state]) for state in present},
        ends=ends,
    )


def _faults(catalog: Catalog, pool: Pool) -> tuple[FaultCount, ...]:
    known = [fault for fault in FAULTS if pool.has(*fault.needs)]
    counts = ", ".join(f"count(*) FILTER ({fault.condition})" for fault in known) or "0"
    rows = catalog.lake.rows(query("report_faults").format(counts=counts))
    found: Mapping[str, tuple[int, ...]] = {state: tuple(numbers) for state, _, *numbers in rows}
    none = (0,) * len(known)
    kept, dropped = found.get("kept", none), found.get("dropped", none)
    return tuple(FaultCount(fault, kept[n], dropped[n]) for n, fault in enumerate(known))


def _releases(catalog: Catalog, pool: Pool) -> tuple[ReleasePoint, ...]:
    wanted = ("substitutions", "insertions", "deletions", "ref_words", "f0_sd_st")
    sql = query("report_releases").format(columns=", ".join(columns(pool, wanted)))
    return tuple(ReleasePoint(*row) for row in catalog.lake.rows(sql))


def _set_figures(catalog: Catalog, subject: Subject) -> tuple[SetFigure, ...]:
    if not _has_set_scores(catalog):
        return ()
    return _records(catalog, "report_set_scores", kind=SetFigure, job_id=subject.job_id, release_id=subject.release_id)


def _erosion(catalog: Catalog, subject: Subject) -> tuple[PointFigure, ...]:
    if not _has_set_scores(catalog):
        return ()
    watched = [figure.name for figure in FIGURES]
    return _records(catalog, "report_erosion", kind=PointFigure, job_id=subject.job_id, watched=watched)


def _has_set_scores(catalog: Catalog) -> bool:
    """A corpus of the first schema has none; only writing brings it up to date."""
    return ("set_score",) in catalog.lake.rows(query("tables"))


def _records(catalog: Catalog, name: str, *, kind: Callable[..., T], **parameters: Any) -> tuple[T, ...]:
    return tuple(kind(*row) for row in catalog.lake.rows(query(name), **parameters))
