"""Text-only training of a synthesiser through a frozen guide: its latents are to be heard as the text they come from.

Nothing is aligned, and no latent is a target: argmin over P of L(G(P(phones of t)), t), G frozen. With matching, what
is made is pulled to real latents as well, all frames of a batch to all others; without it no speech is heard.

B texts · P phones · R real utterances · T frames · N latents · W their width · M members
"""

from collections.abc import Mapping, Sequence

from torch import nn

from training.lasyn.fixed import FixedProjection
from training.lasyn.guides import Guide
from training.lasyn.matching import MatchingConfig, heard_frames, matched
from training.lasyn.phones import PhoneReader, masked
from training.lasyn.recogniser import SplitRecogniser
from training.lasyn.room import told_of_room
from training.members import Member
from training.objective import Batch, Loss, Utterance
from training.padding import pad_features


class GuidedSynthesis:
    """The objective; see `Objective`. It takes texts, those of takes as well; its targets are those of the guide.

    With ``matching`` it also takes the features of real utterances, of the ``layers`` that the guide hears.
    """

    def __init__(
        self,
        guide: Guide,
        synthesiser: FixedProjection,
        reader: PhoneReader,
        *,
        mask: float,
        matching: MatchingConfig | None = None,
    ) -> None:
        self._guide, self._reader, self._mask = guide, reader, mask
        self._matching = matching if matching is not None and matching.weight else None
        self.layers = None if self._matching is None else guide.layers
        self.synthesiser = synthesiser
        self.module = nn.ModuleDict({"guide": guide.module, "synthesiser": synthesiser})

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The synthesiser."""
        return dict(self.synthesiser.named_parameters())

    def look_over(self, members: Sequence[Member]) -> str:
        """See `PhoneReader.look_over`; it reads the texts of takes as well, and the guide of an encoder writes them.

        Raises:
            TrainingError: for a text that the guide cannot write, or if most have no room in what is made of them.
        """
        told = self._reader.look_over(members)
        if not isinstance(self._guide, SplitRecogniser):
            return told
        needed = self._guide.latents_needed(members)
        return told + told_of_room(needed, members, synthesiser=self.synthesiser, reader=self._reader)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Phones, and the characters that the guide is to hear; with matching, the latents of those that are real.

        Raises:
            TrainingError: for a text without a pronunciation, or that the guide cannot write.
        """
        tensors = self._reader.batch(utterances)
        counts = self.synthesiser.output_lengths(tensors["num_phones"]).tolist()
        tensors |= self._guide.targets(utterances, counts)
        real = [each for each in utterances if each.features is not None and not each.is_synthetic]
        if self._matching is not None and real:
            tensors |= pad_features(real)
        return Batch.of(utterances, tensors)

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
        apart = latents.new_zeros(())
        if "features" in tensors:
            real = heard_frames(*self._guide.low(tensors["features"], tensors["lengths"]))
            apart = batch.num_targets * matched(heard_frames(latents, lengths), real, self._matching)
        return Loss(found.total + self._matching.weight * apart, {**watched, "matching": apart.detach()})
