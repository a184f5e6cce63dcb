"""A checkpoint as merging sees it, and what may be merged with what: trainings of one base, known by its hash."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from catalogs.errors import TrainingError
from catalogs.ids import Id, content_id
from training import checkpoint
from training.checkpoint import TRAINED, Checkpoint
from training.merging.low_rank import dense, gain_of
from training.merging.readings import check_readers, texts_of
from training.merging.vectors import Weights, difference, is_finite, norm
from training.starting import GOES_ON_FROM, differing, meaning_of, pinned

VECTOR = "vector.json"
"""What a kept vector says of itself, beside the folders of its two models."""

_OF_RANK = frozenset({"r", "alpha"})
"""Adapters of other ranks can be merged: arithmetic is done on their products."""


@dataclass(frozen=True, slots=True)
class Part:
    """One model of a merge: its parameters as stored, and ``weights``, float32, with products for adapters.

    ``pin`` is what provenance says of it: folder, training, step, hash.
    """

    found: Checkpoint
    pin: Mapping[str, Any]
    stored: Weights
    weights: Weights
    gain: float

    @property
    def folder(self) -> str:
        """Its folder, as it was named."""
        return str(self.pin["folder"])

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The recipe it was trained by."""
        recipe: Mapping[str, Any] = self.found.provenance["recipe"]
        return recipe

    @property
    def base(self) -> Mapping[str, Any]:
        """What it began from."""
        base: Mapping[str, Any] = self.found.provenance["base"]
        return base

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter."""
        return {name: tuple(tensor.shape) for name, tensor in self.weights.items()}


_MATCHED = {
    "loop": ("seed", "micro_batches", "precision"),
    **dict.fromkeys(("sampling", "optim", "objective", "augmentation"), ()),
}
"""Tables of a recipe, and the keys of them, all if none, that are alike in two trainings of a matched budget."""
_WHERE = frozenset({"checkpointing", "device"})
"""Keys that say how a training is computed, whatever the budget."""


@dataclass(frozen=True, slots=True)
class Source:
    """Two trainings of one base, on real and on synthetic readings of a domain.

    ``kept`` is their difference where that was kept; then their own weights need not be there any more.
    """

    name: str
    real: Part
    synthetic: Part
    kept: Weights | None = None

    @property
    def key(self) -> Id:
        """The id of their difference: a hash of both models' weights."""
        return content_id("task vector", self.real.pin["sha256"], self.synthetic.pin["sha256"])

    def unmatched(self) -> list[str]:
        """In what both models differ beside who read to them: steps, settings of training or, if known, texts."""
        real, synthetic = self.real, self.synthetic
        found = [] if real.found.position.step == synthetic.found.position.step else ["steps"]
        for table, keys in _MATCHED.items():
            ours, theirs = (part.recipe.get(table, {}) for part in (real, synthetic))
            found += _differing(ours, theirs, keys or sorted({*ours, *theirs}), within=table)
        heard = [texts_of(part.found) for part in (real, synthetic)]
        return found if None in heard or heard[0] == heard[1] else [*found, "texts"]

    def doubt(self) -> str | None:
        """Why it cannot be told who has read to both models; None if it can, and they were people and machines."""
        return check_readers(self.name, self.real.found, self.synthetic.found)

    def parts(self) -> tuple[tuple[str, Part], tuple[str, Part]]:
        """Both models by their roles."""
        return ("real", self.real), ("synthetic", self.synthetic)

    def vector(self) -> dict[str, Tensor]:
        """Real less synthetic."""
        if self.kept is not None:
            return dict(self.kept)
        return difference(self.real.weights, self.synthetic.weights)


def _differing(ours: Mapping[str, Any], theirs: Mapping[str, Any], keys: Iterable[str], *, within: str) -> list[str]:
    """Which of these keys of two tables differ, dots between tables; what they go on from is known by their base."""
    found = []
    for key in keys:
        one, other = ours.get(key), theirs.get(key)
        if key in _WHERE or key.endswith(GOES_ON_FROM) or one == other:
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += _differing(one, other, sorted({*one, *other}), within=f"{within}.{key}")
        else:
            found.append(f"{within}.{key}")
    return found


