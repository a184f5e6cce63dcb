"""A recipe: the whole job, from text to release, as one tree of frozen dataclasses read from one TOML file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from catalogs.config import mistakes_text, nearest, override, parse, parse_named, read_toml
from catalogs.errors import RecipeError, UsageError
from catalogs.ids import Id, canonical, content_id
from catalogs.ingest import PromptSource, fingerprint
from catalogs.records import MetricCard
from curation.consistency import Cast, unfit, unmeasured
from curation.derived import with_derived
from curation.dgsa.config import DgsaConfig
from curation.dgsa.toggles import Mode, bank_of
from curation.metric import MetricConfig
from curation.policies.policy import Policy
from curation.reader import TableReader, entries_of
from curation.tdsc.config import TdscConfig
from synthgen.casting import CastingConfig
from synthgen.fleet import FleetConfig
from synthgen.spoken import Spoken, SpokenConfig
from synthgen.voice import VoiceConfig

T = TypeVar("T")

VOICES = "synthgen.voices"
METRICS = "synthgen.metrics"

RESOURCES = ("num_cpus", "num_gpus", "runtime_env")
"""What a voice works with; like the fleet, it is no part of what a job makes."""

KEYS = (
    *("name", "corpus", "metadata", "prompts", "voices", "metrics"),
    *("spoken", "casting", "tdsc", "dgsa", "policy", "release", "fleet"),
)


@dataclass(frozen=True, slots=True)
class ReleaseConfig:
    """What the job ends in: a release of all kept takes, or of the first so many, or so many hours of them.

    ``name`` None is the job's name. With a quota, casting goes round by round until enough takes are kept.
    """

    name: str | None = None
    accepted_takes: int | None = None
    accepted_hours: float | None = None

    def __post_init__(self) -> None:
        if self.accepted_takes is not None and self.accepted_hours is not None:
            raise ValueError("give release.accepted_takes or release.accepted_hours, not both")
        quota = self.accepted_takes if self.accepted_hours is None else self.accepted_hours
        if quota is not None and quota <= 0:
            raise ValueError("a release quota must be positive")


@dataclass(frozen=True)
class Recipe:
    """One job. ``corpus`` and ``fleet`` say where it is done and are not part of what it makes."""

    name: str
    prompts: tuple[PromptSource, ...]
    voices: tuple[VoiceConfig, ...]
    metrics: tuple[MetricConfig, ...]
    corpus: Path
    metadata: str = "sqlite"
    spoken: SpokenConfig = field(default_factory=SpokenConfig)
    casting: CastingConfig = field(default_factory=CastingConfig)
    policy: Policy = field(default_factory=Policy)
    release: ReleaseConfig = field(default_factory=ReleaseConfig)
    fleet: FleetConfig = field(default_factory=FleetConfig)
    tdsc: TdscConfig | None = None
    dgsa: DgsaConfig | None = None

    def cards(self) -> tuple[MetricCard, ...]:
        """The metric families of the job; a speaker family brings the similarity to the intended voice."""
        return with_derived([config.card() for config in self.metrics])

    @property
    def definition(self) -> str:
        """What the job makes, as canonical JSON: everything but where it is done; prompt files by content."""
        return canonical(
            {
                "name": self.name,
                "prompts": [fingerprint(source) for source in self.prompts],
                "voices": [card.id for config in self.voices for card in config.cards()],
                "engines": [_plain(config) for config in self.voices],
                "metrics": [[c.card().family, c.card().variant, c.card().version] for c in self.metrics],
                "spoken": Spoken(self.spoken).version,
                "casting": _plain(self.casting),
                "tdsc": _plain(self.tdsc) if self.tdsc else None,
                **({"dgsa": {**_dual_mode(self.dgsa), "banks": self._banks()}} if self.dgsa else {}),
                "policy": _plain(self.policy),
                "release": _plain(self.release),
            }
        )

    def _banks(self) -> dict[str, list[list[Any]]]:
        """How each voice reads in either mode: a better table of styles makes other lines, and so another job."""
        cards = [card for config in self.voices for card in config.cards()]
        return {c.name: [[m.style, m.temperature] for mode in Mode for m in bank_of(c, mode)] for c in cards}

    @property
    def job_id(self) -> Id:
        """The hash of the definition."""
        return content_id("job", self.definition)


def load_recipe(name: str, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe from a file, or one that comes with synthgen by its name ("demo").

    Raises:
        RecipeError: with every mistake at once.
    """
    path = Path(name)
    if not path.exists() and path.suffix != ".toml":
        shipped = {f.name.removesuffix(".toml"): f for f in shipped_recipes()}
        if name not in shipped:
            raise RecipeError(
                f"no recipe file {name!r}, and none of that name comes with synthgen{nearest(name, sorted(shipped))}"
            )
        path = shipped[name]
    return parse_recipe(override(read_toml(path), changes), folder=path.parent, source=str(path))


