"""Apart: whether a language model keeps the sequences of a row apart, and how long one of them may be.

Sequences are kept apart by the mask of attention. A layer that is a convolution or a recurrence does not know it, and
goes on reading where one sequence ends and the next begins; nor does the mask know the window that a layer may have.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from catalogs.errors import TrainingError
from training.interleaving.packing import Packable, inputs, pack
from training.padding import IGNORED
from training.speech_llm import positions_of

_ROUNDING = 0.05
"""How far logits of the same may be apart, in their spread: experts that hear other tokens beside round other sums."""


def check_apart(lm: Any) -> None:
    """Refuse a causal language model of `transformers` in which a sequence sees another one of its row.

    Raises:
        TrainingError: if what it makes of a sequence changes with the one before that, or it takes no such mask.
    """
    told = f"a language model of type {lm.config.model_type!r}"
    wanted = "expected one all of whose layers are attention; name another"
    try:
        found = [_of_last(lm, [before, [1, 2]]) for before in ([0, 1, 2, 3], [3, 2, 1, 0])]
    except (RuntimeError, TypeError, ValueError) as error:
        raise TrainingError(f"{told} reads no rows of several sequences ({error}): {wanted}") from error
    if (found[0] - found[1]).abs().max() > _ROUNDING * found[0].std():
        raise TrainingError(f"{told} goes on reading where one sequence of a row ends and the next begins: {wanted}")


def room_in(lm: Any) -> int | None:
    """How long a sequence of a row may be, so that the language model reads all of it; None if it sets no limit.

    Where some layers attend within a window, that is the window.
    """
    kinds = getattr(lm.config, "layer_types", None)
    has_window = kinds is None or "sliding_attention" in kinds
    limits = (positions_of(lm), getattr(lm.config, "sliding_window", None) if has_window else None)
    return min((limit for limit in limits if limit is not None), default=None)


def _of_last(lm: Any, sequences: Sequence[Sequence[int]]) -> Tensor:
    """The logits of the last of some sequences of a row."""
    packable = [Packable(ids, [-1] * len(ids), [IGNORED] * len(ids)) for ids in sequences]
    embedding = lm.get_input_embeddings()
    packed = pack(packable, sum(map(len, sequences)))
    tensors = {name: tensor.to(embedding.weight.device) for name, tensor in packed.items()}
    with torch.no_grad():
        text = embedding(tensors["ids"])
        given = inputs(lm, tensors, text, text.new_zeros(0, text.shape[-1]))
        logits: Tensor = lm(**given, use_cache=False).logits
    return logits[tensors["owners"] == len(sequences) - 1].float()
