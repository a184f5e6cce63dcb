"""Judging: verdicts from scores, on arrival and for takes that were scored before this policy was made."""

from collections import defaultdict
from collections.abc import Sequence

from catalogs.catalog import Catalog
from catalogs.ids import Id
from catalogs.lake import query
from catalogs.records import MetricCard, Value, Verdict
from catalogs.stage import Outcome
from catalogs.takes import Family
from curation.policy import Policy


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


def judge_job(catalog: Catalog, job_id: Id, policy: Policy) -> int:
    """Judge, in SQL, the takes of a job that this policy has not judged; gives how many there were."""
    before = catalog.count("verdict")
    sql = query("judge_job").format(reasons=policy.reasons_sql())
    catalog.lake.run(sql, policy=policy.id, job_id=job_id)
    return catalog.count("verdict") - before


def verdict(take_id: Id, policy: Policy, reasons: Sequence[str]) -> Verdict:
    """Keep a take that nothing speaks against."""
    return Verdict(take_id, policy.id, "drop" if reasons else "keep", tuple(reasons))
