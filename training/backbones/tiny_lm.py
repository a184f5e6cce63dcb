"""A tiny random Llama whose tokens are bytes: any text is read and written back exactly."""

from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from catalogs.ids import content_id
from training.backbones.causal_lm import Ends, Fitting, LanguageModel, fitted
from training.backbones.frozen import freeze, seeded, sha256_of_weights
from training.backbones.language_models import TinyLmConfig

BOS, EOS, PAD = "<bos>", "<eos>", "<pad>"

_SPREAD = 0.2
"""Standard deviation of weights: ten times what training starts with, so that every token makes a difference."""


def tiny_language_model(config: TinyLmConfig) -> LanguageModel:
    """Make the model of a table."""
    tokenizer = byte_tokenizer()
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.width,
        intermediate_size=2 * config.width,
        num_hidden_layers=config.num_layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=_SPREAD,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with seeded(config.seed):
        module = freeze(LlamaForCausalLM(shape))
    source = sha256_of_weights(module)
    if config.dtype == "bfloat16":
        module = module.bfloat16()
    return LanguageModel(
        fitted(module, Fitting("cpu", config.checkpointing, config.lora)),
        tokenizer,
        id=content_id("language model", config.name, source, config.dtype),
        ends=Ends(tokenizer.bos_token_id, tokenizer.eos_token_id),
    )


def byte_tokenizer() -> Any:
    """256 bytes and three special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer: Any = PreTrainedTokenizerFast
    return tokenizer(tokenizer_object=backend, bos_token=BOS, eos_token=EOS, pad_token=PAD)
