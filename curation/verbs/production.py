"""A job as verbs work on it: opened, noted as a run, ended in good order, and told about."""

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalogs.failures import told_failures

if TYPE_CHECKING:
    from curation.measuring import Measured
    from curation.production import Production, Summary


@contextmanager
def open_production(
    name: str, changes: list[str], on: str | None, *, command: str, quiet: bool
) -> Iterator["Production"]:
    """A job under its corpus's lock, noted as a run; Ctrl-C ends it in good order."""
    from catalogs.catalog import Catalog
    from catalogs.progress import Progress
    from catalogs.stopping import Stopped, undisturbed
    from curation.production import Production
    from curation.recipe import load_recipe

    recipe = load_recipe(name, [*changes, *([f"fleet.on={on}"] if on else [])])
    job_id = recipe.job_id
    words = shlex.join(["synthgen", command, name, *(f"-o{c}" for c in changes), *(["--on", on] if on else [])])
    with Catalog.create(recipe.corpus, metadata_at=recipe.metadata) as catalog, catalog.job(words):
        run_id = catalog.begin_run(job_id, words)
        production = Production(recipe, catalog, run_id=run_id, progress=Progress(quiet=quiet))
        try:
            yield production
        except Stopped:
            with undisturbed():
                done = production.summary()
                catalog.end_run(run_id, "stopped")
            print(f"\nstopped: {done.takes:,} of {done.lines:,} lines are recorded and kept", file=sys.stderr)
            print(f"go on with: {words}", file=sys.stderr)
            raise
        except BaseException:
            catalog.end_run(run_id, "error")
            raise
        catalog.end_run(run_id, "done")


def tell(summary: "Summary", *, as_json: bool, corpus: Path) -> None:
    """Print what came of it; exit 5 if items failed, with the SQL that lists them."""
    if as_json:
        print(json.dumps(plain(summary), default=str))
    else:
        print(summary.text())
    if summary.trouble:
        print(told_failures(summary.trouble, corpus), file=sys.stderr)
        raise SystemExit(5)


def tell_measured(found: Sequence["Measured"], *, as_json: bool, corpus: Path) -> None:
    """Print what came of each family; exit 5 if takes failed, with the SQL that lists them."""
    if as_json:
        print(json.dumps({"measured": [plain(each) for each in found]}))
    else:
        for each in found:
            print(f"{each.family}: {each.scored:,} takes measured" + (f", {each.failed:,} failed" * (each.failed > 0)))
    if failed := sum(each.failed for each in found):
        print(told_failures(f"{failed:,} failed", corpus), file=sys.stderr)
        raise SystemExit(5)


def plain(record: Any) -> dict[str, Any]:
    """A dataclass as a plain mapping."""
    from dataclasses import asdict

    return asdict(record)
