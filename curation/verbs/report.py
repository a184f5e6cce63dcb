"""The verb that writes a report."""

import json
from pathlib import Path
from typing import Annotated

import typer

from curation.verbs.options import CURATE, AsJson, Corpus


def register(app: typer.Typer) -> None:
    """Mount the verb."""
    app.command(rich_help_panel=CURATE)(report)


def report(
    name: Annotated[str, typer.Argument(help="A release or a job, by its name or id.")],
    corpus: Corpus = Path(),
    to: Annotated[Path | None, typer.Option("--to", help="The file to write.", show_default="NAME.html")] = None,
    players: Annotated[int, typer.Option(min=0, max=500, help="How many takes it plays at most.")] = 80,
    as_json: AsJson = False,
) -> None:
    """One HTML file that tells what became of a job, plays takes, and says what to do next; it needs no server."""
    from dataclasses import asdict

    from catalogs.catalog import Catalog
    from curation.report.writing import write_report

    with Catalog.open(corpus) as catalog:
        written = write_report(catalog, name, to=to, players=players)
    if as_json:
        print(json.dumps(asdict(written)))
        return
    print(f"{written.path}: {written.num_bytes / 1e6:.1f} MB, {written.players:,} of {written.takes:,} takes to play")
