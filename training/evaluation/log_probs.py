"""How probable a language model that listens finds what it reads: sums of log probabilities over sequences.

R rows · S columns · V size of the vocabulary
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.interleaving.packing import Packable, inputs, pack
from training.padding import IGNORED


def log_probs(lm: Any, sequences: Sequence[Packable], audio: Tensor, *, context: int) -> list[float]:
    """The sum, in nats, over what each sequence has labels for; none sees another.

    Args:
        lm: a causal language model of `transformers`.
        sequences: what is read, and where slots of audio stand in it.
        audio: the slots of all sequences, one behind the other, (slots, width).
        context: how many positions a row has.

    Raises:
        TrainingError: for a sequence that is longer than a row.
    """
    device = lm.get_input_embeddings().weight.device
    tensors = {name: tensor.to(device) for name, tensor in pack(sequences, context).items()}
    with torch.inference_mode():
        text = lm.get_input_embeddings()(tensors["ids"])
        logits = lm(**inputs(lm, tensors, text, audio.to(device)), use_cache=False).logits[:, :-1]  # (R, S - 1, V)
    labels, owners = tensors["labels"][:, 1:], tensors["owners"][:, 1:]
    found = -functional.cross_entropy(
        logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
    )  # (R, S - 1)
    sums = torch.zeros(len(sequences) + 1, dtype=torch.float64, device=device)  # the last is that of padding
    sums.index_add_(0, torch.where(owners < 0, len(sequences), owners).flatten(), found.double().flatten())
    return [float(value) for value in sums[:-1]]
