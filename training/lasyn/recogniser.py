"""A recogniser with a named split: ``encode_low`` makes latents of speech, ``decode_high`` what they lose for a text.

It is what the objectives `ctc`, `slu`, `transducer` and `whisper_decoder` train with a ``split``. One of them, but no
`slu`, frozen, is the guide: what tells a synthesiser, without any speech, whether its latents can be heard as its text.
The paper has a transducer or a decoder for it; with CTC there must be as many frames as characters, which synthesisers
see to.

B utterances · T frames, padded · D width of the encoder · M members
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from catalogs.config import parse
from catalogs.errors import TrainingError
from catalogs.stage import batched
from training import checkpoint
from training.answering import Answering, DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.frozen import freeze
from training.backbones.split import UpperPart
from training.checkpoint import Checkpoint
from training.ctc import Ctc, CtcConfig
from training.members import Member
from training.objective import Batch, Loss, Utterance
from training.transducer import TransducerConfig
from training.whisper_decoder import WhisperDecoderConfig


class FromLatents(Answering, Protocol):
    """An objective that goes on from latents, whoever has made them: one of those that are named above."""

    split: int | None
    upper: UpperPart | None

    @property
    def shape(self) -> Mapping[str, Any]:
        """What its parameters mean: its split, what it writes, its sizes."""
        ...

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """What is to be written, as tensors of a batch, with how many targets are whose as ``num_targets`` (B,).

        Raises:
            TrainingError: for a text that it cannot write.
        """
        ...

    def loss_on(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """What it loses on latents (B, T, D), of which the first ``lengths`` (B,) are heard, for targets of a batch."""
        ...


class RecogniserConfig(Protocol):
    """The recipe table of such an objective."""

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> FromLatents:
        """A new one. Raises as `training.tables.OnFeatures.build` does."""
        ...


GUIDES: Mapping[str, type[RecogniserConfig]] = {
    "ctc": CtcConfig,
    "transducer": TransducerConfig,
    "whisper_decoder": WhisperDecoderConfig,
}


GUIDE_FROM = "objective.guide_from"
"""The key of a recipe that names a guide."""

_AT_ONCE = 256
"""Texts whose targets are in memory while they are looked over."""


class SplitRecogniser:
    """An encoder up to its split, and what goes on from there."""

    has_positions = True

    def __init__(self, encoder: Encoder, head: FromLatents) -> None:
        if head.split is None:
            raise TrainingError("a recogniser in two parts needs a split: give it a layer of the encoder")
        self.split = head.split
        self.width = encoder.width
        self.encoder_id = encoder.id
        self.head = head
        self.module: nn.Module = head.module
        self._encoder = encoder

    def begin_as(self, guide: "SplitRecogniser") -> None:
        """Take over what a guide has learned: all of it, or the upper part of one that writes something else.

        Raises:
            TrainingError: if it goes on from another layer, is of the same kind and of another shape, or if there is no
                upper part to take over.
        """
        is_like = type(self.head) is type(guide.head)
        ours, theirs = (one.head.shape if is_like else {"split": one.split} for one in (self, guide))
        if other := [key for key in ours if ours[key] != theirs[key]]:
            have = " and ".join(f"{key} {theirs[key]!r}" for key in other)
            asked = " and ".join(f"{ours[key]!r}" for key in other)
            raise TrainingError(
                f"{GUIDE_FROM}: the guide has {have}, and this recipe's recogniser {asked}; give both the same"
            )
        if is_like:
            self.module.load_state_dict(guide.module.state_dict())
        elif self.head.upper is not None and guide.head.upper is not None:
            if not guide.head.upper.state_dict():
                raise TrainingError(
                    f"{GUIDE_FROM}: the guide writes something else, and above layer {self.split}, the encoder's last, "
                    "there is nothing that it has learned: give both an earlier split, or leave the guide out"
                )
            self.head.upper.load_state_dict(guide.head.upper.state_dict())

    @property
    def layers(self) -> tuple[int, ...]:
        """The layer of the encoder whose features are its latents."""
        return (self.split,)

    def low(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """See `Guide.low`: features of its layer are latents already."""
        return features[:, -1], lengths

    def targets(self, utterances: Sequence[Utterance], counts: Sequence[int]) -> dict[str, Tensor]:  # noqa: ARG002
        """See `Guide.targets`: what it writes does not depend on how long it hears."""
        return self.head.targets(utterances)

    def latents_needed(self, members: Sequence[Member]) -> Tensor:
        """How many latents the text of each member takes at least, (M,): see `Ctc.frames_needed`; others need none.

        Raises:
            TrainingError: for a text that it cannot write.
        """
        if isinstance(self.head, Ctc):
            return self.head.frames_needed(members)
        for part in batched(members, _AT_ONCE):
            self.head.targets([Utterance.unheard(member) for member in part])
        return torch.zeros(len(members), dtype=torch.long)

    def answers(self, utterances: Sequence[Utterance], latents: Sequence[Tensor]) -> list[str]:
        """See `Guide.answers`."""
        heard = [replace(each, features=row[None]) for each, row in zip(utterances, latents, strict=True)]
        return [answer.text for answer in self.head.answers(heard, DecodingConfig(beams=1))]

    def encode_low(self, waves: Sequence[Tensor]) -> list[Tensor]:
        """Latents (T, D) of waves at 16 kHz, without gradients: the lower part is always frozen."""
        return [features[0] for features in self._encoder.encode(waves, layers=(self.split,))]

    def decode_high(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """See `FromLatents.loss_on`."""
        return self.head.loss_on(latents, lengths, batch)


def guide(
    folder: str, encoder: Encoder, *, kinds: Mapping[str, type[RecogniserConfig]] = GUIDES, key: str = GUIDE_FROM
) -> SplitRecogniser:
    """A trained recogniser, frozen, out of the folder of its training or of a checkpoint; ``kinds`` by their methods.

    ``key`` is what names it, for errors.

    Raises:
        TrainingError: if there is none, it has no split, or it goes on from another encoder.
    """
    found = checkpoint.load(Path(folder))
    config = _config_of(found, kinds, key=key)
    check_encoder(found, encoder, key=key)
    head = config.build(encoder, num_layers=1, seed=0)
    checkpoint.restore(found, head.trained())
    freeze(head.module)
    return SplitRecogniser(encoder, head)


def any_of(kinds: Iterable[str]) -> str:
    """Methods, for people: "'ctc', 'transducer' or 'whisper_decoder'"."""
    *most, last = map(repr, kinds)
    return f"{', '.join(most)} or {last}"


def check_encoder(found: Checkpoint, encoder: Encoder, *, key: str) -> None:
    """Refuse what was trained on the latents of another encoder; ``key`` is what names it.

    Raises:
        TrainingError: if it was.
    """
    theirs = found.provenance.get("encoder")
    if theirs != encoder.id:
        raise TrainingError(
            f"{key}: {found.folder} goes on from another encoder ({theirs}) than what it is to go with ({encoder.id}): "
            "train both with the same [encoder]"
        )


def _config_of(found: Checkpoint, kinds: Mapping[str, type[RecogniserConfig]], *, key: str) -> RecogniserConfig:
    table = found.provenance.get("recipe", {}).get("objective", {})
    kind: Any = kinds.get(table.get("method"))
    if kind is None or table.get("split") is None:
        split = "" if kind is None else "without a split"
        raise TrainingError(
            f"{key}: {found.folder} is of method {table.get('method')!r} {split}".rstrip()
            + f": a guide is trained by method {any_of(kinds)} with a split"
        )
    known = {field.name for field in fields(kind)}
    here = {name: value for name, value in (("dropout", 0.0), ("guide_from", None)) if name in known}
    table = {name: value for name, value in table.items() if name != "masking"}  # which was of its training alone
    config: RecogniserConfig = parse(kind, {**table, **here}, source=str(found.folder))
    return config
