"""The arguments and options that verbs share."""

from pathlib import Path
from typing import Annotated

import typer

GENERATE = "Generate"
CURATE = "Curate"

RecipeName = Annotated[str, typer.Argument(help="A recipe file, or the name of one that comes with synthgen (demo).")]
Changes = Annotated[
    list[str], typer.Option("-o", "--set", metavar="KEY=VALUE", help="Change the recipe: casting.seed=7")
]
On = Annotated[str | None, typer.Option("--on", help="inline, ray, or the address of a cluster.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Corpus = Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="The corpus folder.")]
