"""Recipe tables of methods that need more than an encoder: they load their models, and make the objective."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from catalogs.config import parse_named
from training.backbones.encoders import Encoder
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsr, SlamAsrConfig
from training.template import Template

LANGUAGE_MODELS = "synthgen.language_models"


@dataclass(frozen=True)
class SlamAsrMethod:
    """SLAM-ASR; ``language_model`` is the table of one, looked up by its ``name``: the starter, if nothing is said."""

    method: Literal["slam_asr"] = "slam_asr"
    language_model: Mapping[str, Any] = field(default_factory=lambda: {"name": "smollm2"})
    template: Template = field(default_factory=Template)
    projector: ProjectorConfig = field(default_factory=ProjectorConfig)

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> SlamAsr:
        """Load the language model, and put a new projector before it.

        Raises:
            RecipeError: for a table that no language model has.
            EngineError: if its weights are not to be had.
        """
        table = dict(self.language_model)
        config = parse_named(LANGUAGE_MODELS, table, field="name", source="objective.language_model")
        lm = config.build()
        model = SlamAsrConfig(template=self.template, projector=self.projector)
        return model.build(lm, layers=num_layers, width=encoder.width, seed=seed)
