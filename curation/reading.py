"""Reading back: the state of jobs, and the story of one take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalogs import takes
from catalogs.catalog import Catalog
from catalogs.errors import CatalogError
from catalogs.lake import query

LONGEST_LIST = 32


@dataclass(frozen=True, slots=True)
class JobState:
    """How far a job is."""

    name: str
    job_id: str
    lines: int
    takes: int
    audio_s: float
    failed: int
    last_command: str | None
    last_outcome: str | None

    def text(self) -> str:
        """The state in one line."""
        share = f"{self.takes / self.lines:.1%}" if self.lines else "not cast"
        outcome = self.last_outcome or "running or killed"
        return (
            f"{self.name} ({self.job_id}): {self.takes:,} of {self.lines:,} lines recorded ({share}), "
            f"{self.audio_s / 3600:.2f} h, failed {self.failed:,}; last `{self.last_command}`: {outcome}"
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything the catalog knows of one take."""

    values: Mapping[str, Any]
    units: Mapping[str, str]
    families: Mapping[str, str]
    verdicts: tuple[Mapping[str, Any], ...]
    releases: tuple[str, ...]

    def text(self) -> str:
        """The story in a page: origin first, then each metric family, then verdicts and releases."""
        lines: list[str] = []
        family = ""
        for name, value in self.values.items():
            if value is None or (isinstance(value, list) and len(value) > LONGEST_LIST):
                continue
            if self.families.get(name, "take") != family:
                family = self.families.get(name, "take")
                lines.append(f"\n{family}")
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            lines.append(f"  {name:24} {shown} {self.units.get(name, '')}".rstrip())
        for verdict in self.verdicts:
            why = f": {', '.join(verdict['reasons'])}" if verdict["reasons"] else ""
            lines.append(f"\n{verdict['decision']} by policy {verdict['policy']}{why}\n  {verdict['definition'] or ''}")
        lines.append(f"\nreleases: {', '.join(self.releases) or 'none'}")
        return "\n".join(lines).strip()


def job_states(catalog: Catalog) -> list[JobState]:
    """The state of every job of a corpus, in the order of their names."""
    return [JobState(*row) for row in catalog.lake.rows(query("job_states"))]


def explanation(catalog: Catalog, take_id: str) -> Explanation:
    """The story of a take.

    Raises:
        CatalogError: if the corpus has no such take.
    """
    table = catalog.lake.table(query("take"), id=take_id)
    if table.num_rows == 0:
        raise CatalogError(
            f"{catalog.folder} has no take {take_id}; `synthgen sql` lists them in the column take_id of takes"
        )
    dictionary = takes.dictionary(catalog.lake).to_pylist()
    verdicts = catalog.lake.table(query("verdicts_of_take"), id=take_id).to_pylist()
    names = catalog.lake.rows(query("releases_of_take"), id=take_id)
    return Explanation(
        values=table.to_pylist()[0],
        units={row["column"]: row["unit"] for row in dictionary},
        families={row["column"]: f"{row['family']} {row['version']}".strip() for row in dictionary},
        verdicts=tuple(verdicts),
        releases=tuple(name for (name,) in names),
    )
