"""Reports as files beside a checkpoint: what was measured as JSON, and a row a line; each is whole or not there."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def keep_about(path: Path, about: "DataclassInstance") -> None:
    """Write what a report is about, as one JSON object."""
    _write(path, [json.dumps(asdict(about), indent=1)])


def keep_rows(path: Path, rows: "Iterable[DataclassInstance]") -> None:
    """Write rows as JSON lines."""
    _write(path, (json.dumps(asdict(row)) for row in rows))


def _write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    part.replace(path)
