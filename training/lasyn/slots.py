"""Texts as slots of a language model, made on the fly: what was never said takes the place of audio.

P texts · N slots of all of them · W width of the language model
"""

from collections.abc import Sequence

from torch import Tensor

from training.backbones.encoding import inference
from training.lasyn.fixed import FixedProjection
from training.lasyn.matching import heard_frames
from training.lasyn.phones import PhoneReader, masked
from training.members import Member


class SlotMaker:
    """A synthesiser that stays as it is; of the phones it reads a share of ``mask`` is hidden."""

    def __init__(self, synthesiser: FixedProjection, reader: PhoneReader, *, mask: float) -> None:
        self._synthesiser = synthesiser.requires_grad_(requires_grad=False)
        self._reader, self._mask = reader, mask

    def look_over(self, members: Sequence[Member]) -> str:
        """Those of the members that are texts alone, see `PhoneReader.look_over`; takes are heard."""
        return self._reader.look_over([member for member in members if member.place is None])

    def read(self, texts: Sequence[str]) -> tuple[dict[str, Tensor], list[int]]:
        """The phones of texts, as `PhoneReader.read` has them, whose errors it raises; how many slots each becomes."""
        phones = self._reader.read(texts)
        counts: list[int] = self._synthesiser.output_lengths(phones["num_phones"]).tolist()
        return phones, counts

    def slots(self, phones: Tensor, num_phones: Tensor) -> Tensor:
        """The slots (N, W) of texts, one behind the other; each text is made by itself, and knows of no other."""
        with inference(self._synthesiser.to(phones.device)):
            made, lengths = self._synthesiser(masked(phones, self._mask), num_phones)
        return heard_frames(made, lengths)
