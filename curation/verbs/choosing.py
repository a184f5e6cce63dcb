"""The verbs of choosing: TDSC, and the preferences that it and others leave behind."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from catalogs.errors import RecipeError
from curation.verbs.options import CURATE, AsJson, Changes, Corpus, On, RecipeName
from curation.verbs.production import open_production, tell


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    app.command(rich_help_panel=CURATE)(tdsc)
    app.command(rich_help_panel=CURATE)(preferences)


def tdsc(recipe: RecipeName, changes: Changes = [], on: On = None, as_json: AsJson = False) -> None:
    """Read every text many times at several temperatures, keep the best readings, and note which won over which."""
    from curation.tdsc.accounts import accounts_of, table
    from curation.tdsc.candidates import texts_of

    with open_production(recipe, changes, on, command="tdsc", quiet=as_json) as production:
        config = production.recipe.tdsc
        if config is None:
            raise RecipeError(f"{recipe} has no table [tdsc]; an empty one is enough, or -o tdsc.iterations=5")
        summary = production.run()
        texts = texts_of(production.catalog, production.job_id, production.recipe.policy, upto=config.iterations)
        accounts = accounts_of(texts, config)
    if not as_json:
        print(table(accounts))
    tell(summary, as_json=as_json, corpus=production.recipe.corpus)


def preferences(
    to: Annotated[Path, typer.Option("--to", help="The folder to make.")],
    corpus: Corpus = Path(),
    method: Annotated[str | None, typer.Option(help="Only those of one method: tdsc, dgsa.")] = None,
    objective: Annotated[str | None, typer.Option(help="Only one objective: words, stability, expressivity.")] = None,
    job: Annotated[str | None, typer.Option(help="Only those of one job: its name, or its id.")] = None,
    use: Annotated[str, typer.Option(help="research or commercial; licences are held against it.")] = "research",
    as_json: AsJson = False,
) -> None:
    """Export chosen and rejected takes side by side, for a preference trainer."""
    from catalogs.catalog import Catalog
    from catalogs.config import parse
    from catalogs.export import ExportConfig
    from catalogs.export.preferences import export_preferences
    from curation.policies.judging import find_scope

    config = parse(ExportConfig, {"format": "parquet", "intended_use": use}, source="preferences")
    with Catalog.open(corpus) as catalog:
        of = {"method": method, "objective": objective, "job_id": find_scope(catalog, job=job).job_id}
        report = export_preferences(catalog, to=to, use=config.intended_use, **of)
    if as_json:
        print(json.dumps(asdict(report), default=str))
        return
    held_out = f", {report.num_held_out:,} of held-out texts left out" if report.num_held_out else ""
    print(f"{report.to}: {report.num_pairs:,} pairs{held_out}, {report.num_bytes / 1e6:.1f} MB")
