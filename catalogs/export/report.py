"""What an export says of itself, to its caller and in ``synthgen_export.json``, by which it is known again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from catalogs.audio import hash_file
from catalogs.errors import UsageError
from catalogs.export.folder import SUMS
from catalogs.export.item import ExportConfig, Format
from catalogs.records import Release

SUMMARY = "synthgen_export.json"
VERSION = 1
"""Of what an export says of itself."""


@dataclass(frozen=True, slots=True)
class SplitCount:
    """The takes of one split, and their length together."""

    name: str
    num_takes: int
    audio_s: float


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A finished export. ``was_there`` is whether an earlier call had written it.

    ``num_files`` and ``num_bytes`` are those of the files in ``SHA256SUMS``.
    """

    to: Path
    format: Format
    num_takes: int
    audio_s: float
    splits: tuple[SplitCount, ...]
    num_files: int
    num_bytes: int
    was_there: bool = False


def summary(report: ExportReport, release: Release, config: ExportConfig, *, sums_sha256: str) -> bytes:
    """The text of ``synthgen_export.json``: which release, how, how much, and the hash of the list of hashes."""
    counts = {
        "num_takes": report.num_takes,
        "audio_s": report.audio_s,
        "splits": [asdict(split) for split in report.splits],
        "num_files": report.num_files,
        "num_bytes": report.num_bytes,
    }
    return stated(release, asdict(config), counts, sums_sha256=sums_sha256)


def stated(release: Release, config: Mapping[str, Any], counts: Mapping[str, Any], *, sums_sha256: str) -> bytes:
    """The text of the summary of any export: what it is of, how it was made, and what its kind counts."""
    said = {
        "synthgen_export": VERSION,
        "release": {"id": release.id, "name": release.name},
        "config": dict(config),
        **counts,
        "sha256sums_sha256": sums_sha256,
    }
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def finished(to: Path, release: Release, config: ExportConfig) -> ExportReport | None:
    """The export that ``to`` already holds, if it is the one that is asked for; None if there is nothing yet.

    Its files are looked for and their sizes added up; to hash them is `sha256sum`'s work.

    Raises:
        UsageError: if ``to`` holds anything else.
    """
    stated = held_by(to, release, asdict(config))
    if stated is None:
        return None
    return ExportReport(
        to=to,
        format=config.format,
        num_takes=stated["num_takes"],
        audio_s=stated["audio_s"],
        splits=tuple(SplitCount(**split) for split in stated["splits"]),
        num_files=stated["num_files"],
        num_bytes=stated["num_bytes"],
        was_there=True,
    )


def held_by(to: Path, release: Release, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the export that ``to`` already holds says of itself; None if there is nothing yet. Raises as `finished`."""
    if to.is_dir() and not any(to.iterdir()):
        return None
    if not to.is_dir():
        if to.exists() or to.is_symlink():
            raise UsageError(f"{to} is not a folder; choose another")
        return None
    stated = _stated(to)
    if stated is None:
        raise UsageError(f"{to} is not empty, and holds no export; choose another folder")
    if stated["release"]["id"] != release.id or stated["config"] != config:
        raise UsageError(
            f"{to} already holds release {stated['release']['name']} as {_words(stated['config'])}; "
            "choose another folder, or delete it"
        )
    if not _is_whole(to, stated):
        raise UsageError(f"{to} holds this very export, but not all of it any more; delete it and export again")
    return stated


def _stated(to: Path) -> dict[str, Any] | None:
    """What an export says of itself; None if this is none, or one by another version."""
    try:
        stated = json.loads((to / SUMMARY).read_bytes())
    except (OSError, ValueError):
        return None
    return stated if isinstance(stated, dict) and stated.get("synthgen_export") == VERSION else None


def _words(config: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in config.items() if value is not None)


def _is_whole(to: Path, stated: dict[str, Any]) -> bool:
    try:
        if hash_file(to / SUMS) != stated["sha256sums_sha256"]:
            return False
        with (to / SUMS).open(encoding="utf-8") as sums:
            num_bytes = sum((to / line[66:].removesuffix("\n")).stat().st_size for line in sums)
    except OSError:
        return False
    return bool(num_bytes == stated["num_bytes"])
