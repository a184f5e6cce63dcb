"""Attention of sequences that stand behind each other in rows: on a CPU each is attended to by itself.

What a mask would leave out is then not computed: the work grows with the squares of sequences, and not of rows. A GPU
goes by the mask, which asks for one launch a layer and not for one a sequence.

B rows · H heads · G groups of heads · S positions · D width of a head
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "synthgen_packed"


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    sequences: Sequence[Sequence[int]] | None = None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """What PyTorch's attention gives (B, S, H, D), as `transformers` asks for it.

    Args:
        module: the layer that asks.
        query: (B, H, S, D).
        key: (B, G, S, D).
        value: (B, G, S, D).
        attention_mask: added to the scores where ``sequences`` are not given, or on a GPU; it says the same as they do.
        sequences: for each row the lengths of its causal sequences, which fill it.
        settings: scaling, dropout and whatever else PyTorch's is given.
    """
    if sequences is None or query.device.type != "cpu":
        attended: Tensor = sdpa_attention_forward(module, query, key, value, attention_mask, **settings)[0]
        return attended, None
    rows = []
    for row, lengths in enumerate(sequences):
        parts = (torch.split(each[row : row + 1], list(lengths), dim=2) for each in (query, key, value))
        found = [sdpa_attention_forward(module, q, k, v, None, **settings)[0] for q, k, v in zip(*parts, strict=True)]
        rows.append(torch.cat(found, dim=1))
    return torch.cat(rows), None


def attend_in_sequences(model: Any) -> None:
    """Have a model of `transformers` attend so, if it attends as PyTorch does; others stay as they are."""
    if model.config._attn_implementation == "sdpa":  # noqa: SLF001 - there is no public name for it
        AttentionInterface.register(NAME, packed_attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        model.set_attn_implementation(NAME)


def sequences_in(model: Any, owners: Tensor) -> dict[str, list[list[int]]]:
    """What a model is given beside the mask of packed rows: nothing if it attends otherwise.

    Args:
        model: of `transformers`, or of PEFT.
        owners: (B, S), which sequence stands where; padding is one, too.
    """
    if model.config._attn_implementation != NAME or owners.device.type != "cpu":  # noqa: SLF001 - as above
        return {}
    return {"sequences": [row.unique_consecutive(return_counts=True)[1].tolist() for row in owners]}
