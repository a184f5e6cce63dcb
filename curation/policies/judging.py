"""Judging: verdicts from scores, on arrival and for takes that were scored before this policy was made.

A verdict holds for the scores it was made from: where a policy would now come to another, because a score has come
late or a metric has a new version, the next judging withdraws the old one and adds the new in one transaction.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalogs.catalog import Catalog
from catalogs.config import nearest
from catalogs.errors import CatalogError, UsageError
from catalogs.families import families
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import MetricCard, Value, Verdict
from catalogs.release import release_named
from catalogs.stage import Outcome
from catalogs.takes import Family
from curation.policies.policy import NUMBERS, Policy, Threshold, load_policy
from curation.scope import Scope


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy has come to over the takes of a scope; ``fresh`` is how many verdicts were not there before."""

    policy: Policy
    fresh: int
    takes: int
    audio_s: float
    kept: int
    kept_s: float

    def text(self) -> str:
        """The same in a line."""
        share = f" ({self.kept / self.takes:.0%})" if self.takes else ""
        return (
            f"{self.policy.title}: {self.fresh:,} judged anew; kept {self.kept:,} of {self.takes:,}{share}, "
            f"{self.kept_s / 3600:.2f} of {self.audio_s / 3600:.2f} h"
        )


class ArrivalJudge:
    """Judges takes as they come, from the scores that come with them."""

    def __init__(self, policy: Policy, families: Sequence[Family]) -> None:
        self._policy = policy
        self._names: dict[MetricCard, list[str]] = {f.card: [f.named(c) for c in f.card.columns] for f in families}

    def __call__(self, outcome: Outcome) -> list[Verdict]:
        """Verdicts on the takes of one batch; a take that some family failed on lacks that family's figures."""
        values: dict[Id, dict[str, Value]] = defaultdict(dict)
        for card, scores in outcome.scores.items():
            for score in scores:
                values[score.take_id].update(zip(self._names[card], score.values, strict=True))
        return [verdict(take_id, self._policy, self._policy.reasons(found)) for take_id, found in values.items()]


def verdict(take_id: Id, policy: Policy, reasons: Sequence[str]) -> Verdict:
    """Keep a take that nothing speaks against."""
    return Verdict(take_id, policy.id, "drop" if reasons else "keep", tuple(reasons))


def judge_job(catalog: Catalog, job_id: Id, policy: Policy) -> int:
    """Judge, in SQL, the takes of a job that this policy has not judged by the scores they have now; gives how many."""
    return _judge(catalog, policy, Scope(job_id=job_id), has_last_word=False)


def judge_again(catalog: Catalog, policy: Policy, scope: Scope) -> Judged:
    """Let this policy have the last word on some takes: what ``takes.verdict`` shows, and `freeze` takes by default.

    Where it has the last word already, and its figures have not changed, nothing is written.

    Raises:
        UsageError: if another policy of the same name and version has judged here.
    """
    _refuse_another_of_that_name(catalog, policy)
    with catalog.lake.transaction():
        catalog.lake.run(query("add_policy"), id=policy.id, definition=policy.definition)
        fresh = _judge(catalog, policy, scope, has_last_word=True)
    counts = query("verdict_counts").format(within=query("within"))
    (row,) = catalog.lake.rows(counts, policy=policy.id, job_id=scope.job_id, release_id=scope.release_id)
    return Judged(policy, fresh, *row)


def closed(catalog: Catalog, policy: Policy, scope: Scope) -> Policy:
    """The policy with every quantile found, over the takes of ``scope`` or the corpus's real ones.

    The quantile of an override is that of the takes it fits. The number stays what it is when more takes come in: it
    is part of the policy that comes out, and of its id.

    Raises:
        UsageError: for a column that no metric has written here, and a quantile that contradicts the other end.
        CatalogError: if no take has the figure.
    """
    _refuse_unknown(catalog, policy)
    if not policy.is_open:
        return policy
    wanted = [(n, column, t) for n, column, t in policy.all_thresholds() if t.is_open]
    told = [_quantile_sql(policy, number, column, t) for number, column, t in wanted]
    sql = query("quantiles").format(quantiles=", ".join(told), within=query("within"))
    (found,) = catalog.lake.rows(sql, job_id=scope.job_id, release_id=scope.release_id)
    tables = [dict(policy.thresholds), *(dict(override.thresholds) for override in policy.overrides)]
    for (number, column, threshold), ends in zip(wanted, found, strict=True):
        tables[0 if number is None else number + 1][column] = _closed(column, threshold, ends)
    base, *others = tables
    overrides = tuple(replace(o, thresholds=table) for o, table in zip(policy.overrides, others, strict=True))
    return replace(policy, thresholds=base, overrides=overrides)


