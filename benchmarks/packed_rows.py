"""A step of training on packed rows: each sequence attended to by itself, against the mask, and against padding.

    python -m benchmarks.packed_rows

The starter language model with LoRA on all linear layers, in bfloat16 on one thread; sequences as long as orders are in
slots and tokens, three of four tokens of audio. Each column is forward and backward of the same sequences, which have
the same loss. The mask is what a user of `transformers` has without a GPU; so is padding, where nothing is packed.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from catalogs.config import parse_named
from training.interleaving.packing import Packable, inputs, pack
from training.padding import IGNORED
from training.speech_llm import answer_loss

CONTEXTS = (256, 1024, 2048)
LENGTHS = range(46, 90)
"""Of positions: so long that no two fit in a padded row."""
REPEATS = 3
MODEL = {
    "name": "smollm2",
    "dtype": "bfloat16",
    "lora": {
        "r": 16,
        "dropout": 0.0,
        "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    },
}


def main() -> None:
    torch.set_num_threads(1)
    lm = parse_named("synthgen.language_models", MODEL, field="name", source="benchmark").build().module
    lines = ["| positions | sequences | apart | by the mask | padded |", "|---:|---:|---:|---:|---:|"]
    for context in CONTEXTS:
        sequences = _sequences(context)
        apart, mask = (_step(lm, pack(sequences, context), by_mask=by_mask) for by_mask in (False, True))
        padded = _step(lm, pack(sequences, max(len(each.ids) for each in sequences)), by_mask=True)
        found = _seconds([apart, mask, padded])
        cells = [f"{found[0]:.2f} s", *(f"{each / found[0]:.2f}×" for each in found[1:])]
        lines.append(f"| {context:,} | {len(sequences)} | {' | '.join(cells)} |")
    print("\n".join(lines))


def _sequences(context: int) -> list[Packable]:
    """As many as fill a row."""
    random = torch.Generator().manual_seed(context)
    found: list[Packable] = []
    left = context
    while True:
        length = int(torch.randint(LENGTHS.start, LENGTHS.stop, (1,), generator=random))
        if length > left:
            return found
        ids = torch.randint(10, 49_000, (length,), generator=random).tolist()
        learned = length // 4
        found.append(Packable(ids, [-1] * length, [*[IGNORED] * (length - learned), *ids[length - learned :]]))
        left -= length


def _step(lm: Any, rows: dict[str, torch.Tensor], *, by_mask: bool) -> Callable[[], None]:
    labels = rows["labels"][:, 1:]
    learned = (labels != IGNORED).any(dim=0).nonzero()[:, 0]

    def step() -> None:
        text = lm.get_input_embeddings()(rows["ids"])
        given = inputs(lm, rows, text, text.new_zeros(0, text.shape[-1]))
        if by_mask:
            given.pop("sequences")
        logits = lm(**given, logits_to_keep=learned, use_cache=False).logits
        answer_loss(logits, labels[:, learned]).total.backward()

    return step


def _seconds(steps: Sequence[Callable[[], None]]) -> list[float]:
    """CPU seconds of each, the least of some, in turn so that a slow minute is everybody's."""
    found = [float("inf")] * len(steps)
    for _ in range(REPEATS + 1):
        for place, step in enumerate(steps):
            began = time.process_time()
            step()
            found[place] = min(found[place], time.process_time() - began)
    return found


if __name__ == "__main__":
    main()
