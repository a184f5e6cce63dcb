"""Checkpoints that are not in our table: a folder of the user's, or a repository of the model hub at a commit."""

import hashlib
import re
from pathlib import Path

from catalogs.errors import ModelMissing, UsageError
from catalogs.models.hashing import sha256_of_folder

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def checkpoint_sha256(checkpoint: str, revision: str | None) -> str:
    """What a checkpoint is known by: the hash of a local folder's files, or of a hub id and its commit.

    A hub id needs a full commit as its revision. A branch moves, and then the same id would mean other weights; a
    commit names the same bytes for ever, so nothing has to be downloaded to know them.

    Raises:
        ModelMissing: if it names a folder that is not there.
        UsageError: if it is a hub id without a commit.
    """
    folder = Path(checkpoint).expanduser()
    if folder.exists():
        return sha256_of_folder(folder)
    if not _HUB_ID.fullmatch(checkpoint):
        raise ModelMissing(f"there is no checkpoint at {checkpoint}; give a folder, or a hub id (owner/name)")
    if revision is None or not _COMMIT.fullmatch(revision):
        raise UsageError(
            f"{checkpoint} is neither a folder here nor pinned: a hub id needs `revision`, a full commit of "
            f"40 hexadecimal digits, since a branch can move"
        )
    return hashlib.sha256(f"{checkpoint}@{revision}".encode()).hexdigest()


def checkpoint_folder(checkpoint: str, revision: str | None, *, files: tuple[str, ...]) -> Path:
    """A local folder with the checkpoint; a hub id is downloaded, but only what the patterns name.

    Raises:
        ModelMissing: if it is not to be had.
        UsageError: if it is a hub id without a commit.
    """
    checkpoint_sha256(checkpoint, revision)
    folder = Path(checkpoint).expanduser()
    if folder.exists():
        return folder
    from huggingface_hub import snapshot_download  # heavy, and optional

    try:
        return Path(snapshot_download(checkpoint, revision=revision, allow_patterns=list(files)))
    except (OSError, ValueError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelMissing(f"{checkpoint}@{revision} cannot be had from the model hub: {reason}") from error