def shipped_recipes() -> list[Path]:
    """The recipes that come with synthgen."""
    folder = Path(str(resources.files("synthgen") / "recipes"))
    return sorted(folder.glob("*.toml"))


def parse_recipe(table: Mapping[str, Any], *, folder: Path, source: str) -> Recipe:
    """Validate a recipe's tables; relative prompt paths are looked up in ``folder``."""
    reader = TableReader(source)
    reader.mistakes += [f"unknown key {key!r}{nearest(key, KEYS)}" for key in table if key not in KEYS]
    reader.mistakes += [f"{key} is missing" for key in ("name", "prompts", "voices") if not table.get(key)]
    texts = [key for key in ("name", "corpus", "metadata") if not isinstance(table.get(key, ""), str)]
    reader.mistakes += [f"{key} = {table[key]!r}: expected a text" for key in texts]
    name = str(table.get("name", ""))
    prompts = reader.each(table, "prompts", lambda t, s: _located(parse(PromptSource, t, source=s), folder))
    voices = reader.each(table, "voices", lambda t, s: _with_cards(parse_named(VOICES, t, field="engine", source=s), s))
    metrics = reader.each(table, "metrics", lambda t, s: parse_named(METRICS, t, field="family", source=s))
    spoken = _with_lexicon(reader.one(table, "spoken", SpokenConfig), folder)
    casting = reader.one(table, "casting", CastingConfig)
    policy = reader.one(table, "policy", Policy)
    release = reader.one(table, "release", ReleaseConfig)
    fleet = reader.one(table, "fleet", FleetConfig)
    tdsc = reader.one(table, "tdsc", TdscConfig) if "tdsc" in table else None
    dgsa = reader.one(table, "dgsa", DgsaConfig) if "dgsa" in table else None
    if policy and len(metrics) == len(entries_of(table.get("metrics", []))):
        reader.mistakes += unmeasured(policy, metrics)
    if casting and voices and len(voices) == len(entries_of(table.get("voices", []))):
        reader.mistakes += unfit(Cast(casting, voices, metrics), tdsc, dgsa)
    if reader.mistakes or not (spoken and casting and policy and release and fleet):
        raise RecipeError(mistakes_text(source, reader.mistakes))
    return Recipe(
        name=name,
        prompts=tuple(prompts),
        voices=tuple(voices),
        metrics=tuple(metrics),
        corpus=Path(str(table.get("corpus", f"corpora/{name}"))),
        metadata=str(table.get("metadata", "sqlite")),
        spoken=spoken,
        casting=casting,
        policy=policy,
        release=release,
        fleet=fleet,
        tdsc=tdsc,
        dgsa=dgsa,
    )


def _with_cards(config: VoiceConfig, source: str) -> VoiceConfig:
    """The configuration, once its speakers are known to exist."""
    try:
        config.cards()
    except UsageError as error:
        raise RecipeError(f"{source}: {error}") from error
    return config


def _with_lexicon(spoken: SpokenConfig | None, folder: Path) -> SpokenConfig | None:
    if spoken and spoken.lexicon:
        return replace(spoken, lexicon=_in(folder, spoken.lexicon))
    return spoken


def _located(source: PromptSource, folder: Path) -> PromptSource:
    return replace(source, path=_in(folder, source.path))


def _in(folder: Path, path: str) -> str:
    """A path as seen from a folder, unless it is absolute or in somebody's home."""
    return str(folder / Path(path).expanduser())


def _dual_mode(config: DgsaConfig) -> dict[str, Any]:
    """The settings of DGSA; a key that came later is left out where it says nothing: older jobs stay what they are."""
    plain: dict[str, Any] = _plain(config)
    return plain if config.share is not None else {key: value for key, value in plain.items() if key != "share"}


def _plain(config: Any) -> Any:
    return {k: v for k, v in asdict(config).items() if k not in RESOURCES} | {"class": type(config).__name__}
