"""Guides: frozen recognisers that synthesisers are trained through, each with latents of its own kind.

One of `ctc`, `transducer` or `whisper_decoder` with a split hears a layer of its encoder; a language model that
listens, of `slam_asr`, `grpo` or `jstip`, hears the slots of its projector. What is made for the one is nothing to the
other.

B utterances · L encoder layers · T frames · D width of the encoder · N latents, padded · W their width
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from catalogs.errors import TrainingError
from training import checkpoint
from training.backbones.encoders import Encoder
from training.lasyn.listening import LISTENERS, Listener, listener, method_of
from training.lasyn.recogniser import GUIDE_FROM, SplitRecogniser, guide
from training.objective import Batch, Loss, Utterance


class Guide(Protocol):
    """What hears latents, and knows those of real speech. It is frozen."""

    module: nn.Module
    width: int
    has_positions: bool
    """Whether its latents carry where they stand, as those of a Transformer's encoder do."""

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers of the encoder from whose features its latents are made."""
        ...

    def low(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (B, N, W) of features (B, L, T, D), and how many of each count, (B,)."""
        ...

    def targets(self, utterances: Sequence[Utterance], counts: Sequence[int]) -> dict[str, Tensor]:
        """What is to be written, as tensors of a batch, if utterances are so many latents.

        ``num_targets`` (B,) says how many targets are whose.

        Raises:
            TrainingError: for a text that it cannot write.
        """
        ...

    def decode_high(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """What it loses on latents (B, N, W), of which the first ``lengths`` (B,) count, for targets of a batch."""
        ...

    def answers(self, utterances: Sequence[Utterance], latents: Sequence[Tensor]) -> list[str]:
        """What it hears in latents (N, W) of utterances, whose own features and texts are not looked at."""
        ...


def guide_in(folder: str, encoder: Encoder, *, key: str = GUIDE_FROM) -> Listener | SplitRecogniser:
    """The guide in the folder of a training or of a checkpoint; ``key`` is what names it, for errors.

    Raises:
        TrainingError: if there is none, it goes on from another encoder, or writes more than texts.
        EngineError: if its language model is not to be had.
    """
    found = checkpoint.load(Path(folder))
    if found.provenance.get("recipe", {}).get("objective", {}).get("writes") == "labels":
        raise TrainingError(
            f"{key}: {found.folder} writes labels, and a guide tells whether a text is heard: name the "
            "recogniser that it began as, or another that writes texts"
        )
    return listener(found, encoder, key=key) if method_of(found) in LISTENERS else guide(folder, encoder, key=key)
