"""What a training starts from, and how that is pinned: by content, so that two trainings of one base can be told.

A checkpoint's provenance has it under ``base``:

    id             hash of all weights before the first step, frozen ones included, and of the encoder if it ran before
    root           the id that the first of the trainings it went on from had; its own, if it went on from none
    models         key of the recipe to the hash of the files that it names: those of a model, or texts
    started_from   key of the recipe to what it names: the folder, whose training that was, and the hash of its weights
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from catalogs.audio import hash_file
from catalogs.errors import TrainingError
from catalogs.ids import Id, content_id
from catalogs.models import artefacts, checkpoint_sha256
from training import checkpoint
from training.backbones.frozen import sha256_of_weights
from training.backbones.language_models import identity
from training.checkpoint import TRAINED, Checkpoint
from training.objective import HeldToStart, Objective
from training.recipe import TrainRecipe

GOES_ON_FROM = "_from"
"""How keys of a recipe end that name the training it goes on from; a checkpoint has no need of it."""

_STARTERS = {"smollm2": "smollm2-135m"}
"""Models that a table means by its name, and what they are pinned as."""

_NO_MATTER = {
    *("penalty", "masking", "matching", "dropout", "checkpointing", "device", "context", "longest_s", "room", "made"),
    *("rollouts", "temperature", "beta", "hearing", "mask", "untold", "sampler", "unknown"),
}
"""Keys of an objective that decide how it is trained, and not what its parameters mean."""

_WRITTEN = frozenset({"writes"})
"""Keys that say what is to be written: who has learned to write one thing may go on with another."""

_MEANS_WHAT = {"grpo": "slam_asr"}
"""Methods whose parameters mean what those of another do, so that either goes on from the other."""


def begin(recipe: TrainRecipe, objective: Objective, encoder_id: Id | None) -> dict[str, Any]:
    """Put an objective where its recipe starts, and say where that is, as provenance has it.

    Raises:
        TrainingError: if the checkpoint to start from is of another model, or not the one that training began with.
    """
    table = recipe.table()
    _check_projector(table, encoder_id)
    root = None
    if recipe.start_from is not None:
        found = checkpoint.load(Path(recipe.start_from))
        _check_start(found, table, encoder_id)
        checkpoint.restore(found, objective.trained())
        root = found.provenance.get("base", {}).get("root")
    if isinstance(objective, HeldToStart):
        objective.keep_start()
    base_id = content_id("base", recipe.objective.method, encoder_id, sha256_of_weights(objective.module))
    base = {
        "id": base_id,
        "root": root or base_id,
        "models": dict(models_in(table)),
        "started_from": {key: pinned(folder) for key, folder in goes_on_from(table)},
    }
    _check_same_as_before(recipe, {"encoder": encoder_id, **base})
    return base


def pinned(folder: str) -> dict[str, Any]:
    """A checkpoint by name and by content: its folder as given, the training that it is of, its step, its hash."""
    found = checkpoint.load(Path(folder))
    return {
        "folder": folder,
        "training": found.provenance.get("training"),
        "step": found.position.step,
        "sha256": hash_file(found.folder / TRAINED),
    }


def models_in(table: Mapping[str, Any], *within: str) -> Iterator[tuple[str, str]]:
    """The keys of a recipe that name pretrained models or texts, dots between tables, and the hashes of these."""
    pinned_ones = {known.name: known.sha256 for known in artefacts()}
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from models_in(value, *within, key)
        elif key == "checkpoint" and isinstance(value, str):
            sha256 = pinned_ones.get(value) or checkpoint_sha256(value, table.get("revision"))
            yield ".".join((*within, key)), sha256
        elif key == "name" and within and value in _STARTERS:
            yield ".".join((*within, key)), pinned_ones[_STARTERS[value]]
        elif key == "texts" and within == ("objective",) and isinstance(value, str):
            yield ".".join((*within, key)), hash_file(Path(value).expanduser())


def goes_on_from(table: Mapping[str, Any], *within: str) -> Iterator[tuple[str, str]]:
    """The keys of a recipe that name a training it goes on from, dots between tables, and what they name."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from goes_on_from(value, *within, key)
        elif key.endswith(GOES_ON_FROM) and isinstance(value, str):
            yield ".".join((*within, key)), value


