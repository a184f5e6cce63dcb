"""The takes a report is about, as a temporary table that every figure of the report is asked of.

Nothing is loaded: DuckDB holds the table, and puts on disk what is too large.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.catalog import Catalog
from catalogs.families import Family, families, score_table
from catalogs.lake import query, quoted
from catalogs.records import ScoreColumn
from curation.report.subject import Job, Subject

HEADLINES = (
    *("wer", "substitutions", "insertions", "deletions", "ref_words", "dnsmos_ovrl", "f0_sd_st"),
    "speaker_similarity",
)
"""Figures that the report always asks for; in a corpus that was not measured so, they are null."""

NUMBERS = ("DOUBLE", "INTEGER", "BOOLEAN")


@dataclass(frozen=True, slots=True)
class Pool:
    """The figures that the temporary table ``pool`` holds as numbers, in the order their families came."""

    figures: tuple[ScoreColumn, ...]
    families: tuple[Family, ...]

    def has(self, *names: str) -> bool:
        """Whether the corpus was measured for all of these."""
        known = {figure.name for figure in self.figures}
        return known.issuperset(names)


def make_pool(catalog: Catalog, subject: Subject) -> Pool:
    """Gather the takes of a subject in the temporary table ``pool``; one that was there is replaced."""
    known = families(catalog.lake)
    figures = tuple(
        ScoreColumn(f.named(c), c.type, c.unit, c.better, c.meaning)
        for f in known
        for c in f.card.columns
        if c.type in NUMBERS
    )
    pool = Pool(figures, tuple(known))
    texts = ["takes.transcript"] if any(c.name == "transcript" for f in known for c in f.card.columns) else []
    sql = query("report_pool").format(
        is_measured=_is_measured(known, subject.job),
        columns=", ".join([*(texts or ["NULL::VARCHAR AS transcript"]), *columns(pool)]),
    )
    catalog.lake.rows(
        f"CREATE OR REPLACE TEMP TABLE pool AS {sql}",
        policy=subject.policy_id,
        release_id=subject.release_id,
        job_id=subject.job_id,
    )
    return pool


def columns(pool: Pool, only: Sequence[str] | None = None) -> list[str]:
    """The SQL of figures as numbers (of all that the report needs, unless named); null where none was measured."""
    known = [figure.name for figure in pool.figures]
    wanted = list(dict.fromkeys([*known, *HEADLINES])) if only is None else list(only)
    return [f'"{name}"::DOUBLE AS "{name}"' if name in known else f'NULL::DOUBLE AS "{name}"' for name in wanted]


def _is_measured(known: Sequence[Family], job: Job | None) -> str:
    """The SQL condition that a take has a score in every family of the job; without a job, in any family."""
    if job is None:
        return " OR ".join(_has_score(f.table) for f in known) or "FALSE"
    tables = {score_table(f.card) for f in known}
    asked = [
        (f"score_{family}" + (f"__{variant}" if variant else ""), version)
        for family, variant, version in job.recipe.get("metrics", [])
    ]
    conditions = [_has_score(table, version) if table in tables else "FALSE" for table, version in asked]
    return " AND ".join(conditions) or "TRUE"


def _has_score(table: str, version: str | None = None) -> str:
    of_version = f" WHERE version = {quoted(version)}" if version else ""
    return f"takes.take_id IN (SELECT take_id FROM {table}{of_version})"  # noqa: S608  # the table is a family's
