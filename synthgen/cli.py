"""The one command, `synthgen`: it mounts the verbs of all four packages and turns errors into sentences and exit codes.

Exit codes: 0 done · 1 bug · 2 bad usage or recipe · 3 catalog or data · 4 engine or model unavailable · 5 done, but
some items failed · 130 stopped by Ctrl-C, 143 by SIGTERM; the same command goes on.
"""

import errno
import sys
from typing import Annotated

import typer

import catalogs.cli
import curation.cli
import synthgen.verbs
import training.cli
from catalogs.errors import CatalogError, SynthgenError
from catalogs.stopping import Stopped, stoppable

app = typer.Typer(
    name="synthgen",
    help="Generate, curate, query and release synthetic speech, and train on it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("synthgen-studio"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Generate, curate, query and release synthetic speech, and train on it."""


for package in (curation.cli, synthgen.verbs, catalogs.cli, training.cli):
    package.register(app)


def main() -> None:
    """Run the command line."""
    try:
        with stoppable():
            app(standalone_mode=True)
    except Stopped as stop:
        raise SystemExit(stop.exit_code) from None
    except SynthgenError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            told = "no room left on the disk; free some space and run the same command again"
        elif error.filename:
            told = f"{error.filename}: {error.strerror}"
        else:
            raise
        print(f"error: {told}", file=sys.stderr)
        raise SystemExit(CatalogError.exit_code) from error
