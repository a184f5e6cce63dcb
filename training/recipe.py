"""A training recipe: releases, an encoder, a method and how long, as frozen dataclasses from one TOML file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from catalogs.config import mistakes_text, nearest, override, parse, parse_named, read_toml
from catalogs.errors import RecipeError, SynthgenError
from catalogs.ids import Id, canonical, content_id
from catalogs.models import cache_root
from training.augmentation.variants import AugmentationConfig
from training.backbones.encoders import GROUP as ENCODERS
from training.backbones.encoders import EncoderConfig
from training.data import Data, TextsConfig, parse_data
from training.loop import LoopConfig
from training.masking import MaskingConfig, hears_of
from training.mixing.mixture import MixtureConfig
from training.objective import Objective
from training.optim import OptimConfig
from training.penalty import PenaltyConfig
from training.sampling import SamplingConfig
from training.tables import OnFeatures, OnMixture, OnWaves
from training.validation import ValidationConfig

OBJECTIVES = "synthgen.objectives"

KEYS = (
    *("name", "folder", "start_from", "data", "mixture", "encoder", "features", "objective", "augmentation"),
    *("sampling", "optim", "loop", "validation"),
)

_LATER: Mapping[str, Mapping[str, Any]] = {
    "sampling": {"batch_takes": None, "order": "takes", "texts": None},
    "mixture": {
        "made_asr": 0.0,
        "made_interleaved": 0.0,
        "choosing": {"confidence": None},
        "asr_shares": None,
        "text_as": "text",
    },
    "objective": {
        **dict.fromkeys(("split", "matching", "made", "room", "hearing")),
        "projector": {"layers": 2, "heads": 8},
        "writes": "text",
        "recogniser": {"writes": "text", "room": None},
        "autoencoder": {"positions": False},
    },
    "optim": {"rates": None},
}
"""Keys that came later: left as they are they are no part of a definition, and older trainings go on."""
_LATER_OF: Mapping[str, Mapping[str, Any]] = {"lasyn_diffusion": {"mask": 0.0}}
"""The same of a method's table, where others have always had the key."""

_AROUND: Mapping[str, type[Any]] = {"penalty": PenaltyConfig, "masking": MaskingConfig}
"""Tables in that of an objective which are the same for every method."""


@dataclass(frozen=True, slots=True)
class FeaturesConfig:
    """Which of the encoder's layers are kept, and how: ``folder`` None is the user's cache."""

    layers: tuple[int, ...] = (-1,)
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    folder: str | None = None

    @property
    def path(self) -> Path:
        """Where they are kept."""
        return Path(self.folder).expanduser() if self.folder else cache_root() / "features"


@dataclass(frozen=True)
class TrainRecipe:
    """One training. ``folder`` is where its checkpoints go; it is no part of what it makes.

    ``start_from`` is the folder of a training, of one of its checkpoints, or of a merge, whose trained parameters it
    begins with; None begins as the method says. ``mixture`` is what a method on mixtures draws, in the place of
    ``sampling``. ``validation`` is what it is held against on the way.
    """

    name: str
    folder: Path
    data: tuple[Data, ...]
    encoder: EncoderConfig | None
    objective: OnFeatures | OnWaves
    penalty: PenaltyConfig | None = None
    masking: MaskingConfig | None = None
    mixture: MixtureConfig | None = None
    start_from: str | None = None
    validation: ValidationConfig | None = None
    features: FeaturesConfig = field(default_factory=FeaturesConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)

    @property
    def definition(self) -> str:
        """What is trained, as canonical JSON: everything but where it lies."""
        tables = ("mixture", "encoder", "objective", "augmentation", "sampling", "optim", "loop")
        parts: dict[str, Any] = {name: asdict(table) for name in tables if (table := getattr(self, name)) is not None}
        if self.start_from is not None:
            parts["start_from"] = self.start_from
        if self.validation is not None:
            parts["validation"] = self.validation.table()
        data = [asdict(config) for config in self.data]
        around = {key: asdict(table) for key in _AROUND if (table := getattr(self, key)) is not None}
        parts["objective"] = _without(parts["objective"] | around, _LATER_OF.get(self.objective.method, {}))
        parts = _without(parts, _LATER)
        features = {"layers": self.features.layers, "dtype": self.features.dtype}
        return canonical({"name": self.name, "data": data, "features": features, **parts})

    def table(self) -> dict[str, Any]:
        """The definition, as it is read again from a checkpoint."""
        table: dict[str, Any] = json.loads(self.definition)
        return table

    @property
    def id(self) -> Id:
        """The hash of the definition."""
        return content_id("training", self.definition)

    def around(self, objective: Objective) -> Objective:
        """An objective of this recipe, penalised and masked if it asks for that.

        Raises:
            TrainingError: for a penalty on a method without a projector.
            RecipeError: for masking on a method that does not learn from what it hears.
        """
        if self.penalty is not None:
            objective = self.penalty.around(objective)
        if self.masking is not None:
            objective = self.masking.around(objective, hears_of(self.objective))
        return objective


def _without(table: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """A table without the keys that are as usual, and so for the tables in it."""
    kept: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping) and isinstance(usual.get(key), Mapping):
            kept[key] = _without(value, usual[key])
        elif key not in usual or value != usual[key]:
            kept[key] = value
    return kept


