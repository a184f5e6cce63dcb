"""A merge as a recipe: which models, by which operator, and how much of it, from one TOML file.

name = "music"
target = "models/music-synthetic"          # trained on synthetic speech of the domain
scale = 0.4                                # lambda; or a table [choosing], which finds it

[[sources]]
real = "models/cooking-real"
synthetic = "models/cooking-synthetic"
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from catalogs.config import override, parse, read_toml
from catalogs.ids import canonical
from training.consistency import is_path
from training.merging.operators import OperatorConfig


@dataclass(frozen=True, slots=True)
class DevConfig:
    """A release of real takes of a domain that neither of its models was trained on, or one split of it."""

    corpus: str
    release: str
    split: str | None = None


@dataclass(frozen=True, slots=True)
class ChoosingConfig:
    """How lambda is chosen: from this ``grid``, by takes that are heard with so many ``beams``.

    ``only_unseen`` leaves out takes that share a speaker or a text with what a model has had; otherwise there must be
    none.
    """

    grid: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    beams: int = 1
    only_unseen: bool = False

    def __post_init__(self) -> None:
        if len(self.grid) < 2 or len(set(self.grid)) < len(self.grid) or not all(map(isfinite, self.grid)):
            raise ValueError("choosing.grid: expected two or more finite numbers, each once")
        if self.beams < 1:
            raise ValueError("choosing.beams must be at least 1")


@dataclass(frozen=True)
class SourceConfig:
    """A domain with real and synthetic readings: the folders of two trainings of one base, or of their checkpoints.

    In their place ``vector`` is the name or the key of a kept vector. ``name`` is that of the domain; None is the name
    of the folder of ``real``, or of the vector. ``dev`` is what lambda is chosen on.
    """

    real: str | None = None
    synthetic: str | None = None
    name: str | None = None
    dev: DevConfig | None = None
    vector: str | None = None

    def __post_init__(self) -> None:
        models = {"real": self.real, "synthetic": self.synthetic}
        if self.vector is not None and any(models.values()):
            raise ValueError("vector: it is kept, and needs no real and no synthetic; leave one of both out")
        if self.vector is None and (missing := [key for key, folder in models.items() if not folder]):
            raise ValueError(f"{' and '.join(missing)} is missing: give real and synthetic, or the vector of both")

    @property
    def domain(self) -> str:
        """Its name."""
        return self.name or self.vector or Path(self.real or "").name

    @property
    def table(self) -> dict[str, Any]:
        """What it is, as a table; as an earlier version had it, if it names two models."""
        return {key: value for key, value in asdict(self).items() if key != "vector" or value is not None}


@dataclass(frozen=True)
class MergeConfig:
    """One merge. ``folder`` is where the merged checkpoint goes, ``models/NAME`` if not said.

    ``corpus`` is the one whose catalog keeps the task vectors as rows; None is the first that the target has had.
    ``scale`` is lambda, the multiple of the vector that is added: 0 is none, 1 all of it, and most are between; below 0
    it is taken away. ``scales`` are those of single layers: a number is that layer of every stack, anything else a
    layer's name or a pattern of parameters' names, such as "model.decoder.*"; of several that fit, the last counts.
    ``rank`` is that of merged adapters of LoRA; None is the target's. That of the target and both of every source
    together loses nothing.
    ``choosing`` finds lambda where ``scale`` is not given. ``text_direction`` "removed" takes out of every source's
    vector what lies along the way from its synthetic model to the target, which is one of texts and domain. ``vectors``
    is a folder where the vectors of all sources are kept as files, and found by name or key; None keeps none.
    """

    name: str
    target: str
    sources: tuple[SourceConfig, ...]
    scale: float | None = None
    folder: str | None = None
    corpus: str | None = None
    operator: OperatorConfig = field(default_factory=OperatorConfig)
    scales: Mapping[str, float] = field(default_factory=dict)
    rank: int | None = None
    choosing: ChoosingConfig | None = None
    text_direction: Literal["kept", "removed"] = "kept"
    vectors: str | None = None

    def __post_init__(self) -> None:
        mistakes = []
        if not self.name or is_path(self.name):
            mistakes.append(f"name = {self.name!r}: expected a name without slashes")
        if not self.sources:
            mistakes.append("sources: expected at least one table [[sources]] with real and synthetic")
        domains = [source.domain for source in self.sources]
        if twice := sorted({name for name in domains if domains.count(name) > 1}):
            mistakes.append(f"sources: {', '.join(twice)} is there twice; give each another `name`")
        mistakes += self._vector_mistakes()
        if slashed := [name for name in domains if is_path(name)]:
            mistakes.append(f"sources: name = {slashed[0]!r}: expected a name without slashes")
        if not all(isfinite(value) for value in (self.scale or 0.0, *self.scales.values())):
            mistakes.append("scale and scales: expected finite numbers")
        mistakes += self._scale_mistakes()
        if self.rank is not None and self.rank < 1:
            mistakes.append(f"rank = {self.rank}: expected 1 or more")
        if mistakes:
            raise ValueError("; ".join(mistakes))

    def _scale_mistakes(self) -> list[str]:
        """Lambda is given or chosen, and what it is chosen on must be there."""
        if self.choosing is None:
            return ["scale is missing: give lambda, or a table [choosing]"] if self.scale is None else []
        mistakes = ["scale: it is chosen by [choosing]; leave one of both out"] if self.scale is not None else []
        if len(self.sources) < 2:
            mistakes.append("choosing: every source is left out once, so there must be two or more")
        without = [source.domain for source in self.sources if source.dev is None]
        if without:
            mistakes.append(f"choosing: {', '.join(without)} has no dev = {{corpus, release}} to choose lambda on")
        return mistakes

    def _vector_mistakes(self) -> list[str]:
        """Kept vectors lie somewhere, and are no models."""
        kept = ", ".join(source.domain for source in self.sources if source.vector is not None)
        if not kept:
            return []
        mistakes = [f"vectors is missing: in which folder is {kept} kept?"] if self.vectors is None else []
        if self.choosing is not None:
            mistakes.append(f"choosing: {kept} has no synthetic model to leave out; give real and synthetic, or scale")
        if self.text_direction != "kept":
            mistakes.append(f"text_direction: {kept} has no synthetic model to begin at; give real and synthetic")
        return mistakes

    @property
    def path(self) -> Path:
        """Where the merged checkpoint goes."""
        return Path(self.folder or f"models/{self.name}").expanduser()

    @property
    def later(self) -> dict[str, str]:
        """Settings that an earlier version did not have, where they do something: without, a merge is what it was."""
        return {} if self.text_direction == "kept" else {"text_direction": self.text_direction}

    @property
    def scales_in_order(self) -> dict[str, float] | list[tuple[str, float]]:
        """``scales`` as a merge is known by them: in order, as pairs, where their order makes a difference."""
        return list(self.scales.items()) if len(set(self.scales.values())) > 1 else dict(self.scales)

    @property
    def definition(self) -> str:
        """What is merged, as canonical JSON: everything but where it lies."""
        left_out = ("folder", "corpus", "vectors", "text_direction")
        table = {key: value for key, value in asdict(self).items() if key not in left_out}
        named = {"scales": self.scales_in_order, "sources": [source.table for source in self.sources]}
        return canonical(table | named | self.later)


def load_merge(path: str, changes: Sequence[str] = ()) -> MergeConfig:
    """Read a merge from a file.

    Raises:
        RecipeError: with every mistake at once.
    """
    return parse(MergeConfig, override(read_toml(Path(path)), changes), source=path)
