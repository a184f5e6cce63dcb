"""The verbs of training."""

import json
import sys
from typing import Annotated

import typer

PANEL = "Train"


def register(app: typer.Typer) -> None:
    """Mount the verbs."""
    app.command("train", rich_help_panel=PANEL)(train)


def train(
    recipe: Annotated[str, typer.Argument(help="A TOML file.")],
    changes: Annotated[list[str], typer.Option("-o", "--set", metavar="KEY=VALUE", help="Change one setting.")] = [],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Train a recogniser on releases; run again, it goes on where it was."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.recipe import load_recipe
    from training.session import train as run

    found = run(load_recipe(recipe, changes), progress=Progress(quiet=as_json))
    if as_json:
        print(json.dumps(asdict(found), default=str))
        return
    loss = "" if found.loss is None else f", loss {found.loss:.3f}"
    print(f"{found.folder}: {found.steps:,} steps over {found.utterances:,} utterances{loss}")
    print(f"the curve is {found.folder / 'curve.svg'}", file=sys.stderr)
