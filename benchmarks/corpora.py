"""What experiments share: manifests as JSON lines, and corpora and releases that are made of them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalogs import release
from catalogs.catalog import Catalog
from catalogs.progress import Progress
from curation.policies.judging import find_scope
from curation.production import Production
from curation.recipe import Recipe

SYNTHGEN = Path(sys.executable).parent / "synthgen"


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def unique(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each text once."""
    return list({row["text"]: row for row in rows}.values())


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write JSON lines."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def write_text(path: Path, text: str) -> None:
    """Write a file as a whole or not at all, so that others may read it meanwhile; the same text stays as it is."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def ingest(manifest: Path, corpus: Path) -> None:
    """Bring a manifest of published recordings into a corpus."""
    consent = "published data set"
    subprocess.run([SYNTHGEN, "ingest", manifest, "-c", corpus, "--layout", "jsonl", "--consent", consent], check=True)


def freeze(corpus: Path, releases: Mapping[str, str], *, job: str | None = None) -> None:
    """Freeze the takes that conditions hold for, of one job or of all, by the names of releases."""
    with Catalog.create(corpus) as catalog, catalog.job("benchmarks"):
        job_id = find_scope(catalog, job=job).job_id
        for name, where in releases.items():
            take_ids = release.select(corpus, where=where, job_id=job_id)
            release.freeze(catalog, name, take_ids=take_ids, made_by=f"benchmarks {where}", job_id=job_id)


def produce(recipe: Recipe) -> str:
    """Run a job to its release, or find it done; gives the release's name."""
    with Catalog.create(recipe.corpus) as catalog, catalog.job(recipe.name):
        run_id = catalog.begin_run(recipe.job_id, recipe.name)
        summary = Production(recipe, catalog, run_id=run_id, progress=Progress()).run()
        catalog.end_run(run_id, "done")
    assert summary.release is not None
    return summary.release.name
