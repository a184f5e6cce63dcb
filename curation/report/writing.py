"""Writing a report of a corpus to a file."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from catalogs.catalog import Catalog
from catalogs.errors import CatalogError
from curation.report.advice import advise
from curation.report.gathering import gather, near
from curation.report.page import page
from curation.report.players import choose_players
from curation.report.pool import make_pool
from curation.report.subject import find_subject

PLAYERS = 80


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written: where, what it is about, its size, the takes there are and those it plays."""

    path: str
    subject: str
    num_bytes: int
    takes: int
    players: int
    without_audio: int


def write_report(catalog: Catalog, name: str, *, to: Path | None = None, players: int = PLAYERS) -> Written:
    """Write the report of a release or job to ``to`` (``NAME.html`` in the working folder), whole or not at all.

    The same corpus gives the same bytes. ``players`` is how many takes it plays at most.

    Raises:
        CatalogError: if there is no such release or job, or the file cannot be written.
    """
    subject = find_subject(catalog, name)
    pool = make_pool(catalog, subject)
    findings = gather(catalog, subject, pool=pool)
    chosen = choose_players(catalog, most=players)
    text = page(findings, chosen, advice=advise(findings, partial(near, catalog)))
    path = to or Path(f"{_file_name(subject.name)}.html")
    _write(path, text)
    return Written(
        path=str(path),
        subject=subject.name,
        num_bytes=path.stat().st_size,
        takes=findings.funnel.takes,
        players=len(chosen),
        without_audio=sum(player.audio is None for player in chosen),
    )


def _file_name(name: str) -> str:
    """A name without what a file's name cannot have, or a shell would mind."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip(".-") or "report"


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CatalogError(f"the report cannot be written to {path}: {error.strerror or error}") from error
