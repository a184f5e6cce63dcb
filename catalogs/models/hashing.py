"""Hash files and folders of weights, and remember the hashes by size and time of change."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalogs.errors import ModelMissing
from catalogs.models.artefacts import sha256_of_files


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file looked like when it was hashed; a file that still looks so is not hashed again."""

    num_bytes: int
    mtime_ns: int
    sha256: str

    def fits(self, path: Path) -> bool:
        """Whether the file is there and has not been touched since."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.num_bytes, self.mtime_ns)


def cache_root() -> Path:
    """Where models and hashes are kept: ``$SYNTHGEN_CACHE``, else the user's cache folder."""
    named = os.environ.get("SYNTHGEN_CACHE", "")
    user = os.environ.get("XDG_CACHE_HOME", "") or "~/.cache"
    return (Path(named) if named else Path(user)).expanduser().absolute() / "synthgen"


def sha256_of_file(path: Path) -> str:
    """Hash one file, in flat memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(path: Path) -> Stamp:
    """Hash a file; its size and time are taken first, so that a change meanwhile shows later."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns, sha256_of_file(path))


def sha256_of_folder(path: Path) -> str:
    """One hash over a checkpoint of the user's: a folder of weights, or a single file.

    It is computed as `Artefact.sha256` is, so that the same files have the same hash whether they were
    fetched or given. Hidden files do not count. A file is read again only when its size or time changes.

    Raises:
        ModelMissing: if there is no such folder or file, or nothing in it.
    """
    files = _files(path)
    if not files:
        raise ModelMissing(f"there are no model files at {path}; give a folder of weights, or one file")
    known = _remembered(path)
    fresh = {
        name: known[name] if name in known and known[name].fits(file) else stamp(file) for name, file in files.items()
    }
    if fresh != known:
        write_stamps(_memory(path), fresh)
    return sha256_of_files({name: stamp.sha256 for name, stamp in fresh.items()})


def read_stamps(path: Path) -> dict[str, Stamp]:
    """Read stamps by file name; an unreadable file is as good as none."""
    try:
        return {name: Stamp(*values) for name, values in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_stamps(path: Path, stamps: Mapping[str, Stamp]) -> None:
    """Write stamps by file name, atomically; a cache that cannot be written only costs time."""
    rows = {name: [stamp.num_bytes, stamp.mtime_ns, stamp.sha256] for name, stamp in sorted(stamps.items())}
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(rows), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)


def _files(path: Path) -> dict[str, Path]:
    if path.is_file():
        return {path.name: path}
    names = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    return {name: file for name, file in names.items() if not any(p.startswith(".") for p in name.split("/"))}


def _memory(path: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()
    return cache_root() / "hashes" / f"{digest[:32]}.json"


def _remembered(path: Path) -> dict[str, Stamp]:
    return read_stamps(_memory(path))
