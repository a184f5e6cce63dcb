"""Dual-modality training: the upper part of a recogniser hears real latents, and those that texts become on the fly.

Which utterances are real and which are texts is the business of ``[data]``, and of ``sampling.texts``, whose shares are
the ratio and the curriculum: (1, 1, 0.5, 0.5) is the text first, then both. Of a text's phones, 30 % are masked, and
all of its words are to be written, so that the upper part learns what is likely to be said.

The recogniser may be any that goes on from latents: `ctc`, `transducer`, `whisper_decoder`, or `slu`. What `slu` and a
`whisper_decoder` that writes labels learn from are texts with labels.

R heard utterances · S texts · B = R + S · T frames, padded · D width of the encoder
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from training.answering import Answer, DecodingConfig
from training.backbones.encoding import inference
from training.lasyn.autoencoder import heard
from training.lasyn.fixed import FixedProjection
from training.lasyn.phones import PhoneReader, masked, no_phones
from training.lasyn.recogniser import SplitRecogniser
from training.lasyn.room import told_of_room
from training.members import Member
from training.objective import Batch, Loss, Utterance
from training.padding import features_of

_NOBODY = "objective.synthesiser_from is missing: who is to make latents of texts?"


class DualTraining:
    """The objective; see `Objective`. Utterances with features are heard, those without are texts.

    ``synthesiser`` maps phones (S, P) and their numbers (S,) to latents (S, T, D) and theirs, and stays as it is; None
    is for a recogniser that hears alone.
    """

    def __init__(
        self,
        recogniser: SplitRecogniser,
        synthesiser: nn.Module | None,
        reader: PhoneReader | None,
        mask: float,
    ) -> None:
        self._recogniser, self._reader, self._mask = recogniser, reader, mask
        self._synthesiser = synthesiser
        self.split = recogniser.split
        self.module = nn.ModuleDict({"recogniser": recogniser.module})
        if synthesiser is not None:
            self.module["synthesiser"] = synthesiser.requires_grad_(requires_grad=False)

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The upper part and the head, named as the recogniser's own method names them."""
        return self._recogniser.head.trained()

    def look_over(self, members: Sequence[Member]) -> str:
        """See `PhoneReader.look_over`; it reads texts alone, and writes those of takes and all labels.

        Raises:
            TrainingError: for what the recogniser cannot write, or if most texts have no room in what is made of them,
                or if there is no synthesiser for them.
        """
        self._recogniser.latents_needed([member for member in members if member.place is not None])
        texts = [member for member in members if member.place is None]
        if not texts:
            return ""
        reader = self._there_to_read()
        told, needed = reader.look_over(texts), self._recogniser.latents_needed(texts)
        if isinstance(self._synthesiser, FixedProjection):
            told += told_of_room(needed, texts, synthesiser=self._synthesiser, reader=reader)
        return told

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Latents of those that are heard, phones of the texts, and the targets of first the ones, then the others.

        Raises:
            TrainingError: for a text where there is no synthesiser, or one without a pronunciation, or that the
                recogniser cannot write.
        """
        heard_ones = [utterance for utterance in utterances if utterance.features is not None]
        texts = [utterance for utterance in utterances if utterance.features is None]
        rows = [features_of(utterance)[-1].float() for utterance in heard_ones]
        latents = pad_sequence(rows, batch_first=True) if rows else torch.zeros(0, 0, self._recogniser.width)
        tensors = {
            "latents": latents,  # (R, T, D)
            "num_latents": torch.tensor([len(row) for row in rows], dtype=torch.long),
            "is_real": torch.tensor([not utterance.is_synthetic for utterance in heard_ones], dtype=torch.bool),
            **(self._there_to_read().batch(texts) if texts else no_phones()),
            **self._recogniser.head.targets([*heard_ones, *texts]),
        }
        return Batch.of([*heard_ones, *texts], tensors)

    def loss(self, batch: Batch) -> Loss:
        """The recogniser's; ``made`` utterances were texts, and ``guessed`` words of theirs are in no dictionary."""
        tensors = batch.tensors
        latents, lengths = tensors["latents"], tensors["num_latents"]
        if len(tensors["phones"]):
            voices = _voices(latents, lengths, tensors["is_real"], count=len(tensors["phones"]))
            phones = masked(tensors["phones"], self._mask)
            made, num_made = self._made(phones, tensors["num_phones"], voices)
            longest = max(latents.shape[1], made.shape[1])
            latents = torch.cat([_lengthened(part, longest) for part in (latents, made)])
            lengths = torch.cat([lengths, num_made])
        found = self._recogniser.decode_high(latents, lengths, batch)
        made_of = {"made": torch.tensor(len(tensors["phones"]), device=lengths.device)}
        return Loss(found.total, {**found.watched, **made_of, "guessed": tensors["num_guessed"].sum()})

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What is heard in latents, and in those made of texts, as the recogniser's own method answers.

        Texts are made without masks, and where the synthesiser is told voices, without any.

        Raises:
            TrainingError: for a text where there is no synthesiser, or one without a pronunciation.
        """
        return self._recogniser.head.answers(self._with_latents(utterances), settings)

    def _with_latents(self, utterances: Sequence[Utterance]) -> list[Utterance]:
        texts = [utterance for utterance in utterances if utterance.features is None]
        if not texts:
            return list(utterances)
        reader = self._there_to_read()
        device = next(self._recogniser.module.parameters()).device
        read = reader.batch(texts)
        made, lengths = self._made(read["phones"].to(device), read["num_phones"].to(device), None)
        rows = iter([row[None, :length].cpu() for row, length in zip(made, lengths.tolist(), strict=True)])
        return [each if each.features is not None else replace(each, features=next(rows)) for each in utterances]

    def _there_to_read(self) -> PhoneReader:
        if self._reader is None:
            raise TrainingError(_NOBODY)
        return self._reader

    def _made(self, phones: Tensor, num_phones: Tensor, voices: Tensor | None) -> tuple[Tensor, Tensor]:
        if self._synthesiser is None:
            raise TrainingError(_NOBODY)
        with inference(self._synthesiser):
            read = (phones, num_phones)
            hears = getattr(self._synthesiser, "hears_voices", False)
            latents, lengths = self._synthesiser(*read, voices) if hears else self._synthesiser(*read)
        return latents, lengths


def _voices(latents: Tensor, lengths: Tensor, is_real: Tensor, *, count: int) -> Tensor | None:
    """Mean latents (S, D) of heard utterances of the batch, drawn for as many texts; None if there are none.

    They are those of real utterances (R,), so that made latents are led to real voices; of synthetic ones where a batch
    has no real one.
    """
    if not len(latents):
        return None
    means = (latents * heard(latents, lengths)).sum(dim=1) / lengths[:, None]
    if bool(is_real.any()):
        means = means[is_real]
    return means[torch.randint(len(means), (count,)).to(means.device)]


def _lengthened(latents: Tensor, length: int) -> Tensor:
    """Latents (B, T, D) with zeros behind, up to this length."""
    return pad(latents, (0, 0, 0, length - latents.shape[1]))
