"""The folder of a training: whose it is, and the lock that lets one command train in it at a time."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from catalogs.errors import TrainingBusy, TrainingError
from training import checkpoint
from training.checkpoint import Checkpoint
from training.recipe import TrainRecipe

RECIPE, LOCK = "recipe.json", ".training.lock"


class Claim:
    """A folder that is this process's to train in, or, while another one is at work there, to look at."""

    def __init__(self, folder: Path, file: TextIO) -> None:
        """``file`` is the open lock."""
        self._folder, self._file = folder, file
        self.is_held = False

    def take(self) -> None:
        """Hold the folder, if nobody else does; the lock is the kernel's and ends with the process, however it ends."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        self.is_held = True
        self._file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        self._file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}))
        self._file.flush()

    def insist(self) -> None:
        """Hold the folder from here on, before anything is written there.

        Raises:
            TrainingBusy: if another process holds it, with who, since when, and what to do.
        """
        if not self.is_held:
            self.take()
        if not self.is_held:
            raise TrainingBusy(_who_holds(self._folder))

    def release(self) -> None:
        """Say no more who holds it; the lock ends when its file is closed."""
        if self.is_held:
            self._file.truncate(0)


@contextmanager
def claimed(recipe: TrainRecipe) -> Iterator[Claim]:
    """Claim the folder of a recipe, and note there whose it is.

    Where another process holds it, a training with a checkpoint may still be looked at, as it may be done; whoever
    finds that it is not has to `Claim.insist`. Until there is a checkpoint, a recipe that was corrected may have the
    folder.

    Raises:
        TrainingBusy: if another process trains there, and there is no checkpoint yet.
        TrainingError: if it holds another training.
    """
    recipe.folder.mkdir(parents=True, exist_ok=True)
    with (recipe.folder / LOCK).open("a+", encoding="utf-8") as file:
        claim = Claim(recipe.folder, file)
        claim.take()
        last = checkpoint.last(recipe.folder)
        if last is None:
            claim.insist()
        _note(recipe, last)
        try:
            yield claim
        finally:
            claim.release()


def _note(recipe: TrainRecipe, last: Checkpoint | None) -> None:
    path = recipe.folder / RECIPE
    if last is not None and path.exists() and path.read_text(encoding="utf-8").strip() != recipe.definition:
        raise TrainingError(
            f"{recipe.folder} holds another training than this recipe asks for; "
            "give this one another name, or another folder"
        )
    if last is not None and last.provenance.get("training", recipe.id) != recipe.id:
        raise TrainingError(
            f"{last.folder} was trained by another recipe than this one; give this one another folder, or remove "
            f"{recipe.folder} to train anew there"
        )
    if last is None or not path.exists():
        part = path.with_name(f".{RECIPE}.{os.getpid()}")
        part.write_text(recipe.definition + "\n", encoding="utf-8")
        part.replace(path)


def _who_holds(folder: Path) -> str:
    try:
        holder = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (ValueError, KeyError):
        who = "another process"
    return (
        f"{folder} is being trained in by {who}; wait for it, or stop it, and give the same command again; "
        "another recipe needs another folder"
    )