def find_scope(catalog: Catalog, *, job: str | None = None, release: str | None = None) -> Scope:
    """The takes of a job (its name or id), of a release (its name), or of the corpus.

    Raises:
        UsageError: if both are given.
        CatalogError: if there is no such job, or there are several.
    """
    if job and release:
        raise UsageError("give a job or a release, not both")
    if release:
        return Scope(release_id=release_named(catalog, release).id)
    if not job:
        return Scope()
    found = [row[0] for row in catalog.lake.rows(query("jobs_named"), name=job)]
    if len(found) == 1:
        return Scope(job_id=found[0])
    told = f"{len(found)} jobs named {job!r}: give the id of one, {', '.join(found)}" if found else f"no job {job!r}"
    raise CatalogError(f"{catalog.folder} has {told}; `synthgen status` lists them")


def find_policy(catalog: Catalog, name: str) -> Policy:
    """The policy of a file, or one that has judged in this corpus, by its title or the beginning of its id.

    Raises:
        RecipeError: for a file with mistakes.
        UsageError: if there is neither, or the name fits several.
    """
    if Path(name).is_file():
        return load_policy(Path(name))
    rows = catalog.lake.rows("SELECT id::VARCHAR, definition FROM policy ORDER BY id")
    stored = {policy_id: Policy.from_definition(definition) for policy_id, definition in rows}
    found = [p for policy_id, p in stored.items() if p.title == name or policy_id.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    told = f"{len(found)} policies fit {name!r}" if found else f"no policy {name!r}, as a file or"
    known = ", ".join(f"{p.title} ({policy_id[:8]})" for policy_id, p in stored.items())
    raise UsageError(f"{told} in {catalog.folder}; known here: {known or 'none yet'}")


def _judge(catalog: Catalog, policy: Policy, scope: Scope, *, has_last_word: bool) -> int:
    if policy.is_open:
        raise UsageError(f"policy {policy.title} has quantiles without their numbers; judge with `synthgen judge`")
    lake = catalog.lake
    sql = query("judge_takes").format(reasons=policy.reasons_sql(), within=query("within"))
    with lake.transaction():
        lake.run(sql, policy=policy.id, job_id=scope.job_id, release_id=scope.release_id, has_last_word=has_last_word)
        fresh: int = lake.rows("SELECT count(*) FROM temp.fresh")[0][0]
        if fresh:
            lake.run(query("withdraw_verdicts"), policy=policy.id)
            lake.run(query("add_verdicts"), policy=policy.id)
        lake.run("DROP TABLE temp.fresh")
    return fresh


def _refuse_unknown(catalog: Catalog, policy: Policy) -> None:
    types = {f.named(c): c.type for f in families(catalog.lake) for c in f.card.columns}
    for column in policy.columns:
        if column not in types:
            raise UsageError(f"policy {policy.title}: no metric has written {column!r} here{nearest(column, [*types])}")
        if types[column] not in NUMBERS:
            raise UsageError(f"policy {policy.title}: {column} is not a number but {types[column]}")


def _refuse_another_of_that_name(catalog: Catalog, policy: Policy) -> None:
    """A name with a version means one policy; its quantiles may have come to other numbers."""
    if policy.name is None:
        return
    for stored_id, definition in catalog.lake.rows(query("policies_named"), name=policy.name, version=policy.version):
        if Policy.from_definition(definition).opened != policy.opened:
            raise UsageError(
                f"policy {policy.title} has judged here with other thresholds (id {stored_id}): give this one "
                "another version"
            )


def _quantile_sql(policy: Policy, number: int | None, column: str, threshold: Threshold) -> str:
    """The SQL of [lowest quantile, highest quantile] over the takes that a threshold holds for."""
    ends = [q if q is not None else 0.5 for q in (threshold.min_quantile, threshold.max_quantile)]
    figure = f'"{column}"::DOUBLE'
    whose = "origin = 'real'" if threshold.of == "real" else "is_judged"
    where = whose if number is None else f"{whose} AND {policy.overrides[number].fits_sql()}"
    return f"quantile_cont({figure}, {ends!r}) FILTER ({where} AND NOT isnan({figure}))"


def _closed(column: str, threshold: Threshold, ends: Sequence[float] | None) -> Threshold:
    if ends is None:
        who = "real take" if threshold.of == "real" else "take that it holds for"
        raise CatalogError(
            f"no quantile of {column}: no {who} has that figure; `synthgen measure --metric` scores takes"
        )
    low = ends[0] if threshold.min is None and threshold.min_quantile is not None else threshold.min
    high = ends[1] if threshold.max is None and threshold.max_quantile is not None else threshold.max
    try:
        return replace(threshold, min=low, max=high)
    except ValueError as error:
        raise UsageError(f"{column}: {error}") from error