def load_recipe(name: str, changes: Sequence[str] = ()) -> TrainRecipe:
    """Read a recipe from a file.

    Raises:
        RecipeError: with every mistake at once.
    """
    return parse_recipe(override(read_toml(Path(name)), changes), source=name)


def parse_recipe(table: Mapping[str, Any], *, source: str) -> TrainRecipe:
    """Validate a recipe's tables."""
    mistakes = [f"unknown key {key!r}{nearest(key, KEYS)}" for key in table if key not in KEYS]
    mistakes += [f"{key} is missing" for key in ("name", "data", "objective") if not table.get(key)]
    found: dict[str, Any] = {}

    def read(key: str, make: Any) -> None:
        try:
            found[key] = make()
        except SynthgenError as error:
            mistakes.append(str(error))

    if table.get("data"):
        read("data", lambda: tuple(parse_data(t, source=f"data.{n}") for n, t in enumerate(table["data"])))
    tables = {key: dict(table.get(key, {})) for key in ("encoder", "objective")}
    around = {key: tables["objective"].pop(key) for key in _AROUND if tables["objective"].get(key) is not None}
    for key, part in around.items():
        read(key, lambda key=key, part=part: parse(_AROUND[key], part, source=f"objective.{key}"))
    for key, group, by in (("encoder", ENCODERS, "name"), ("objective", OBJECTIVES, "method")):
        if tables[key]:
            read(key, lambda key=key, group=group, by=by: parse_named(group, tables[key], field=by, source=key))
    kinds: dict[str, Any] = {
        "features": FeaturesConfig, "augmentation": AugmentationConfig, "sampling": SamplingConfig,
        "optim": OptimConfig, "loop": LoopConfig,
        **({"mixture": MixtureConfig} if "mixture" in table else {}),
        **({"validation": ValidationConfig} if "validation" in table else {}),
    }  # fmt: skip
    for key, kind in kinds.items():
        read(key, lambda key=key, kind=kind: parse(kind, table.get(key, {}), source=key))
    mistakes += _encoder_mistakes(found) + _mixture_mistakes(found, table)
    mistakes += _masking_mistakes(found) + _validation_mistakes(found)
    start_from = table.get("start_from")
    if not isinstance(start_from, str | None):
        mistakes.append(f"start_from = {start_from!r}: expected the folder of a training or a checkpoint")
    if mistakes:
        raise RecipeError(mistakes_text(source, mistakes))
    name = str(table["name"])
    folder = Path(str(table.get("folder", f"models/{name}"))).expanduser()
    encoder = found.pop("encoder", None)
    return TrainRecipe(name=name, folder=folder, encoder=encoder, start_from=start_from, **found)


def _encoder_mistakes(found: Mapping[str, Any]) -> list[str]:
    """An objective hears the features of an encoder, or has one of its own."""
    objective = found.get("objective")
    if isinstance(objective, OnWaves) and "encoder" in found:
        return [f"{objective.method} has an encoder of its own: leave [encoder] out"]
    if isinstance(objective, OnFeatures) and "encoder" not in found:
        return [f"encoder is missing: {objective.method} hears the features of one"]
    return []


def _validation_mistakes(found: Mapping[str, Any]) -> list[str]:
    """What is held against something is a checkpoint."""
    validation, loop = found.get("validation"), found.get("loop")
    if validation is None or loop is None or validation.every % loop.save_every == 0:
        return []
    wrong = f"validation.every = {validation.every} is no multiple of loop.save_every = {loop.save_every}"
    return [f"{wrong}: the best checkpoint could not be kept"]


def _mixture_mistakes(found: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    """A mixture is what one kind of method is trained on, and no other."""
    objective = found.get("objective")
    if objective is None:
        return []
    if not isinstance(objective, OnMixture):
        return [f"{objective.method} is trained on whole takes: leave [mixture] out"] if "mixture" in table else []
    wrong = [] if "mixture" in table else [f"mixture is missing: {objective.method} is trained on one"]
    if found.get("sampling", SamplingConfig()) != SamplingConfig():
        wrong.append("[mixture] says what is drawn: leave [sampling] out")
    if "penalty" in found:
        wrong.append("objective.penalty compares whole takes: leave it out beside [mixture]")
    if "mixture" in found and found["mixture"].asks_for_made and objective.made is None:
        wrong.append("mixture.made_asr and made_interleaved hear texts: name a synthesiser of slots as objective.made")
    if "mixture" in found and not found["mixture"].asks_for_made and objective.made is not None:
        wrong.append("objective.made makes what nobody hears: give mixture.made_asr or made_interleaved a share")
    return wrong


def _masking_mistakes(found: Mapping[str, Any]) -> list[str]:
    """Masking hides what is heard, from which not every method learns, and which not all data have."""
    if "masking" not in found or "objective" not in found:
        return []
    try:
        hears_of(found["objective"])
    except RecipeError as error:
        return [str(error)]
    if "data" in found and all(isinstance(data, TextsConfig) for data in found["data"]):
        return ["objective.masking hides what is heard, and data has texts alone: leave it out"]
    return []