def without_start(table: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's tables with the keys left empty that name what it goes on from."""
    return {
        key: without_start(value) if isinstance(value, Mapping) else None if key.endswith(GOES_ON_FROM) else value
        for key, value in table.items()
    }


def meaning_of(table: Mapping[str, Any], *, but: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What of a stored recipe decides what its parameters mean: the method's tables, and the layers that it hears.

    The encoder is not in it, whose weights are known by a hash of their own; ``but`` are keys that are left out.
    What is None is off, as is what an earlier version did not know.
    """
    left_out = _NO_MATTER | but

    def kept(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        named = {key: kept(inner) for key, inner in value.items() if key not in left_out}
        return {key: inner for key, inner in named.items() if not (key.endswith(GOES_ON_FROM) or inner is None)}

    objective = kept(table.get("objective", {}))
    if (method := objective.get("method")) in _MEANS_WHAT:
        objective["method"] = _MEANS_WHAT[method]
    layers = table.get("features", {}).get("layers")
    return {"objective": objective, "layers": None if layers is None else list(layers)}


def _check_start(found: Checkpoint, table: Mapping[str, Any], encoder_id: Id | None) -> None:
    """Refuse to start from a checkpoint whose parameters mean something else.

    Raises:
        TrainingError: if the encoder, the method or its settings are others.
    """
    theirs = found.provenance.get("recipe")
    if not isinstance(theirs, Mapping):
        raise TrainingError(f"start_from: {found.folder} does not say by which recipe it was trained; name another")
    if found.provenance.get("encoder") != encoder_id:
        raise TrainingError(
            f"start_from: {found.folder} hears another encoder ({found.provenance.get('encoder')}) than this recipe "
            f"({encoder_id}); give both the same [encoder]"
        )
    ours, before = meaning_of(table, but=_WRITTEN), meaning_of(theirs, but=_WRITTEN)
    if ours != before:
        raise TrainingError(
            f"start_from: {found.folder} was trained with {differing(before, ours)}; give both recipes the same "
            "[objective] and features.layers"
        )
    _check_language_model(found, table, key="start_from")


def _check_projector(table: Mapping[str, Any], encoder_id: Id | None) -> None:
    """Refuse a projector of the right size that listens to something else, or speaks to another language model.

    Raises:
        TrainingError: if encoder, layers or language model of the training that it comes from are others.
    """
    folder = table["objective"].get("projector_from")
    found = None if folder is None else checkpoint.load(Path(folder).expanduser())
    theirs = found.provenance.get("recipe") if found else None
    if found is None or not isinstance(theirs, Mapping):
        return
    before, now = (
        {
            "encoder": encoder,
            "features.layers": list(each.get("features", {}).get("layers", ())),
            "language_model": identity(each["objective"]["language_model"]),
        }
        for encoder, each in ((found.provenance.get("encoder"), theirs), (encoder_id, table))
    )
    if before != now:
        raise TrainingError(
            f"objective.projector_from: {found.folder} was trained with {differing(before, now)}; give both recipes "
            "the same [encoder], features.layers and language model"
        )
    _check_language_model(found, table, key="objective.projector_from")


def _check_language_model(found: Checkpoint, table: Mapping[str, Any], *, key: str) -> None:
    """Refuse to go on from what was trained with a language model of other files than the same folder has now.

    Raises:
        TrainingError: if it was.
    """
    noted: Mapping[str, str] = found.provenance.get("base", {}).get("models", {})
    there = {name: sha256 for name, sha256 in models_in(table) if name.startswith("objective.language_model.")}
    if changed := [name for name in sorted(there) if noted.get(name, there[name]) != there[name]]:
        raise TrainingError(
            f"{key}: {found.folder} was trained with other files than {changed[0]} names now "
            f"({noted[changed[0]]}, not {there[changed[0]]}); put back those that it was trained with"
        )


def differing(theirs: Mapping[str, Any], ours: Mapping[str, Any], *within: str) -> str:
    """The first key by which two tables differ, and its values: "objective.method = 'ctc', not 'whisper'"."""
    for key in sorted({*theirs, *ours}):
        before, now = theirs.get(key), ours.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping) and before != now:
            return differing(before, now, *within, key)
        if before != now:
            return f"{'.'.join((*within, key))} = {before!r}, not {now!r}"
    return "the same"


def _check_same_as_before(recipe: TrainRecipe, now: Mapping[str, Any]) -> None:
    """Refuse to go on with a training that began from something else.

    Raises:
        TrainingError: if what it started from, the files that its recipe names, or its frozen weights have changed.
    """
    last = checkpoint.last(recipe.folder)
    began = last.provenance.get("base") if last else None
    if last is None or began is None:
        return
    before = {"encoder": last.provenance.get("encoder"), **began}
    if before["started_from"] != now["started_from"]:
        raise TrainingError(
            f"{recipe.folder} began from {differing(before['started_from'], now['started_from'])}: what it started "
            "from has been trained on; name the step folder that it began from, or train anew in another folder"
        )
    noted = {key: before[key] for key in ("encoder", "id")} | before["models"]  # an earlier version noted fewer files
    there = {key: now[key] for key in ("encoder", "id")} | now["models"]
    if any(there.get(key) != value for key, value in noted.items()):
        raise TrainingError(
            f"{recipe.folder} began with other weights or files ({differing(noted, there)}): put back those that it "
            "began with, or train anew in another folder"
        )
