"""Recipe tables of latent synthesis: of a synthesiser, and of the recogniser that hears what it makes.

In turn: `ctc`, `transducer` or `whisper_decoder` with a split, the guide; `lasyn_fixed` through it, or the tables of
`training.lasyn.diffusing`; `lasyn`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Tag

from catalogs.errors import TrainingError
from catalogs.g2p import Unknown
from training.backbones.encoders import Encoder
from training.ctc import CtcConfig
from training.lasyn.dual import DualTraining
from training.lasyn.edm import SamplerConfig
from training.lasyn.fixed import FixedProjectionConfig
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.guides import guide_in
from training.lasyn.listening import LISTENERS
from training.lasyn.loading import synthesiser
from training.lasyn.matching import MatchingConfig
from training.lasyn.phones import PhoneReader, check_share
from training.lasyn.recogniser import GUIDES, RecogniserConfig, SplitRecogniser, any_of, guide
from training.objective import Heard
from training.slu.understanding import SluConfig
from training.tables import OnLabels
from training.transducer import TransducerConfig
from training.whisper_decoder import WhisperDecoderConfig

RECOGNISERS: Mapping[str, type[RecogniserConfig]] = {**GUIDES, "slu": SluConfig}
"""What goes on from latents, by method."""


def _method_of(table: Any) -> str:
    """By which of them a table is read: it says so itself, or is one of `ctc`."""
    method = table.get("method", "ctc") if isinstance(table, Mapping) else getattr(table, "method", None)
    return str(method)


_BY_METHOD = Discriminator(
    _method_of, custom_error_type="method", custom_error_message=f"expected method {any_of(sorted(RECOGNISERS))}"
)
AnyRecogniser: TypeAlias = Annotated[
    Annotated[CtcConfig, Tag("ctc")]
    | Annotated[SluConfig, Tag("slu")]
    | Annotated[TransducerConfig, Tag("transducer")]
    | Annotated[WhisperDecoderConfig, Tag("whisper_decoder")],
    _BY_METHOD,
]


@dataclass(frozen=True)
class FixedSynthesisMethod:
    """A fixed projection, trained on texts through a guide.

    ``guide_from`` is the folder of a training, or of one of its checkpoints: of method `ctc`, `transducer` or
    `whisper_decoder` with a split, or of one of `LISTENERS`, for which slots are made; give
    ``synthesiser.frames_per_phone`` 1 then, as a second of speech has ten of them and about as many phones.
    ``unknown`` is what becomes of words that the dictionary lacks; ``mask`` the share of phones that is hidden.
    ``matching`` pulls what it makes to the latents of the real takes among the data, None leaves it to the guide alone.
    """

    makes_latents: ClassVar[bool] = True

    method: Literal["lasyn_fixed"] = "lasyn_fixed"
    guide_from: str | None = None
    synthesiser: FixedProjectionConfig = field(default_factory=FixedProjectionConfig)
    unknown: Unknown = "read"
    mask: float = 0.0
    matching: MatchingConfig | None = None

    def __post_init__(self) -> None:
        check_share("objective.mask", self.mask)

    @property
    def asks_for_real(self) -> bool:
        """Whether it is to match real latents."""
        return self.matching is not None

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> GuidedSynthesis:  # noqa: ARG002  # it hears none
        """Load the guide, and make a new projection before its upper part.

        Raises:
            TrainingError: if there is no guide, or one of another encoder.
        """
        if self.guide_from is None:
            raise TrainingError(
                f"objective.guide_from is missing: name a training of method {any_of(GUIDES)} with a split, or of one "
                f"that listens ({', '.join(LISTENERS)})"
            )
        hears = guide_in(self.guide_from, encoder)
        made = self.synthesiser.build(width=hears.width, seed=seed, has_positions=hears.has_positions)
        return GuidedSynthesis(hears, made, PhoneReader(self.unknown), mask=self.mask, matching=self.matching)


@dataclass(frozen=True)
class DualTrainingMethod:
    """A recogniser, trained from its split upwards on real latents and on those of texts.

    ``recogniser`` is the table of its kind: `ctc`, `slu`, `transducer` or `whisper_decoder`. ``guide_from`` is the
    training it begins with, None a new head; of one of another kind it takes the upper part, as the paper begins with
    its guide. Then ``synthesiser_from`` is that of a synthesiser, and ``sampler`` how diffusion makes latents. ``mask``
    is the share of a text's phones that is hidden.
    """

    hears: ClassVar[Heard] = Heard("latents", "num_latents")

    recogniser: AnyRecogniser
    method: Literal["lasyn"] = "lasyn"
    guide_from: str | None = None
    synthesiser_from: str | None = None
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    unknown: Unknown = "read"
    mask: float = 0.3

    def __post_init__(self) -> None:
        check_share("objective.mask", self.mask)
        if self.recogniser.split is None:
            raise ValueError("objective.recogniser.split is missing: give it the layer that latents are of")
        if isinstance(self.recogniser, SluConfig) and self.recogniser.guide_from is not None:
            raise ValueError("objective.recogniser.guide_from: write it as objective.guide_from")

    @property
    def asks_for_labels(self) -> bool:
        """Whether its recogniser learns to write them."""
        return isinstance(self.recogniser, OnLabels) and self.recogniser.asks_for_labels

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> DualTraining:
        """Load the guide and the synthesiser.

        Raises:
            TrainingError: if one of them is not to be had, or does not suit the recogniser or the encoder.
        """
        recogniser = SplitRecogniser(encoder, self.recogniser.build(encoder, num_layers=num_layers, seed=seed))
        if self.guide_from is not None:
            recogniser.begin_as(guide(self.guide_from, encoder, kinds=RECOGNISERS))
        if self.synthesiser_from is None:
            return DualTraining(recogniser, None, None, self.mask)
        made = synthesiser(self.synthesiser_from, encoder, split=recogniser.split, sampler=self.sampler)
        return DualTraining(recogniser, made, PhoneReader(self.unknown), self.mask)
