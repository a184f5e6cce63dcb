"""A corpus on disk: its folder, where its metadata lives, and the lock that lets one job write at a time."""

import fcntl
import json
import os
import socket
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from catalogs.errors import CatalogError, CorpusBusy
from catalogs.lake import SQLITE

SETTINGS = "corpus.toml"
LOCK = "job.lock"


def metadata_of(folder: Path) -> str:
    """Where the corpus keeps its metadata: "sqlite", or a Postgres DSN ("dbname=… host=…")."""
    settings = folder / SETTINGS
    if not settings.exists():
        return SQLITE
    try:
        return str(tomllib.loads(settings.read_text()).get("metadata", SQLITE))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f'{settings} is not TOML: {error}; expected the line: metadata = "sqlite"') from error


def create(folder: Path, *, metadata: str = SQLITE) -> None:
    """Make the folder of a corpus; nothing happens if it is there already with the same metadata.

    Raises:
        CatalogError: if the corpus exists with other metadata.
    """
    if (folder / SETTINGS).exists():
        existing = metadata_of(folder)
        if existing != metadata:
            raise CatalogError(f"{folder} keeps its metadata in {existing!r}, not in {metadata!r}: name another folder")
        return
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    part = folder / f".{SETTINGS}.{os.getpid()}"
    part.write_text(f"# Where this corpus keeps its metadata.\nmetadata = {json.dumps(metadata)}\n")
    part.rename(folder / SETTINGS)


@contextmanager
def job_lock(folder: Path, *, metadata: str, command: str) -> Iterator[None]:
    """Hold the right to write a SQLite corpus; on Postgres, jobs write side by side.

    The lock is the kernel's and ends with the process, however it ends.

    Raises:
        CorpusBusy: if another process holds it, with who, since when, and what to do.
    """
    if metadata != SQLITE:
        yield
        return
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CorpusBusy(_who_holds(folder)) from error
        file.truncate(0)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": started}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _who_holds(folder: Path) -> str:
    try:
        holder = json.loads((folder / LOCK).read_text())
        who = f"process {holder['pid']} on {holder['host']} (`{holder['command']}`, since {holder['since']})"
    except (ValueError, KeyError):
        who = "another process"
    return (
        f"{folder} is being written by {who}; wait for it, stop it, "
        "or keep the corpus in Postgres, where several jobs write at once"
    )
