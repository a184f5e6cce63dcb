"""Text-only training of a synthesiser through a frozen guide: its latents are to be heard as the text they come from.

Nothing is aligned, and no latent is a target: argmin over P of L(G(P(phones of t)), t), G frozen. With matching, what
is made is pulled to real latents as well, all frames of a batch to all others; without it no speech is heard.

B texts · P phones · R real utterances · T frames · D width of the encoder
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from training.lasyn.fixed import FixedProjection
from training.lasyn.matching import MatchingConfig, heard_frames, matched
from training.lasyn.phones import PhoneReader, masked
from training.lasyn.recogniser import SplitRecogniser
from training.objective import Batch, Loss, Utterance
from training.padding import features_of


class GuidedSynthesis:
    """The objective; see `Objective`. It takes texts, those of takes as well; its targets are characters.

    With ``matching`` it also takes the features of real utterances, which must be latents of the guide's split.
    """

    def __init__(
        self,
        guide: SplitRecogniser,
        synthesiser: FixedProjection,
        reader: PhoneReader,
        *,
        mask: float,
        matching: MatchingConfig | None = None,
    ) -> None:
        self._guide, self._reader, self._mask = guide, reader, mask
        self._matching = matching if matching is not None and matching.weight else None
        self.split = None if self._matching is None else guide.split
        self.synthesiser = synthesiser
        self.module = nn.ModuleDict({"guide": guide.module, "synthesiser": synthesiser})

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The synthesiser."""
        return dict(self.synthesiser.named_parameters())

    def look_over(self, texts: Sequence[str]) -> str:
        """See `PhoneReader.look_over`."""
        return self._reader.look_over(texts)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Phones, and the characters that the guide is to hear; with matching, the latents of those that are real.

        Raises:
            TrainingError: for a text without a pronunciation, or with a character that the guide does not write.
        """
        tensors = self._reader.batch(utterances) | self._guide.head.targets(utterances)
        if self._matching is not None:
            tensors |= self._real(utterances)
        return Batch(tensors, int(tensors["num_targets"].sum()), [utterance.take_id for utterance in utterances])

    def loss(self, batch: Batch) -> Loss:
        """What the guide loses on the latents of a batch; ``guessed`` are words that are in no dictionary.

        ``matching`` is how far the made latents are from the real ones, and is added by its weight, for every target.
        """
        tensors = batch.tensors
        latents, lengths = self.synthesiser(masked(tensors["phones"], self._mask), tensors["num_phones"])
        found = self._guide.decode_high(latents, lengths, batch)
        watched = {**found.watched, "guessed": tensors["num_guessed"].sum()}
        if self._matching is None:
            return Loss(found.total, watched)
        real = heard_frames(tensors["real"], tensors["num_real"])
        apart = batch.num_targets * matched(heard_frames(latents, lengths), real, self._matching)
        return Loss(found.total + self._matching.weight * apart, {**watched, "matching": apart.detach()})

    def _real(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """``real`` (R, T, D), padded, and how many frames count as ``num_real`` (R,)."""
        rows = [features_of(u)[-1].float() for u in utterances if u.features is not None and not u.is_synthetic]
        return {
            "real": pad_sequence(rows, batch_first=True) if rows else torch.zeros(0, 0, self._guide.width),
            "num_real": torch.tensor([len(row) for row in rows], dtype=torch.long),
        }
