"""What a report is about: a release, or a job; and the policy by which its takes are judged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalogs.catalog import Catalog
from catalogs.errors import CatalogError
from catalogs.ids import Id, canonical
from catalogs.lake import query
from catalogs.records import Release
from catalogs.release import releases


@dataclass(frozen=True, slots=True)
class Limit:
    """The range that a policy asks of a figure; None is no end."""

    figure: str
    min: float | None
    max: float | None

    @property
    def ends(self) -> tuple[float, ...]:
        """The ends there are."""
        return tuple(end for end in (self.min, self.max) if end is not None)


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the corpus, with its resolved recipe."""

    id: Id
    name: str
    recipe: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """A release with the job it was made from, or one of the two.

    ``policy_id`` None means the verdicts of whichever policy judged last.
    """

    release: Release | None
    job: Job | None
    policy_id: Id | None
    limits: tuple[Limit, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.release.name if self.release else self.job.name if self.job else ""

    @property
    def job_id(self) -> Id | None:
        """The job whose takes are told of; None is the whole corpus."""
        return self.job.id if self.job else None

    @property
    def release_id(self) -> Id | None:
        """The release whose members are marked, or None."""
        return self.release.id if self.release else None


def find_subject(catalog: Catalog, name: str) -> Subject:
    """The release of this name or id, else the job; a job that ended in one release is told with it.

    Raises:
        CatalogError: if there is neither, with what there is; or several jobs of this name, with their ids.
    """
    known = releases(catalog)
    release = next((r for r in known if name in (r.name, r.id)), None)
    if release:
        jobs = _jobs(catalog, release.job_id) if release.job_id else []
        return _subject(catalog, release, jobs[0] if jobs else None)
    jobs = _jobs(catalog, name)
    if len(jobs) == 1:
        made = [r for r in known if r.job_id == jobs[0].id]
        return _subject(catalog, made[0] if len(made) == 1 else None, jobs[0])
    if jobs:
        ids = ", ".join(job.id for job in jobs)
        raise CatalogError(f"{catalog.folder} has {len(jobs)} jobs named {name!r}; give the id of one: {ids}")
    names = sorted(
        {r.name for r in known} | {row[0] for row in catalog.lake.rows("SELECT name FROM job ORDER BY name")}
    )
    raise CatalogError(
        f"{catalog.folder} has neither a release nor a job {name!r}; known: {', '.join(names) or 'none yet'}"
    )


def _jobs(catalog: Catalog, name: str) -> list[Job]:
    rows = catalog.lake.rows(query("report_jobs"), name=name)
    return [Job(job_id, job_name, json.loads(recipe)) for job_id, job_name, recipe in rows]


def _subject(catalog: Catalog, release: Release | None, job: Job | None) -> Subject:
    """The policy is the one that made the release, or else the recipe's; other policies may have judged since."""
    definitions = [release.made_by] if release else []
    if job:
        settings = job.recipe.get("policy", {})
        definitions.append(canonical({key: value for key, value in settings.items() if key != "class"}))
    for definition in definitions:
        rows = catalog.lake.rows(query("report_policy"), definition=definition)
        if rows:
            return Subject(release, job, rows[0][0], _limits(definition))
    return Subject(release, job, None, ())


def _limits(definition: str) -> tuple[Limit, ...]:
    thresholds = json.loads(definition).get("thresholds", {})
    return tuple(Limit(name, range_.get("min"), range_.get("max")) for name, range_ in sorted(thresholds.items()))
