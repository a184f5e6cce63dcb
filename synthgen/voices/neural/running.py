"""Run a PyTorch voice: on which device, with repeatable settings, and lines in batches."""

import gc
import traceback
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from catalogs.errors import EngineError
from catalogs.records import Line
from synthgen.voice import Reading


@contextmanager
def repeatable(threads: int) -> Iterator[None]:
    """Inference whose sums are done in the same order every time, on this many threads.

    Raises:
        torch.OutOfMemoryError: as it came, once the device's memory has been given back for a smaller try.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    try:
        with torch.inference_mode(), cudnn:
            yield
    except torch.OutOfMemoryError as error:
        traceback.clear_frames(error.__traceback__)  # they hold the tensors of the failed try
        gc.collect()
        torch.cuda.empty_cache()
        raise
    finally:
        torch.set_num_threads(before)


def read_in_batches(
    lines: Sequence[Line],
    read: Callable[[list[Line]], list[Reading]],
    *,
    batch: int,
    empty: Reading,
    alike: Callable[[Line], Hashable] = lambda _: None,
) -> list[Reading]:
    """Read lines in their order, ``batch`` at a time, together only those that ``alike`` says go together.

    A line without text is not read at all: it gets the ``empty`` reading.
    """
    groups: dict[Hashable, list[int]] = {}
    for position, line in enumerate(lines):
        if line.text.strip():
            groups.setdefault(alike(line), []).append(position)
    readings = [empty] * len(lines)
    for positions in groups.values():
        for start in range(0, len(positions), batch):
            chunk = positions[start : start + batch]
            for position, reading in zip(chunk, read([lines[p] for p in chunk]), strict=True):
                readings[position] = reading
    return readings


def reading_of(wave: torch.Tensor, rate_hz: int, tokens: tuple[int, ...] | None = None) -> Reading:
    """A reading of a mono wave of any shape with one long axis; what exceeds [-1, 1] is clipped.

    Raises:
        EngineError: if the model gave NaN or infinite samples.
    """
    samples = wave.detach().float().cpu().numpy().reshape(-1)
    if not np.isfinite(samples).all():
        raise EngineError('the model gave NaN or infinite samples; try dtype = "float32"')
    return Reading(np.clip(samples, -1.0, 1.0), rate_hz, tokens)


def empty_reading(rate_hz: int, *, has_tokens: bool = False) -> Reading:
    """The reading of an empty text."""
    return Reading(np.zeros(0, np.float32), rate_hz, () if has_tokens else None)


class RowwiseDecoder(nn.Module):
    """A vocoder that decodes each row of a padded batch at its own length.

    A convolution's bias makes sound out of the padding behind a line, and its kernel carries that back
    into the line's last milliseconds; so no padding is decoded. A padded frame is exactly zero.
    """

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
        """Decode (B, C, T) latents, with (B or 1, D, 1) conditioning, to (B, 1, T·hop), padded with zeros."""
        frames = latents.ne(0).any(1).sum(1).clamp_(min=1).tolist()
        waves = []
        for row, num_frames in enumerate(frames):
            condition = g if g is None or len(g) == 1 else g[row : row + 1]
            waves.append(self.decoder(latents[row : row + 1, :, :num_frames], condition)[0, 0])
        return nn.utils.rnn.pad_sequence(waves, batch_first=True)[:, None]
