"""Texts as slots of a language model, made on the fly: what was never said takes the place of audio.

P texts · N slots of all of them · W width of the language model
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from training.backbones.encoding import inference
from training.lasyn.fixed import FixedProjection
from training.lasyn.phones import PhoneReader, masked


class SlotMaker:
    """A synthesiser that stays as it is; of the phones it reads a share of ``mask`` is hidden."""

    def __init__(self, synthesiser: FixedProjection, reader: PhoneReader, *, mask: float) -> None:
        self.module = synthesiser.requires_grad_(requires_grad=False)
        self._reader, self._mask = reader, mask

    def look_over(self, texts: Sequence[str]) -> str:
        """See `PhoneReader.look_over`."""
        return self._reader.look_over(texts)

    def read(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """The phones of texts; see `PhoneReader.read`, whose errors it raises."""
        return self._reader.read(texts)

    def counts(self, texts: Sequence[str]) -> list[int]:
        """How many slots each text becomes. Raises as `read` does."""
        counts: list[int] = self.module.output_lengths(self.read(texts)["num_phones"]).tolist()
        return counts

    def slots(self, phones: Tensor, num_phones: Tensor) -> Tensor:
        """The slots (N, W) of texts, one behind the other; each text is made by itself, and knows of no other."""
        with inference(self.module):
            made, lengths = self.module(masked(phones, self._mask), num_phones)
        found: Tensor = made[torch.arange(made.shape[1], device=made.device) < lengths[:, None]]
        return found
