"""A training recipe: releases, an encoder, a method and how long, as frozen dataclasses from one TOML file."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from catalogs.config import mistakes_text, nearest, override, parse, parse_named, read_toml
from catalogs.errors import RecipeError, SynthgenError
from catalogs.ids import Id, canonical, content_id
from catalogs.models import cache_root
from training.augmentation.variants import AugmentationConfig
from training.backbones.encoders import GROUP as ENCODERS
from training.backbones.encoders import EncoderConfig
from training.consistency import is_path, unfit
from training.data import Data, parse_data
from training.loop import LoopConfig
from training.masking import MaskingConfig, hears_of
from training.mixing.mixture import MixtureConfig
from training.objective import Objective
from training.optim import OptimConfig
from training.penalty import PenaltyConfig
from training.sampling import SamplingConfig
from training.tables import OnFeatures, OnWaves
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

_OPTIONAL = ("mixture", "validation")
"""Tables without which there is none of it; others have defaults."""


@dataclass(frozen=True, slots=True)
class FeaturesConfig:
    """Which of the encoder's layers are kept, and how: ``folder`` None is the user's cache."""

    layers: tuple[int, ...] = (-1,)
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    folder: str | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("features.layers is empty: expected at least one, such as -1, the last")

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


_KINDS: Mapping[str, type[Any]] = {
    "features": FeaturesConfig,
    "augmentation": AugmentationConfig,
    "sampling": SamplingConfig,
    "optim": OptimConfig,
    "loop": LoopConfig,
    "mixture": MixtureConfig,
    "validation": ValidationConfig,
}
"""The other tables of a recipe."""


def load_recipe(name: str, changes: Sequence[str] = ()) -> TrainRecipe:
    """Read a recipe from a file.

    Raises:
        RecipeError: with every mistake at once.
    """
    return parse_recipe(override(read_toml(Path(name)), changes), source=name)


def parse_recipe(table: Mapping[str, Any], *, source: str) -> TrainRecipe:
    """Validate a recipe's tables.

    Raises:
        RecipeError: with every mistake at once.
    """
    mistakes = [f"unknown key {key!r}{nearest(key, KEYS)}" for key in table if key not in KEYS]
    mistakes += [f"{key} is missing" for key in ("name", "data", "objective") if not table.get(key)]
    mistakes += _place_mistakes(table)
    found: dict[str, Any] = {}
    for key, read in _readers(table).items():
        try:
            found[key] = read()
        except SynthgenError as error:
            mistakes.append(str(error))
    mistakes += unfit(found, table)
    if mistakes:
        raise RecipeError(mistakes_text(source, mistakes))
    name, start_from = table["name"], table.get("start_from")
    folder = Path(table.get("folder", f"models/{name}")).expanduser()
    encoder = found.pop("encoder", None)
    return TrainRecipe(name=name, folder=folder, encoder=encoder, start_from=start_from, **found)


def _readers(table: Mapping[str, Any]) -> dict[str, Callable[[], Any]]:
    """What reads each part of a recipe that is there, or has defaults; it raises a `SynthgenError` for mistakes."""
    parts = {key: table[key] for key in ("encoder", "objective") if table.get(key)}
    readers: dict[str, Callable[[], Any]] = {}
    if table.get("data"):
        readers["data"] = partial(_all_data, table["data"])
    if isinstance(parts.get("objective"), Mapping):
        parts["objective"], around = _apart(parts["objective"])
        for key, part in around.items():
            readers[key] = partial(parse, _AROUND[key], part, source=f"objective.{key}")
    for key, group, by in (("encoder", ENCODERS, "name"), ("objective", OBJECTIVES, "method")):
        if key in parts:
            readers[key] = partial(parse_named, group, parts[key], field=by, source=key)
    for key, kind in _KINDS.items():
        if key in table or key not in _OPTIONAL:
            readers[key] = partial(parse, kind, table.get(key, {}), source=key)
    return readers


def _all_data(tables: Any) -> tuple[Data, ...]:
    if not isinstance(tables, Sequence) or isinstance(tables, str):
        raise RecipeError(f"data = {tables!r}: expected tables [[data]]")
    return tuple(parse_data(table, source=f"data.{number}") for number, table in enumerate(tables))


def _apart(objective: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table of a method, and those in it that are the same for every method."""
    around = {key: objective[key] for key in _AROUND if objective.get(key) is not None}
    return {key: value for key, value in objective.items() if key not in around}, around


def _place_mistakes(table: Mapping[str, Any]) -> list[str]:
    """A name makes the folder where none is given, so that it must not lead out of it."""
    name, folder, start_from = (table.get(key) for key in ("name", "folder", "start_from"))
    mistakes = []
    if name and not isinstance(name, str):
        mistakes.append(f"name = {name!r}: expected a text")
    elif name and "folder" not in table and is_path(name):
        mistakes.append(f"name = {name!r}: expected a name without slashes, or the folder of the training as folder")
    if "folder" in table and not (isinstance(folder, str) and folder):
        mistakes.append(f"folder = {folder!r}: expected the folder that checkpoints go to")
    if not isinstance(start_from, str | None):
        mistakes.append(f"start_from = {start_from!r}: expected the folder of a training or a checkpoint")
    return mistakes
