"""Whisper out of CTranslate2 files, as a checkpoint in `transformers` form.

The weights are the same: queries, keys and values of self-attention lie in one matrix, ``linear_0``, keys and values of
attention to the encoder in one, ``linear_1``, and quantised ones have scales. Keys have no bias in Whisper; the fused
bias has zeros there.
"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from catalogs.errors import EngineError
from catalogs.models import artefact, derived, fetch
from catalogs.models.pretrained import quiet, told_plainly
from training.backbones.ct2_file import Ct2File, read_ct2

_REVISION = 2
"""Raised when a conversion gives other files, so that those made before are made again."""

_SMALLEST_MULTILINGUAL_VOCABULARY = 51_865


def converted(name: str) -> Path:
    """A folder with a pinned Whisper model in `transformers` form, tokenizer included, converted the first time.

    Raises:
        UsageError: if no model of that name is pinned.
        ModelMissing: if it is not to be had.
        EngineError: if it is no Whisper in CTranslate2 form.
    """
    known = artefact(name)
    if not any(file.name == "model.bin" for file in known.files):
        raise EngineError(f"{name} is no Whisper model in CTranslate2 form")
    return derived(f"{name}-{known.sha256[:12]}-transformers-{_REVISION}", partial(convert, fetch(name)))


def convert(source: Path, into: Path) -> None:
    """Convert a folder with ``model.bin``, ``config.json`` and ``tokenizer.json`` into one that `transformers` loads.

    Raises:
        ModelMissing: if a file is not there.
        EngineError: if the model is damaged, or no Whisper.
    """
    file = read_ct2(source / "model.bin")
    if file.kind != "WhisperSpec":
        raise EngineError(f"{source} is no Whisper model but a {file.kind}")
    with told_plainly(source):
        tokenizer = WhisperTokenizer.from_pretrained(source, local_files_only=True)
        settings = json.loads((source / "config.json").read_text(encoding="utf-8"))
        config = shape_of(file)
        model = WhisperForConditionalGeneration(config)
        report = model.load_state_dict(dict(weights_of(file, config)), strict=False)
    if report.unexpected_keys or set(report.missing_keys) - {"proj_out.weight"}:  # which is the embedding, tied
        raise EngineError(f"{source} is no whole Whisper model: {report}")
    model.tie_weights()
    model.generation_config = _generation(settings, tokenizer, config)
    with quiet():
        model.save_pretrained(into)
    tokenizer.save_pretrained(into)
    extractor: Any = WhisperFeatureExtractor
    extractor(feature_size=config.num_mel_bins).save_pretrained(into)


def shape_of(file: Ct2File) -> WhisperConfig:
    """The shape of the model, read off its tensors."""
    vocabulary, width = file.tensor("decoder/embeddings/weight").shape
    counts = {part: sum(f"{part}/layer_{i}/ffn/linear_0/weight" in file.arrays for i in range(100)) for part in _PARTS}
    end = 50_256 if vocabulary < _SMALLEST_MULTILINGUAL_VOCABULARY else 50_257
    return WhisperConfig(
        vocab_size=vocabulary,
        d_model=width,
        num_mel_bins=file.tensor("encoder/conv1/weight").shape[1],
        max_source_positions=len(file.tensor("encoder/position_encodings/encodings")),
        max_target_positions=len(file.tensor("decoder/position_encodings/encodings")),
        encoder_layers=counts["encoder"],
        decoder_layers=counts["decoder"],
        encoder_attention_heads=file.number("encoder/num_heads"),
        decoder_attention_heads=file.number("decoder/num_heads"),
        encoder_ffn_dim=len(file.tensor("encoder/layer_0/ffn/linear_0/bias")),
        decoder_ffn_dim=len(file.tensor("decoder/layer_0/ffn/linear_0/bias")),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=end + 1,
    )


_PARTS = ("encoder", "decoder")


def weights_of(file: Ct2File, config: WhisperConfig) -> Iterator[tuple[str, Tensor]]:
    """Every weight by its name in `transformers`."""
    for conv in ("conv1", "conv2"):
        yield from _affine(file, f"encoder/{conv}", f"model.encoder.{conv}")
    yield "model.decoder.embed_tokens.weight", _tensor(file, "decoder/embeddings/weight")
    for part, num_layers in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        yield f"model.{part}.embed_positions.weight", _tensor(file, f"{part}/position_encodings/encodings")
        yield from _norm(file, f"{part}/layer_norm", f"model.{part}.layer_norm")
        for layer in range(num_layers):
            yield from _layer(file, f"{part}/layer_{layer}", f"model.{part}.layers.{layer}")


def _layer(file: Ct2File, source: str, target: str) -> Iterator[tuple[str, Tensor]]:
    own, other = f"{source}/self_attention", f"{source}/attention"
    yield from _norm(file, f"{own}/layer_norm", f"{target}.self_attn_layer_norm")
    yield from _fused(file, f"{own}/linear_0", f"{target}.self_attn", "qkv")
    yield from _affine(file, f"{own}/linear_1", f"{target}.self_attn.out_proj")
    if f"{other}/linear_0/weight" in file.arrays:
        yield from _norm(file, f"{other}/layer_norm", f"{target}.encoder_attn_layer_norm")
        yield from _affine(file, f"{other}/linear_0", f"{target}.encoder_attn.q_proj")
        yield from _fused(file, f"{other}/linear_1", f"{target}.encoder_attn", "kv")
        yield from _affine(file, f"{other}/linear_2", f"{target}.encoder_attn.out_proj")
    yield from _norm(file, f"{source}/ffn/layer_norm", f"{target}.final_layer_norm")
    yield from _affine(file, f"{source}/ffn/linear_0", f"{target}.fc1")
    yield from _affine(file, f"{source}/ffn/linear_1", f"{target}.fc2")


def _fused(file: Ct2File, source: str, target: str, roles: str) -> Iterator[tuple[str, Tensor]]:
    weights = _tensor(file, f"{source}/weight").chunk(len(roles))
    biases = _tensor(file, f"{source}/bias").chunk(len(roles))
    for role, weight, bias in zip(roles, weights, biases, strict=True):
        yield f"{target}.{role}_proj.weight", weight
        if role != "k":
            yield f"{target}.{role}_proj.bias", bias
        elif bias.any():
            raise EngineError(f"{source} has a bias for keys, which Whisper has not")


def _affine(file: Ct2File, source: str, target: str) -> Iterator[tuple[str, Tensor]]:
    for name in ("weight", "bias"):
        yield f"{target}.{name}", _tensor(file, f"{source}/{name}")


def _norm(file: Ct2File, source: str, target: str) -> Iterator[tuple[str, Tensor]]:
    yield f"{target}.weight", _tensor(file, f"{source}/gamma")
    yield f"{target}.bias", _tensor(file, f"{source}/beta")


def _tensor(file: Ct2File, name: str) -> Tensor:
    return torch.from_numpy(file.tensor(name).copy())


def _generation(settings: dict[str, Any], tokenizer: Any, config: WhisperConfig) -> Any:
    """How to decode: which tokens never come, and what the special ones are."""
    ids = tokenizer.convert_tokens_to_ids
    is_multilingual = config.vocab_size >= _SMALLEST_MULTILINGUAL_VOCABULARY
    generation: Any = GenerationConfig
    return generation(
        max_length=config.max_target_positions,
        bos_token_id=config.bos_token_id,
        eos_token_id=config.eos_token_id,
        pad_token_id=config.pad_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
        suppress_tokens=settings["suppress_ids"],
        begin_suppress_tokens=settings["suppress_ids_begin"],
        alignment_heads=settings["alignment_heads"],
        no_timestamps_token_id=ids("<|notimestamps|>"),
        is_multilingual=is_multilingual,
        **(_languages(settings, tokenizer) if is_multilingual else {}),
    )


def _languages(settings: dict[str, Any], tokenizer: Any) -> dict[str, dict[str, int]]:
    """The tokens of languages and tasks. A model that has them, be it none, is asked for the language of every clip."""
    tasks = ("transcribe", "translate")
    return {
        "lang_to_id": {tokenizer.convert_ids_to_tokens(token): token for token in settings["lang_ids"]},
        "task_to_id": {task: tokenizer.convert_tokens_to_ids(f"<|{task}|>") for task in tasks},
    }
