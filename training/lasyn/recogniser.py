"""A recogniser with a named split: ``encode_low`` makes latents of speech, ``decode_high`` makes text of latents.

It is what the objective `ctc` trains with a ``split``. Frozen, it is the guide: what tells a synthesiser, without any
speech, whether its latents can be heard as its text. The paper has a transducer or a decoder for it; with CTC there
must be as many frames as characters, which synthesisers see to.

B utterances · T frames, padded · D width of the encoder · V characters and the blank
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from catalogs.config import parse
from catalogs.errors import TrainingError
from training import checkpoint
from training.backbones.encoders import Encoder
from training.backbones.frozen import freeze
from training.checkpoint import Checkpoint
from training.ctc import Ctc, CtcConfig, CtcHead
from training.objective import Batch, Loss, Utterance


class SplitRecogniser:
    """An encoder up to its split, and what goes on from there."""

    def __init__(self, encoder: Encoder, ctc: Ctc) -> None:
        if ctc.split is None:
            raise TrainingError("a recogniser in two parts needs a split: give it a layer of the encoder")
        self.split = ctc.split
        self.width = encoder.width
        self.encoder_id = encoder.id
        self.ctc = ctc
        self.module: CtcHead = ctc.module
        self._encoder = encoder

    def begin_as(self, guide: "SplitRecogniser") -> None:
        """Take over what a guide has learned.

        Raises:
            TrainingError: if it goes on from another layer, or writes other characters.
        """
        ours, theirs = ((one.split, one.ctc.alphabet) for one in (self, guide))
        if ours != theirs:
            raise TrainingError(
                f"objective.guide_from: the guide has split {theirs[0]} and alphabet {theirs[1]!r}, and "
                f"objective.recogniser has {ours[0]} and {ours[1]!r}; give both the same"
            )
        self.module.load_state_dict(guide.module.state_dict())

    def encode_low(self, waves: Sequence[Tensor]) -> list[Tensor]:
        """Latents (T, D) of waves at 16 kHz, without gradients: the lower part is always frozen."""
        return [features[0] for features in self._encoder.encode(waves, layers=(self.split,))]

    def decode_high(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """Log probabilities (B, T, V) of latents (B, T, D), of which the first ``lengths`` (B,) are heard."""
        log_probs: Tensor = self.module(latents, lengths)
        return log_probs

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """Characters, strung together, as ``targets``, and how many are whose as ``num_targets`` (B,).

        Raises:
            TrainingError: for a text with a character that the recogniser does not write.
        """
        rows = [self.ctc.numbers(utterance) for utterance in utterances]
        return {
            "targets": torch.tensor([number for row in rows for number in row], dtype=torch.long),
            "num_targets": torch.tensor([len(row) for row in rows], dtype=torch.long),
        }

    def loss(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """What `ctc` loses on latents (B, T, D) for the targets of a batch."""
        heard = {name: batch.tensors[name] for name in ("targets", "num_targets")}
        return self.ctc.loss(Batch({"frames": latents, "num_frames": lengths, **heard}, batch.num_targets))


def guide(folder: str, encoder: Encoder) -> SplitRecogniser:
    """A trained recogniser, frozen, out of the folder of its training or of a checkpoint.

    Raises:
        TrainingError: if there is none, it has no split, or it goes on from another encoder.
    """
    found = checkpoint.load(Path(folder))
    config = _config_of(found)
    check_encoder(found, encoder, key="objective.guide_from")
    ctc = config.build(encoder, num_layers=1, seed=0)
    checkpoint.restore(found, ctc.trained())
    freeze(ctc.module)
    return SplitRecogniser(encoder, ctc)


def check_encoder(found: Checkpoint, encoder: Encoder, *, key: str) -> None:
    """Refuse what was trained on the latents of another encoder.

    Raises:
        TrainingError: if it was.
    """
    theirs = found.provenance.get("encoder")
    if theirs != encoder.id:
        raise TrainingError(
            f"{key}: {found.folder} goes on from another encoder ({theirs}) than this recipe names ({encoder.id}); "
            "give both the same [encoder]"
        )


def _config_of(found: Checkpoint) -> CtcConfig:
    table = found.provenance.get("recipe", {}).get("objective", {})
    if table.get("method") != "ctc" or table.get("split") is None:
        split = "without a split" if table.get("method") == "ctc" else ""
        raise TrainingError(
            f"objective.guide_from: {found.folder} is of method {table.get('method')!r} {split}".rstrip()
            + ": a guide is trained by method 'ctc' with a split"
        )
    return parse(CtcConfig, {**table, "dropout": 0.0}, source=str(found.folder))
