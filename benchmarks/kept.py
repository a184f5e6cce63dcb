"""What an experiment has found and no corpus keeps: a file of JSON that says what it is of."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.corpora import write_text
from catalogs.audio import hash_file
from catalogs.ids import Id
from training import checkpoint


def kept(path: Path, of: Id, find: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """What was found of the same before, or is found now and written, as a whole or not at all.

    ``of`` names all that it depends on, by content: what is kept of something else is found anew.
    """
    before: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if before.get("of") == of:
        return before
    text = json.dumps({"of": of, **find()}, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text + "\n")
    found: dict[str, Any] = json.loads(text)
    return found


def weights_of(model: Path) -> str:
    """The hash of what a model has learned.

    Raises:
        TrainingError: if there is no checkpoint.
    """
    return hash_file(checkpoint.load(model).folder / checkpoint.TRAINED)
