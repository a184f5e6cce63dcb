"""Recipe tables of methods that need more than an encoder: they load their models, and make the objective."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from catalogs.config import parse_named
from catalogs.errors import TrainingError
from catalogs.g2p import Unknown
from training import checkpoint
from training.backbones.causal_lm import LanguageModel
from training.backbones.encoders import Encoder
from training.backbones.language_models import GROUP, identity
from training.grpo import Grpo, GrpoConfig
from training.interleaving.apart import check_apart, room_in
from training.interleaving.spans import Slotting
from training.jstip import Jstip, Rows
from training.lasyn.listening import ListensWith
from training.lasyn.loading import slot_synthesiser
from training.lasyn.phones import PhoneReader, check_share
from training.lasyn.slots import SlotMaker
from training.members import RATE_HZ
from training.objective import Heard
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsr, SlamAsrConfig
from training.speech_llm import embeddings_of
from training.template import Template
from training.texts import texts_in
from training.warm_start import WarmStart, WarmStartConfig, adopt_projector

STARTER: Mapping[str, Any] = {"name": "smollm2"}


@dataclass(frozen=True)
class _BeforeLanguageModel:
    """What stands before a language model: ``language_model`` is the table of one, looked up by its ``name``."""

    hears: ClassVar[Heard] = Heard()

    language_model: Mapping[str, Any] = field(default_factory=lambda: STARTER)
    template: Template = field(default_factory=Template)
    projector: ProjectorConfig = field(default_factory=ProjectorConfig)

    def __post_init__(self) -> None:
        object.__setattr__(self, "language_model", _resolved(self.language_model))


@dataclass(frozen=True)
class _Listening(_BeforeLanguageModel):
    """A language model that listens: the projector is new, or goes on from that of ``projector_from``."""

    projector_from: str | None = None

    def _listener(self, lm: LanguageModel, encoder: Encoder, *, num_layers: int, seed: int) -> SlamAsr:
        model = SlamAsrConfig(template=self.template, projector=self.projector)
        listener = model.build(lm, layers=num_layers, width=encoder.width, seed=seed)
        if self.projector_from is not None:
            found = checkpoint.load(Path(self.projector_from).expanduser())
            source = f"objective.projector_from: {self.projector_from}"
            adopt_projector(listener.module.projector, found.trained(), source=source)
        return listener


@dataclass(frozen=True)
class SlamAsrMethod(_Listening):
    """SLAM-ASR; ``language_model`` is the table of one, looked up by its ``name``: the starter, if nothing is said.

    ``projector_from`` is the folder of a training, or of one of its checkpoints, whose projector it goes on from.
    """

    method: Literal["slam_asr"] = "slam_asr"

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> SlamAsr:
        """Load the language model, and put a projector before it.

        Raises:
            EngineError: if its weights are not to be had.
            TrainingError: if the projector to go on from is not to be had, or is another one.
        """
        return self._listener(_loaded(self.language_model), encoder, num_layers=num_layers, seed=seed)


@dataclass(frozen=True)
class GrpoMethod(_Listening):
    """SLAM-ASR that learns from its own answers; language model, template and projector are as there.

    It makes better what can already transcribe: give the recipe a checkpoint of `slam_asr` as ``start_from``, or as
    ``projector_from`` where LoRA is to be new. ``rollouts``, ``temperature`` and ``beta`` are those of `GrpoConfig`.
    """

    method: Literal["grpo"] = "grpo"
    rollouts: int = 4
    temperature: float = 0.8
    beta: float = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        self._config()

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> Grpo:
        """Load the language model, and put a projector before it. Raises as `SlamAsrMethod.build` does."""
        lm = _loaded(self.language_model)
        return Grpo(self._listener(lm, encoder, num_layers=num_layers, seed=seed), self._config())

    def _config(self) -> GrpoConfig:
        return GrpoConfig(self.rollouts, self.temperature, self.beta)


@dataclass(frozen=True, slots=True)
class MadeConfig:
    """Texts that are heard as slots: ``synthesiser_from`` is a training of `lasyn_fixed` through a guide that listens.

    ``unknown`` is what becomes of words that the dictionary lacks. ``mask`` is the share of phones that is hidden,
    which the synthesiser should know from its own training; a language model knows what is likely to be said.
    """

    synthesiser_from: str | None = None
    mask: float = 0.0
    unknown: Unknown = "read"

    def __post_init__(self) -> None:
        check_share("objective.made.mask", self.mask)


@dataclass(frozen=True)
class JstipMethod(_Listening):
    """JSTIP on a ``[mixture]``; language model, template, projector and ``projector_from`` are as in SLAM-ASR.

    Its two stages are two trainings: the first without LoRA, which trains the projector alone; the second with the
    first one's folder as ``projector_from``. ``tuned`` "added" trains the projector and what LoRA has added, "all" the
    whole language model with it. ``made`` makes slots of texts alone, for mixtures that hear them.

    ``context`` is how many positions a row has; ``between`` stands between two segments. Heard parts go through the
    encoder behind each other, at most ``longest_s`` seconds at once.
    """

    method: Literal["jstip"] = "jstip"
    tuned: Literal["added", "all"] = "added"
    made: MadeConfig | None = None
    context: int = 1024
    between: str = "\n"
    longest_s: float = 30.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.context < 2 or not self.longest_s > 0:
            raise ValueError("objective.context must be at least 2, and objective.longest_s positive")
        if self.made is not None and self.tuned == "added" and not self.language_model["lora"]:
            raise ValueError(
                "objective.made teaches the language model, of which nothing is tuned: "
                "give objective.language_model a lora"
            )
        if self.tuned == "all" and (self.language_model["lora"] or self.language_model["dtype"] != "float32"):
            raise ValueError('objective.tuned = "all" tunes weights of float32, without objective.language_model.lora')

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> Jstip:
        """Load the language model, and put a projector before it.

        Raises as `SlamAsrMethod.build` does, and TrainingError for rows longer than the language model can read, or one
        that does not keep their sequences apart.
        """
        lm = _loaded(self.language_model)
        check_apart(lm.module)
        limit = room_in(lm.module)
        if limit is not None and self.context > limit:
            raise TrainingError(
                f"objective.context = {self.context}: the language model reads {limit} positions; give {limit} at most"
            )
        listener = self._listener(lm, encoder, num_layers=num_layers, seed=seed)
        if self.tuned == "all":
            lm.module.requires_grad_(requires_grad=True)
        samples_a_slot = round(RATE_HZ / encoder.frame_rate_hz) * self.projector.frames
        slotting = Slotting(samples_a_slot, max(1, int(self.longest_s * RATE_HZ) // samples_a_slot))
        return Jstip(listener, Rows(self.context, slotting, tuple(lm.tokens(self.between))), self._maker(lm, encoder))

    def _maker(self, lm: LanguageModel, encoder: Encoder) -> SlotMaker | None:
        if self.made is None or self.made.synthesiser_from is None:
            return None
        made = slot_synthesiser(
            self.made.synthesiser_from,
            encoder,
            for_model=ListensWith(identity(self.language_model)),
            key="objective.made.synthesiser_from",
            width=embeddings_of(lm).shape[1],
        )
        return SlotMaker(made, PhoneReader(self.made.unknown, key="objective.made.unknown"), mask=self.made.mask)


@dataclass(frozen=True)
class WarmStartMethod(_BeforeLanguageModel):
    """A warm start for a SLAM-ASR of the same language model, template and projector, which is not run here.

    ``texts`` is a UTF-8 file with a text on each line, whose tokens are told apart; None is every token that there is,
    which is slower. ``pull`` and ``sharpness`` are those of `WarmStartConfig`.
    """

    method: Literal["warm_start"] = "warm_start"
    texts: str | None = None
    pull: float = 0.1
    sharpness: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._config()

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> WarmStart:
        """Load the language model for its embeddings, and put a new projector before them.

        Raises:
            EngineError: if its weights are not to be had.
            TrainingError: if the texts are not to be had.
        """
        texts = None if self.texts is None else texts_in(Path(self.texts), source="objective.texts")
        lm = _loaded(self.language_model)
        return self._config().build(lm, texts, layers=num_layers, width=encoder.width, seed=seed)

    def _config(self) -> WarmStartConfig:
        return WarmStartConfig(self.template, self.projector, pull=self.pull, sharpness=self.sharpness)


def _resolved(table: Mapping[str, Any]) -> dict[str, Any]:
    """A language model's table with all that it leaves unsaid, as a recipe is stored; mistakes are found at once."""
    config: Any = parse_named(GROUP, table, field="name", source="objective.language_model")
    return asdict(config)


def _loaded(table: Mapping[str, Any]) -> LanguageModel:
    loaded: LanguageModel = parse_named(GROUP, table, field="name", source="objective.language_model").build()
    return loaded
