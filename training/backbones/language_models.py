"""Causal language models: the recipe tables that build them. Nothing here imports PyTorch.

    model = SmolLm2Config(lora=LoraTable(r=16, alpha=32)).build()
    model.trained()                          # the weights of LoRA by name; without it nothing is trained

A table is looked up by its ``name`` under the entry points ``synthgen.language_models``.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from catalogs.config import parse_named
from catalogs.models.pretrained import Device, packages

if TYPE_CHECKING:
    from training.backbones.causal_lm import LanguageModel

GROUP = "synthgen.language_models"
"""Entry points under which language models are registered."""

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraTable:
    """Low-rank adapters: a small difference ``alpha / r * B A`` added to each target's weight, which stays frozen.

    ``targets`` are names of linear layers as the model calls them. ``first_layer`` and ``last_layer``, counted from 0
    and both included, keep the adapters to a band of layers; None is the model's own first and last.
    """

    r: int = 8
    alpha: float = 32.0
    dropout: float = 0.05
    targets: tuple[str, ...] = ("q_proj", "v_proj")
    first_layer: int | None = None
    last_layer: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.r < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1 or not self.targets:
            raise ValueError(
                f"r = {self.r}, alpha = {self.alpha}, dropout = {self.dropout}, targets = {list(self.targets)}: "
                "expected r of 1 or more, alpha above 0, dropout from 0 to below 1, and a target"
            )


_USE = {"dtype", "checkpointing", "lora", "device"}
"""What of a table says how a model is used, and not which one it is."""


def identity(table: Mapping[str, Any]) -> dict[str, Any]:
    """What of a language model's table says which one it is, with all that it leaves unsaid.

    Raises:
        RecipeError: if it is no table of one.
    """
    whole: Any = parse_named(GROUP, table, field="name", source="objective.language_model")
    return {key: value for key, value in asdict(whole).items() if key not in _USE}


class LanguageModelConfig(Protocol):
    """A recipe table that builds a language model."""

    @property
    def name(self) -> str:
        """The name it is registered under."""
        ...

    def build(self) -> "LanguageModel":
        """Load it.

        Raises:
            EngineError: if a package or the checkpoint is not to be had, or is not what the table says.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalSettings:
    """What all causal language models have: ``checkpointing`` saves memory in training for a third more time."""

    dtype: Precision = "float32"
    checkpointing: bool = False
    lora: LoraTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmolLm2Config(CausalSettings):
    """The starter SmolLM2-135M-Instruct, of four bits a weight, which are unpacked the first time.

    Its weights are ``dtype`` in memory; those of LoRA are always float32.
    """

    name: Literal["smollm2"] = "smollm2"
    device: Device = "auto"

    def build(self) -> "LanguageModel":
        """Load it; half a minute the first time."""
        with packages(self.name, extra="train"):
            from training.backbones.causal_lm import load_smollm2
        return load_smollm2(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalLmConfig(CausalSettings):
    """Any causal language model in `transformers` form.

    ``checkpoint`` is a folder, or a hub id with a commit as its ``revision``. ``bos`` and ``eos`` are the tokens that
    begin and end a text, where they are not those that the tokenizer names; a model may have no ``bos``.
    """

    name: Literal["causal_lm"] = "causal_lm"
    checkpoint: str
    revision: str | None = None
    bos: str | None = None
    eos: str | None = None
    device: Device = "auto"

    def build(self) -> "LanguageModel":
        """Load it."""
        with packages(self.name, extra="train"):
            from training.backbones.causal_lm import load_causal_lm
        return load_causal_lm(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyLmConfig(CausalSettings):
    """A tiny random Llama that reads bytes, for tests and dry runs."""

    name: Literal["tiny"] = "tiny"
    width: int = 32
    num_layers: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.width < 8 or self.width % 8 or self.num_layers < 1:
            raise ValueError(f"width = {self.width}, num_layers = {self.num_layers}: expected eights, and a layer")

    def build(self) -> "LanguageModel":
        """Make it, on the CPU; the same seed gives the same weights."""
        with packages(self.name, extra="train"):
            from training.backbones.tiny_lm import tiny_language_model
        return tiny_language_model(self)
