"""A language model that listens: projected audio takes its place among the embeddings of text.

B utterances · S columns of a batch · A answer tokens · N slots · W width of the language model · V its vocabulary
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.backbones.causal_lm import LanguageModel
from training.objective import Loss
from training.padding import IGNORED
from training.projectors import Projector, Widths


class SpeechLlm(nn.Module):
    """A causal language model of `transformers`, and the projector that feeds it. Batches are laid out by `padding`."""

    def __init__(self, lm: Any, projector: Projector) -> None:
        super().__init__()
        self.projector = projector
        self.lm = lm

    def inputs(self, tensors: Mapping[str, Tensor], audio: Tensor | None = None) -> dict[str, Tensor]:
        """What the language model is given: ``inputs_embeds`` (B, S, W), ``attention_mask``, ``position_ids`` (B, S).

        ``audio`` are slots (B, N, W) that were made; None projects the features. Positions count what is no padding, so
        that it makes no difference where padding stands.
        """
        attention = tensors["attention"]
        positions = (attention.long().cumsum(1) - 1).clamp(min=0)
        return {
            "inputs_embeds": self.embed(tensors, audio),
            "attention_mask": attention.long(),
            "position_ids": positions,
        }

    def embed(self, tensors: Mapping[str, Tensor], audio: Tensor | None = None) -> Tensor:
        """Embeddings (B, S, W): of text where text stands, of the n-th slot of audio where that belongs."""
        slots = tensors["slots"]
        text = self.lm.get_input_embeddings()(tensors["ids"])
        if audio is None:
            audio = self.projector(tensors["features"], tensors["lengths"])  # (B, N, W)
        places = slots.clamp(min=0)[..., None].expand(-1, -1, audio.shape[-1])
        return torch.where((slots >= 0)[..., None], audio.to(text.dtype).gather(1, places), text)

    def forward(self, tensors: Mapping[str, Tensor], audio: Tensor | None = None) -> Tensor:
        """Logits (B, A, V) of the answers; the one at a label's place was computed without having seen it."""
        num_answer = tensors["labels"].shape[1]
        output = self.lm(**self.inputs(tensors, audio), logits_to_keep=num_answer + 1, use_cache=False)
        logits: Tensor = output.logits[:, :-1]
        return logits


def answer_loss(logits: Tensor, labels: Tensor) -> Loss:
    """Cross entropy summed over the labels (B, A) that are none of -100; watched: ``correct`` and ``targets``."""
    total = functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    counted = labels != IGNORED
    correct = (logits.detach().argmax(-1) == labels) & counted
    return Loss(total, {"correct": correct.sum(), "targets": counted.sum()})


def positions_of(lm: Any) -> int | None:
    """How many positions a language model of `transformers` can read; None if it sets no limit."""
    limit: int | None = getattr(lm.config, "max_position_embeddings", None)
    return limit


def widths_on(lm: LanguageModel, *, layers: int, width: int) -> Widths:
    """What a projector stands between: features of so many layers of this width, and a language model's embeddings."""
    weight = embeddings_of(lm)
    return Widths(layers, width, weight.shape[1], text_rms=float(weight.square().mean().sqrt()))


def embeddings_of(lm: LanguageModel) -> Tensor:
    """The text embeddings (V, W) of a language model, float32."""
    weight: Tensor = lm.module.get_input_embeddings().weight  # type: ignore[operator]  # torch
    return weight.detach().float()
