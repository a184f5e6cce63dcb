"""The verb that describes a set of takes as a whole; it reads scores and loads no model."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from curation.verbs.options import CURATE, AsJson, Corpus


def register(app: typer.Typer) -> None:
    """Mount the verb."""
    app.command("set", rich_help_panel=CURATE)(describe)


def describe(
    corpus: Corpus = Path(),
    job: Annotated[str | None, typer.Option("--job", help="The takes of a job: its name, or its id.")] = None,
    release: Annotated[str | None, typer.Option("--release", help="The members of a release.")] = None,
    store: Annotated[bool, typer.Option(help="Keep the figures in the table set_score.")] = True,
    as_json: AsJson = False,
) -> None:
    """How diverse a job or a release is, what it covers, and how far it is from the corpus's real takes."""
    from catalogs.catalog import Catalog
    from catalogs.errors import UsageError
    from curation.policies.judging import find_scope
    from curation.sets.summary import set_figures, set_scores
    from curation.sets.watched import real_takes, takes_of_job, takes_of_release

    with Catalog.open(corpus) as catalog:
        scope = find_scope(catalog, job=job, release=release)
        if scope.release_id:
            set_id, takes = scope.release_id, takes_of_release(catalog, scope.release_id, vectors=True)
        elif scope.job_id:
            set_id, takes = scope.job_id, takes_of_job(catalog, scope.job_id, vectors=True)
        else:
            raise UsageError("say which set: --job NAME or --release NAME")
        figures = set_figures(takes, real_takes(catalog, vectors=True))
    if as_json:
        print(json.dumps({name: asdict(figure) for name, figure in figures.items()}))
    else:
        width = max((len(name) for name in figures), default=0)
        for name, found in figures.items():
            print(f"{name:{width}}  {found.value:8.3f}  {found.low:.3f} to {found.high:.3f}  of {found.num_items:,}")
    if store:
        with Catalog.create(corpus) as catalog, catalog.job("synthgen set"):
            catalog.add(set_scores(takes, figures, set_id))
