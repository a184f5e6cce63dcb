"""Dual-modality training: the upper part of a recogniser hears real latents, and those that texts become on the fly.

Which utterances are real and which are texts is the business of ``[data]``, and of ``sampling.texts``, whose shares are
the ratio and the curriculum: (1, 1, 0.5, 0.5) is the text first, then both. Of a text's phones, 30 % are masked, and
all of its words are to be written, so that the upper part learns what is likely to be said.

R real utterances · S texts · B = R + S · T frames, padded · D width of the encoder
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from catalogs.errors import TrainingError
from training.answering import Answer, DecodingConfig
from training.backbones.encoding import inference
from training.lasyn.autoencoder import heard
from training.lasyn.phones import PhoneReader, masked
from training.lasyn.recogniser import SplitRecogniser
from training.objective import Batch, Loss, Utterance
from training.padding import features_of


class DualTraining:
    """The objective; see `Objective`. Utterances with features are real, those without are texts.

    ``synthesiser`` maps phones (S, P) and their numbers (S,) to latents (S, T, D) and theirs, and stays as it is; None
    is for a recogniser that is trained already.
    """

    def __init__(
        self, recogniser: SplitRecogniser, synthesiser: nn.Module | None, reader: PhoneReader | None, mask: float
    ) -> None:
        self._recogniser, self._reader, self._mask = recogniser, reader, mask
        self._synthesiser = synthesiser
        self.split = recogniser.split
        self.module = nn.ModuleDict({"recogniser": recogniser.module})
        if synthesiser is not None:
            self.module["synthesiser"] = synthesiser.requires_grad_(requires_grad=False)

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The upper part and the head, named as `ctc` names them."""
        return self._recogniser.ctc.trained()

    def look_over(self, texts: Sequence[str]) -> str:
        """See `PhoneReader.look_over`."""
        return "" if self._reader is None else self._reader.look_over(texts)

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Latents of those that are real, phones of the texts, and the targets of first the ones, then the others.

        Raises:
            TrainingError: for a text where there is no synthesiser, or one without a pronunciation, or with a character
                that the recogniser does not write.
        """
        real = [utterance for utterance in utterances if utterance.features is not None]
        texts = [utterance for utterance in utterances if utterance.features is None]
        if self._reader is None:
            raise TrainingError("objective.synthesiser_from is missing: who is to make latents of texts?")
        rows = [features_of(utterance)[-1].float() for utterance in real]
        latents = pad_sequence(rows, batch_first=True) if rows else torch.zeros(0, 0, self._recogniser.width)
        tensors = {
            "latents": latents,  # (R, T, D)
            "num_latents": torch.tensor([len(row) for row in rows], dtype=torch.long),
            **self._reader.batch(texts),
            **self._recogniser.targets([*real, *texts]),
        }
        take_ids = [utterance.take_id for utterance in (*real, *texts)]
        return Batch(tensors, int(tensors["num_targets"].sum()), take_ids)

    def loss(self, batch: Batch) -> Loss:
        """That of `ctc`; ``made`` utterances were texts, and ``guessed`` words of theirs are in no dictionary."""
        tensors = batch.tensors
        latents, lengths = tensors["latents"], tensors["num_latents"]
        if len(tensors["phones"]):
            voices = _voices(latents, lengths, len(tensors["phones"]))
            made, num_made = self._made(tensors["phones"], tensors["num_phones"], voices)
            longest = max(latents.shape[1], made.shape[1])
            latents = torch.cat([_lengthened(part, longest) for part in (latents, made)])
            lengths = torch.cat([lengths, num_made])
        found = self._recogniser.loss(latents, lengths, batch)
        made_of = {"made": torch.tensor(len(tensors["phones"]), device=lengths.device)}
        return Loss(found.total, {**found.watched, **made_of, "guessed": tensors["num_guessed"].sum()})

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What is heard in real latents; see `Ctc.answers`."""
        return self._recogniser.ctc.answers(utterances, settings)

    def _made(self, phones: Tensor, num_phones: Tensor, voices: Tensor | None) -> tuple[Tensor, Tensor]:
        if self._synthesiser is None:
            raise TrainingError("objective.synthesiser_from is missing: who is to make latents of texts?")
        with inference(self._synthesiser):
            read = (masked(phones, self._mask), num_phones)
            hears = getattr(self._synthesiser, "hears_voices", False)
            latents, lengths = self._synthesiser(*read, voices) if hears else self._synthesiser(*read)
        return latents, lengths


def _voices(latents: Tensor, lengths: Tensor, count: int) -> Tensor | None:
    """Mean latents (S, D) of real utterances of the batch, drawn for as many texts; None if there are none."""
    if not len(latents):
        return None
    means = (latents * heard(latents, lengths)).sum(dim=1) / lengths[:, None]
    return means[torch.randint(len(means), (count,)).to(means.device)]


def _lengthened(latents: Tensor, length: int) -> Tensor:
    """Latents (B, T, D) with zeros behind, up to this length."""
    return pad(latents, (0, 0, 0, length - latents.shape[1]))
