"""Language models out of GGUF files, unpacked once into float32 safetensors that load at the speed of the disk."""

import gc
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer

from catalogs.errors import EngineError
from catalogs.models import artefact, derived, fetch
from catalogs.models.pretrained import quiet, told_plainly

REVISION = 1
"""Raised when unpacking gives other files, so that those made before are made again."""

_DIGITS_APART = ("smollm",)
"""Tokenizers, as GGUF names them, that split off every digit before anything else; `transformers` does not tell."""


def dequantised(name: str) -> Path:
    """A folder with a pinned GGUF model in `transformers` form, unpacked the first time: model and tokenizer.

    Raises:
        UsageError: if no model of that name is pinned.
        ModelMissing: if it is not to be had.
        EngineError: if it is no language model in GGUF form, or the package that reads them is missing.
    """
    known = artefact(name)
    (file,) = known.files
    if not file.name.endswith(".gguf"):
        raise EngineError(f"{name} is no model in GGUF form")
    return derived(f"{name}-{known.sha256[:12]}-float32-{REVISION}", partial(dequantise, fetch(name) / file.name))


def dequantise(source: Path, into: Path) -> None:
    """Unpack a GGUF file into a folder that `transformers` loads.

    Raises:
        ModelMissing: if it is not there.
        EngineError: if it is damaged, or the package that reads it is missing.
    """
    options = {"gguf_file": source.name, "local_files_only": True}
    with told_plainly(source), quiet():
        _check_reader()
        tokenizer = AutoTokenizer.from_pretrained(source.parent, **options)
        if _pre_tokenizer(source) in _DIGITS_APART:
            _split_digits(tokenizer)
        model: Any = AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.float32, **options)
        model.config.quantization_config = None
        del model.config.quantization_config  # the weights are no longer packed
        model.hf_quantizer = None
        model.is_quantized = False
        model.save_pretrained(into)
        tokenizer.save_pretrained(into)
    del model
    gc.collect()  # half a gigabyte, in cycles


def _check_reader() -> None:
    try:
        import gguf  # noqa: F401 - transformers asks for it
    except ImportError as error:
        raise EngineError(
            "reading GGUF files needs the package gguf; get it with `pip install 'synthgen-studio[train]'`"
        ) from error


def _pre_tokenizer(source: Path) -> str:
    from gguf import GGUFReader

    field = GGUFReader(source).get_field("tokenizer.ggml.pre")
    return "" if field is None else str(field.contents())


def _split_digits(tokenizer: Any) -> None:
    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
