"""The verb that freezes: takes by a condition, or the best choice among them up to a quota."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation.verbs.options import AsJson, Corpus

if TYPE_CHECKING:
    from catalogs.records import Release

PANEL = "Catalog"


def register(app: typer.Typer) -> None:
    """Mount the verb."""
    app.command(rich_help_panel=PANEL)(freeze)


def freeze(
    name: Annotated[str, typer.Argument(help="The release's name; it cannot be used twice.")],
    corpus: Corpus = Path(),
    where: Annotated[str, typer.Option(help="An SQL condition over `takes`.")] = "verdict = 'keep'",
    order: Annotated[str | None, typer.Option(help="What comes first, as SQL; with --limit.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many takes.")] = None,
    job: Annotated[str | None, typer.Option(help="Only the takes of this job: its name, or its id.")] = None,
    hours: Annotated[
        float | None, typer.Option(help="Select so many hours: stable, expressive, of every kind.")
    ] = None,
    num_takes: Annotated[int | None, typer.Option("--takes", help="Select so many takes in the same way.")] = None,
    per_text: Annotated[int, typer.Option(min=1, help="At most so many takes of a text, when selecting.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Freeze takes under a name, for good; the same name and takes again change nothing."""
    from catalogs import release
    from catalogs.catalog import Catalog
    from catalogs.config import parse
    from catalogs.errors import UsageError
    from catalogs.ids import canonical
    from curation.policies.judging import find_scope
    from curation.selection.choosing import SelectionConfig, select

    is_selecting = hours is not None or num_takes is not None
    if is_selecting and (order or limit):
        raise UsageError("--hours and --takes select by themselves; leave out --order and --limit")
    quota = {"takes": num_takes, "hours": hours, "per_text": per_text}
    config = parse(SelectionConfig, quota, source="freeze") if is_selecting else None
    Catalog.open(corpus).lake.close()  # there must be one
    with Catalog.create(corpus) as catalog, catalog.job(f"synthgen freeze {name}"):
        job_id = find_scope(catalog, job=job).job_id
        chosen = release.select(corpus, where=where, job_id=job_id, order=order, limit=limit)
        made_by: dict[str, Any] = {"where": where, "order": order, "limit": limit, "job": job_id}
        if config:
            selection = select(catalog, chosen, config)
            chosen, made_by = list(selection.take_ids), made_by | {"selection": selection.made_by()}
            print(selection.text(), file=sys.stderr)
        known = {r.name for r in release.releases(catalog)}
        frozen = release.freeze(catalog, name, take_ids=chosen, made_by=canonical(made_by), job_id=job_id)
    _tell(frozen, was_known=name in known, as_json=as_json)


def _tell(frozen: "Release", *, was_known: bool, as_json: bool) -> None:
    from catalogs.cli import release_text

    if as_json:
        print(json.dumps({**asdict(frozen), "already_frozen": was_known}, default=str))
    else:
        print(release_text(frozen) + (", already frozen" if was_known else ""))
