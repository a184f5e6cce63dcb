"""A loaded causal language model with its tokenizer: frozen, but for the adapters of LoRA if it has any.

B texts · S tokens · D width of the model
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from catalogs.errors import EngineError, UsageError
from catalogs.ids import Id, content_id
from catalogs.models import artefact, checkpoint_folder, checkpoint_sha256
from catalogs.models.pretrained import Device, device_of, load_pretrained, told_plainly
from training.backbones.frozen import FILES, freeze, seeded
from training.backbones.gguf import REVISION, dequantised
from training.backbones.language_models import CausalLmConfig, LoraTable, Precision, SmolLm2Config
from training.backbones.packed_attention import attend_in_sequences

STARTER = "smollm2-135m"
"""The name of the starter model among the pinned ones."""


@dataclass(frozen=True, slots=True)
class Ends:
    """The tokens that begin and end a text. A model without ``bos`` begins with nothing."""

    bos: int | None
    eos: int


class LanguageModel:
    """A causal language model that takes embeddings, so that anything can stand among its tokens.

    ``module`` is the model, in inference mode, frozen but for ``trained()``. ``id`` names the frozen part: its weights,
    its tokenizer and its precision.
    """

    def __init__(self, module: Any, tokenizer: Any, *, id: Id, ends: Ends) -> None:  # noqa: A002 - the word of all records
        self.id = id
        self.module: nn.Module = module
        self.tokenizer = tokenizer
        self.bos_id = ends.bos
        self.eos_id = ends.eos
        self.width = int(module.config.hidden_size)
        self.num_layers = int(module.config.num_hidden_layers)
        self.embedding: nn.Module = module.get_input_embeddings()

    def tokens(self, text: str) -> list[int]:
        """A text in tokens, with neither beginning nor end; what looks like a special token in it is plain text."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
        return ids

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones left out."""
        text: str = self.tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (..., S) as embeddings (..., S, D) of the model's precision."""
        embedded: Tensor = self.embedding(tokens)
        return embedded

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The adapters of LoRA by name, float32; empty without LoRA."""
        return {name: parameter for name, parameter in self.module.named_parameters() if parameter.requires_grad}


@dataclass(frozen=True, slots=True)
class Fitting:
    """What is done with a model once it is loaded."""

    device: Device
    checkpointing: bool
    lora: LoraTable | None


def load_smollm2(config: SmolLm2Config) -> LanguageModel:
    """Load the starter model.

    Raises:
        ModelMissing: if it is not to be had.
    """
    folder = dequantised(STARTER)
    source = f"{artefact(STARTER).sha256} {REVISION}"
    fitting = Fitting(config.device, config.checkpointing, config.lora)
    return _loaded(folder, content_id("language model", config.name, source, config.dtype), config.dtype, fitting)


def load_causal_lm(config: CausalLmConfig) -> LanguageModel:
    """Load the model of a table.

    Raises:
        ModelMissing: if its checkpoint is not to be had.
        EngineError: if that is no causal language model, or has no such token.
    """
    folder = checkpoint_folder(config.checkpoint, config.revision, files=FILES)
    source = checkpoint_sha256(config.checkpoint, config.revision)
    model = _loaded(
        folder,
        content_id("language model", config.name, source, config.dtype),
        config.dtype,
        Fitting(config.device, config.checkpointing, config.lora),
    )
    model.bos_id = model.bos_id if config.bos is None else _token(model.tokenizer, config.bos)
    model.eos_id = model.eos_id if config.eos is None else _token(model.tokenizer, config.eos)
    if model.eos_id < 0:
        raise EngineError(f"the tokenizer of {config.checkpoint} names no token that ends a text; set `eos`")
    return model


def _loaded(folder: Path, id: Id, dtype: Precision, fitting: Fitting) -> LanguageModel:  # noqa: A002 - as above
    with told_plainly(folder):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    module = freeze(load_pretrained(AutoModelForCausalLM, folder, dtype=dtype))
    ends = Ends(tokenizer.bos_token_id, -1 if tokenizer.eos_token_id is None else tokenizer.eos_token_id)
    return LanguageModel(fitted(module, fitting), tokenizer, id=id, ends=ends)


def fitted(module: Any, fitting: Fitting) -> Any:
    """A frozen model on its device, with what its table adds.

    Raises:
        UsageError: if LoRA is to go where the model has nothing.
    """
    module = module.to(device_of(fitting.device))
    attend_in_sequences(module)
    if fitting.checkpointing:
        module.gradient_checkpointing_enable({"use_reentrant": False})
    return module if fitting.lora is None else with_lora(module, fitting.lora)


def with_lora(module: Any, table: LoraTable) -> Any:
    """Put adapters beside linear layers; at first they add nothing.

    Raises:
        UsageError: for a band of layers, or targets, that the model has not.
    """
    last = module.config.num_hidden_layers - 1
    band = (table.first_layer or 0, last if table.last_layer is None else table.last_layer)
    if not 0 <= band[0] <= band[1] <= last:
        raise UsageError(f"lora layers {band[0]} to {band[1]}: the model has layers 0 to {last}")
    linear = {name.rpartition(".")[2] for name, part in module.named_modules() if isinstance(part, nn.Linear)}
    unknown = sorted(set(table.targets) - linear)
    if unknown:
        raise UsageError(f"lora.targets {unknown}: the model's linear layers are {sorted(linear)}")
    adapters: Any = LoraConfig  # whose alpha may be any number
    settings = adapters(
        r=table.r,
        lora_alpha=table.alpha,
        lora_dropout=table.dropout,
        target_modules=list(table.targets),
        layers_to_transform=list(range(band[0], band[1] + 1)),
        layers_pattern="layers",
        task_type="CAUSAL_LM",
    )
    with seeded(table.seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is", FutureWarning)  # peft's own, and no user's
        return get_peft_model(module, settings).eval()


def _token(tokenizer: Any, token: str) -> int:
    known: dict[str, int] = tokenizer.get_vocab()
    if token not in known:
        raise EngineError(f"the tokenizer has no token {token!r}; its special ones are {tokenizer.all_special_tokens}")
    return known[token]
