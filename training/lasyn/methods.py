"""Recipe tables of latent synthesis: of a synthesiser, and of the recogniser that hears what it makes.

In turn: `ctc` with a split, the guide; `lasyn_fixed` through it, or the tables of `training.lasyn.diffusing`; `lasyn`.
"""

from dataclasses import dataclass, field
from typing import Literal

from catalogs.errors import TrainingError
from catalogs.g2p import Unknown
from training.backbones.encoders import Encoder
from training.ctc import CtcConfig
from training.lasyn.dual import DualTraining
from training.lasyn.edm import SamplerConfig
from training.lasyn.fixed import FixedProjectionConfig
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.loading import synthesiser
from training.lasyn.matching import MatchingConfig
from training.lasyn.phones import PhoneReader, check_share
from training.lasyn.recogniser import SplitRecogniser, guide


@dataclass(frozen=True)
class FixedSynthesisMethod:
    """A fixed projection, trained on texts through a guide.

    ``guide_from`` is the folder of a training, or of one of its checkpoints, of method `ctc` with a split. ``unknown``
    is what becomes of words that the dictionary lacks; ``mask`` the share of phones that is hidden. ``matching`` pulls
    what it makes to the latents of the real takes among the data, None leaves it to the guide alone.
    """

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
            raise TrainingError("objective.guide_from is missing: name a training of method 'ctc' with a split")
        made = self.synthesiser.build(width=encoder.width, seed=seed)
        hears, reader = guide(self.guide_from, encoder), PhoneReader(self.unknown)
        return GuidedSynthesis(hears, made, reader, mask=self.mask, matching=self.matching)


@dataclass(frozen=True)
class DualTrainingMethod:
    """A recogniser, trained from its split upwards on real latents and on those of texts.

    ``recogniser`` is the table of its kind. ``guide_from`` is the training it begins with, None a new head; then
    ``synthesiser_from`` that of a synthesiser, and ``sampler`` how diffusion makes latents. ``mask`` is the share of a
    text's phones that is hidden.
    """

    recogniser: CtcConfig
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

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> DualTraining:
        """Load the guide and the synthesiser.

        Raises:
            TrainingError: if one of them is not to be had, or does not suit the recogniser or the encoder.
        """
        ctc = self.recogniser.build(encoder, num_layers=num_layers, seed=seed)
        recogniser = SplitRecogniser(encoder, ctc)
        if self.guide_from is not None:
            recogniser.begin_as(guide(self.guide_from, encoder))
        if self.synthesiser_from is None:
            return DualTraining(recogniser, None, None, self.mask)
        made = synthesiser(self.synthesiser_from, encoder, split=recogniser.split, sampler=self.sampler)
        return DualTraining(recogniser, made, PhoneReader(self.unknown), self.mask)
