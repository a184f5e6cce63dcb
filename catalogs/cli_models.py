"""The verbs of the models: what is pinned, fetching it, checking it."""

import json
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]

app = typer.Typer(help="Pinned weights: what there is, fetching, checking.", no_args_is_help=True)


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the pinned models, and which are cached here."""
    from catalogs import models

    for artefact in models.artefacts():
        folder = models.cached(artefact.name)
        size = f"{artefact.num_bytes / 1e6:.0f} MB"
        if as_json:
            row = {"name": artefact.name, "role": artefact.role, "licence": artefact.licence, "sha256": artefact.sha256}
            typer.echo(json.dumps({**row, "num_bytes": artefact.num_bytes, "cached": str(folder) if folder else None}))
        else:
            state = "cached" if folder else "-"
            typer.echo(f"{artefact.name:18} {artefact.role:22} {size:>8}  {state:7} {artefact.licence}")


@app.command("get")
def get_models(
    names: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None, as_json: AsJson = False
) -> None:
    """Fetch models into the cache; a download that is not what was pinned never passes."""
    from catalogs import models

    for name in names or [artefact.name for artefact in models.artefacts()]:
        folder = models.fetch(name)
        typer.echo(json.dumps({"name": name, "folder": str(folder)}) if as_json else f"{name}: {folder}")


@app.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(help="All cached, if none is named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hash cached models again, and say which are not what was pinned."""
    from catalogs import models

    for name in names or [artefact.name for artefact in models.artefacts() if models.cached(artefact.name)]:
        folder = models.verify(name)
        told = f"{name}: {folder} is what was pinned"
        typer.echo(json.dumps({"name": name, "folder": str(folder), "verified": True}) if as_json else told)
