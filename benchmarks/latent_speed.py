"""What latents of texts cost, end to end in one row, and as a padded batch goes through plain convolutions.

    python -m benchmarks.latent_speed

Made-up orders of coffee in batches of 32, on one core; the weights are untrained, which changes no cost.
"""

import time
from collections.abc import Callable, Sequence
from itertools import islice

import torch
from torch import Tensor
from torch.nn.functional import conv1d

from benchmarks.slam_asr.orders import orders
from training.lasyn.fixed import FixedProjection, FixedProjectionConfig
from training.lasyn.phones import PhoneReader

NUM_TEXTS, BATCH, WIDTH, ROUNDS = 256, 32, 384, 3

Batches = Sequence[tuple[Tensor, Tensor]]


def measure() -> str:
    """CPU seconds a text, as Markdown."""
    torch.set_num_threads(1)
    reader, texts = PhoneReader("read"), [str(row["text"]) for row in islice(orders(NUM_TEXTS, seed=1), NUM_TEXTS)]
    read = [reader.read(texts[start : start + BATCH]) for start in range(0, NUM_TEXTS, BATCH)]
    batches = [(each["phones"], each["num_phones"]) for each in read]
    config = FixedProjectionConfig()
    made = config.build(width=WIDTH, seed=0).eval()

    def padded(phones: Tensor, num_phones: Tensor) -> Tensor:
        return _padded(made, phones, num_phones, config.frames_per_phone)

    with torch.inference_mode():
        plain_s, ours_s = _cpu_s(padded, batches), _cpu_s(made, batches)
    lines = ["| latents of a text | CPU s |", "|---|---:|"]
    lines.append(f"| a padded batch, plain convolutions | {plain_s:.4f} |")
    lines.append(f"| end to end | {ours_s:.4f}, {plain_s / ours_s:.1f} times as fast |")
    return "\n".join(lines)


def _padded(made: FixedProjection, phones: Tensor, num_phones: Tensor, repeats: int) -> Tensor:
    """The same latents, but for positions."""
    frames = made.embedding(phones).repeat_interleave(repeats, dim=1)
    heard = (torch.arange(frames.shape[1]) < made.output_lengths(num_phones)[:, None])[..., None]
    for learned, norm in zip(made.layers, made.norms, strict=True):
        weight, bias = learned.get_parameter("weight"), learned.get_parameter("bias")
        frames = norm(conv1d((frames * heard).transpose(1, 2), weight, bias, padding="same").transpose(1, 2).relu())
    return made.out(frames) * heard


def _cpu_s(make: Callable[[Tensor, Tensor], object], batches: Batches) -> float:
    """CPU seconds of a text, the best of some rounds; the first batch warms and does not count."""
    make(*batches[0])
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for batch in batches:
            make(*batch)
        spent.append(time.process_time() - began)
    return min(spent) / sum(len(phones) for phones, _ in batches)


if __name__ == "__main__":
    print(measure())