def load_part(folder: str) -> Part:
    """A checkpoint, ready for arithmetic.

    Raises:
        TrainingError: if there is none, it does not say what it is or what it began from, has no parameters, or a
            number of it is none.
    """
    found = checkpoint.load(Path(folder))
    for key in ("recipe", "base", "training"):
        if not found.provenance.get(key):
            raise TrainingError(
                f"{found.folder} cannot be merged: its provenance has no {key!r}, which says by hash what it is made "
                "of; train it again with this version"
            )
    if not (found.folder / TRAINED).exists() and (found.folder.parent / VECTOR).exists():
        raise TrainingError(
            f"{found.folder} has no weights: it is what a kept vector says of a model; name the `vector` in the place "
            "of real and synthetic, or a training"
        )
    stored = found.trained()
    if not stored:
        raise TrainingError(f"{found.folder} cannot be merged: no parameters were trained in it; name another training")
    gain = gain_of(lora_of(found.provenance["recipe"]))
    part = Part(found, pinned(folder), stored, dense(stored, gain), gain)
    if not is_finite(part.weights):
        raise TrainingError(f"{found.folder} cannot be merged: it has weights that are no numbers")
    return part


def load_source(name: str, real: str, synthetic: str) -> Source:
    """The two models of a domain.

    Raises:
        TrainingError: if their difference would mean nothing.
    """
    source = Source(name, load_part(real), load_part(synthetic))
    check_source(source)
    return source


def lora_of(recipe: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table of LoRA of a recipe, if it has one."""
    table: Mapping[str, Any] | None = (recipe["objective"].get("language_model") or {}).get("lora")
    return table


def check_source(source: Source) -> None:
    """Refuse two models whose difference says nothing of real and synthetic speech.

    Raises:
        TrainingError: if they are of different bases, are no two models of one kind, have the same weights, or have
            not been read to by whom the source says, as far as that is known.
    """
    real, synthetic = source.real, source.synthetic
    if real.base["id"] != synthetic.base["id"]:
        raise TrainingError(
            f"source {source.name!r}: {real.folder} and {synthetic.folder} began from different bases "
            f"({real.base['id']} and {synthetic.base['id']}); train both with the same encoder, objective, start_from "
            "and loop.seed"
        )
    _check_alike(real, synthetic, said=f"source {source.name!r}")
    if not norm(source.vector()):
        raise TrainingError(
            f"source {source.name!r}: {real.folder} and {synthetic.folder} have the same weights, so that their vector "
            "is 0; name a training on real and one on synthetic readings"
        )
    check_readers(source.name, real.found, synthetic.found)


def check_target(target: Part, sources: Sequence[Source]) -> None:
    """Refuse a model that the vectors do not belong to.

    Raises:
        TrainingError: if it goes back to another base than they do, or is of another kind.
    """
    for source in sources:
        root = source.synthetic.base["root"]
        if target.base["root"] != root:
            raise TrainingError(
                f"target {target.folder} goes back to base {target.base['root']}, and source {source.name!r} to "
                f"{root}: vectors of one base mean nothing in another; train all from the same encoder, objective "
                "and loop.seed, or from checkpoints that were"
            )
        _check_alike(target, source.synthetic, said=f"target and source {source.name!r}")


def _check_alike(one: Part, other: Part, *, said: str) -> None:
    ours, theirs = (_meaning(part) for part in (one, other))
    if ours != theirs:
        raise TrainingError(
            f"{said}: {one.folder} was trained with {differing(ours, theirs)} as {other.folder} was; only models of "
            "one kind can be merged"
        )
    shapes, others = one.shapes(), other.shapes()
    wrong = sorted(name for name in shapes.keys() | others.keys() if shapes.get(name) != others.get(name))
    if wrong:
        name = wrong[0]
        raise TrainingError(
            f"{said}: {len(wrong)} parameters differ, for example {name}: {shapes.get(name, 'missing')} in "
            f"{one.folder}, {others.get(name, 'missing')} in {other.folder}"
        )


def _meaning(part: Part) -> dict[str, Any]:
    return {"encoder": part.found.provenance.get("encoder"), **meaning_of(part.recipe, but=_OF_RANK)}
