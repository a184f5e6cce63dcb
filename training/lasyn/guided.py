"""Text-only training of a synthesiser through a frozen guide: its latents are to be heard as the text they come from.

No speech is heard, nothing is aligned, and no latent is a target: argmin over P of L(G(P(phones of t)), t), G frozen.

B texts · P phones · T frames · D width of the encoder
"""

from collections.abc import Mapping, Sequence

from torch import nn

from training.lasyn.fixed import FixedProjection
from training.lasyn.phones import PhoneReader, masked
from training.lasyn.recogniser import SplitRecogniser
from training.objective import Batch, Loss, Utterance


class GuidedSynthesis:
    """The objective; see `Objective`. It takes texts, and looks at no audio; its targets are characters."""

    def __init__(self, guide: SplitRecogniser, synthesiser: FixedProjection, reader: PhoneReader, mask: float) -> None:
        self._guide, self._reader, self._mask = guide, reader, mask
        self.synthesiser = synthesiser
        self.module = nn.ModuleDict({"guide": guide.module, "synthesiser": synthesiser})

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The synthesiser."""
        return dict(self.synthesiser.named_parameters())

    def look_over(self, texts: Sequence[str]) -> str:
        """See `PhoneReader.look_over`."""
        return self._reader.look_over(texts)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Phones, and the characters that the guide is to hear.

        Raises:
            TrainingError: for a text without a pronunciation, or with a character that the guide does not write.
        """
        tensors = self._reader.batch(utterances) | self._guide.targets(utterances)
        return Batch(tensors, int(tensors["num_targets"].sum()), [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """What the guide loses on the latents of a batch; ``guessed`` are words that are in no dictionary."""
        tensors = batch.tensors
        latents, lengths = self.synthesiser(masked(tensors["phones"], self._mask), tensors["num_phones"])
        found = self._guide.loss(latents, lengths, batch)
        return Loss(found.total, {**found.watched, "guessed": tensors["num_guessed"].sum()})
