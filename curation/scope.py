"""Which takes are meant, wherever some of a corpus are."""

from dataclasses import dataclass

from catalogs.ids import Id


@dataclass(frozen=True, slots=True)
class Scope:
    """Which takes are meant: those of a job, those of a release, or all of a corpus."""

    job_id: Id | None = None
    release_id: Id | None = None
