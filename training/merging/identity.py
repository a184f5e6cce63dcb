"""What a merge is known by: its models by their content, and how they are merged; and whether a folder has it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalogs.errors import TrainingError
from catalogs.ids import Id, content_id
from training import checkpoint
from training.checkpoint import ABOUT, TRAINED
from training.claiming import RECIPE
from training.merging.devs import chosen_by, judged_by
from training.merging.parts import Part, Source
from training.merging.recipe import MergeConfig

CHOICES, PLOT = "choosing.jsonl", "choosing.svg"
"""What lies beside a merged checkpoint whose lambda was chosen."""

_WHOLE = frozenset({ABOUT, TRAINED, RECIPE})
_WHERE = ("folder", "source")
"""What is told of a part, and the merge does not depend on."""


def how_of(config: MergeConfig, scale: float) -> dict[str, Any]:
    """How a merge is made, as provenance has it."""
    return {
        "operator": asdict(config.operator),
        "scale": scale,
        "scales": config.scales_in_order,
        "rank": config.rank,
        **config.later,
    }


def parts_of(target: Part, sources: Sequence[Source]) -> list[dict[str, Any]]:
    """The models of a merge by their roles, as provenance has them."""
    pairs = [(source.name, *pair) for source in sources for pair in source.parts()]
    parts = [{"role": "target", **target.pin}]
    return [*parts, *({"role": role, "source": name, **part.pin} for name, role, part in pairs)]


def training_of(how: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> Id:
    """The id of a merge."""
    return content_id("merge", how, sorted(f"{part['role']} {part['sha256']}" for part in parts))


def is_there(config: MergeConfig, target: Part, sources: Sequence[Source], *, scales: Sequence[float]) -> bool:
    """Whether this very merge, at one of these lambdas, is in its folder; not if other takes or errors chose lambda.

    Raises:
        TrainingError: if the folder holds something else.
    """
    folder = config.path
    if not folder.exists() or _is_left(folder):
        return False
    if not all((folder / name).exists() for name in _WHOLE):
        raise TrainingError(f"{folder} is there, and is no merged checkpoint; give this merge another folder or name")
    before, parts = checkpoint.load(folder).provenance, parts_of(target, sources)
    is_chosen_alike = judged_by(before.get("chosen_by") or ()) == judged_by(chosen_by(config))
    if is_chosen_alike and before.get("training") in {training_of(how_of(config, scale), parts) for scale in scales}:
        return True
    if not is_chosen_alike and _is_of_one_recipe(config, before, parts):
        return False
    raise TrainingError(
        f"{folder} holds another merge than this recipe asks for, or its models have been trained on since; "
        "give this one another name, or another folder"
    )


def tell_parts(folder: Path, parts: Sequence[Mapping[str, Any]]) -> None:
    """Have a merge say where its models are, and what its sources are called, by now."""
    found = checkpoint.load(folder)
    merge = found.provenance["merge"]
    if merge["parts"] != list(parts) and _without_place(merge["parts"]) == _without_place(parts):
        checkpoint.tell(found, {**found.provenance, "merge": {**merge, "parts": list(parts)}})


def _without_place(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in part.items() if key not in _WHERE} for part in parts]


def _is_left(folder: Path) -> bool:
    """Whether a folder is what is left of a merge, which an earlier version was killed at replacing."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names >= _WHOLE or not names <= {*_WHOLE, CHOICES, PLOT}:
        return False
    return bool(names & {CHOICES, PLOT}) or (ABOUT in names and "merge" in checkpoint.load(folder).provenance)


def _is_of_one_recipe(config: MergeConfig, before: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether what is there was merged by the same recipe, of the same models."""
    models = [[part["sha256"] for part in each] for each in (before.get("merge", {}).get("parts", ()), parts)]
    recipe = (config.path / RECIPE).read_text(encoding="utf-8").strip()
    return models[0] == models[1] and recipe == config.definition
