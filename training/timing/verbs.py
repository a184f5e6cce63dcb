"""The verb of word times."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from training.timing.release import TimingReport


def register(app: typer.Typer, *, panel: str) -> None:
    """Mount the verb."""
    app.command(rich_help_panel=panel)(time)


def time(
    release: Annotated[str, typer.Argument(help="The name of a release.")],
    by: Annotated[str, typer.Option(metavar="CHECKPOINT", help="The folder of a CTC training, or a checkpoint of it.")],
    corpus: Annotated[Path, typer.Option("-c", "--corpus", envvar="SYNTHGEN_CORPUS", help="Its corpus.")] = Path(),
    split: Annotated[str | None, typer.Option(help="One split of the release; all of it if not given.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also takes that are timed, but not by the voice that said them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Find when each word of a release is said, in any language, by a recogniser that was trained with CTC."""
    from dataclasses import asdict

    from catalogs.progress import Progress
    from training.timing.release import TimingRequest, time_release

    found = time_release(by, TimingRequest(corpus, release, split, again), progress=Progress(quiet=as_json))
    if as_json:
        print(json.dumps(asdict(found)))
    else:
        _tell(found, corpus)
    if found.failures:
        raise SystemExit(5)


def _tell(found: "TimingReport", corpus: Path) -> None:
    by = ", ".join(f"{whose} {count:,}" for whose, count in found.timed_by.items())
    with_times = f"{found.num_takes - found.untimed:,} of {found.num_takes:,} takes have word times"
    print(f"{found.release}: {found.recogniser} timed {found.aligned:,} takes; {with_times}{by and f' ({by})'}")
    for why, count in found.unaligned.items():
        print(f"{count:,} takes cannot be aligned: {why}", file=sys.stderr)
    if found.tried_before:
        print(f"{found.tried_before:,} takes it could not align before, and has not tried again", file=sys.stderr)
    if found.kept:
        print(f"{found.kept:,} of them keep the times that they had", file=sys.stderr)
    if found.awaiting:
        measure = f"synthgen measure -c {corpus} --metric timing --release {found.release}"
        print(f"{found.awaiting:,} takes have times of their voice: `{measure}` writes them down", file=sys.stderr)
    for failure in found.failures:
        print(f"{failure.subject_id}: {failure.message}", file=sys.stderr)
