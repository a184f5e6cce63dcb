"""Whisper's decoder on the kept frames of an encoder: what `training.whisper_asr` tunes, without its encoder.

It hears the frames of an utterance and no others, where Whisper hears a window of 30 s with its padding; so it needs to
be tuned before it hears as well. In return the encoder runs once, an utterance costs what it is long, and the frames
may be anyone's: with a ``split`` they are latents, and the layers of the encoder above it are tuned with the decoder.

B utterances · T frames, padded · D width of the encoder · U tokens
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutput

from catalogs.errors import TrainingError
from catalogs.models.pretrained import packages
from training.answering import Answer, DecodingConfig
from training.backbones.encoders import Encoder
from training.backbones.split import UpperPart, upper_part
from training.modes import at_rest
from training.objective import Batch, Heard, Loss, Utterance
from training.padding import pad_features
from training.speech_llm import answer_loss
from training.whisper_text import WhisperText, Writes, check_room


@dataclass(frozen=True, slots=True)
class WhisperDecoderConfig:
    """The decoder of the starter ``whisper-tiny-en``, or of another ``checkpoint``, as in `WhisperTuningConfig`.

    ``split`` is the layer of the encoder whose features are heard, where the layers above are tuned too; with the last
    one, or without it, there are none. ``language`` is that of a multilingual model's texts. ``writes`` "labels" learns
    to write what is meant before what is said, and ``room`` is that of labels, both as in `WhisperTuningConfig`. The
    encoder should be that of the same Whisper: that its frames are as wide is all that can be seen.
    """

    hears: ClassVar[Heard] = Heard()

    method: Literal["whisper_decoder"] = "whisper_decoder"
    checkpoint: str = "whisper-tiny-en"
    revision: str | None = None
    language: str = "en"
    dropout: float = 0.0
    split: int | None = None
    writes: Writes = "text"
    room: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ValueError("whisper_decoder.dropout must be from 0 to below 1")
        if self.split is not None and self.split < 0:
            raise ValueError(f"whisper_decoder.split = {self.split}: expected the number of a layer, from 0")
        check_room(self.room)

    @property
    def asks_for_labels(self) -> bool:
        """Whether it learns to write them."""
        return self.writes == "labels"

    def build(self, encoder: Encoder, *, num_layers: int, seed: int) -> "WhisperDecoding":  # noqa: ARG002  # nothing random
        """Load it.

        Raises:
            ModelMissing: if its checkpoint is not to be had.
            EngineError: if that is no Whisper.
            TrainingError: if the encoder cannot be split there, or its frames are none for this decoder.
        """
        with packages(self.method, extra="train"):
            from training.backbones.whisper import load_whole_whisper, set_dropout
        upper = None if self.split is None else upper_part(encoder, self.split)
        whisper, _, tokenizer = load_whole_whisper(self.checkpoint, self.revision)
        if encoder.width != whisper.config.d_model:
            raise TrainingError(
                f"the decoder of {self.checkpoint} hears frames of width {whisper.config.d_model}, and the encoder "
                f"{encoder.name} has {encoder.width}: name the encoder of the same Whisper"
            )
        layer = encoder.num_layers if self.split is None else self.split
        made = WhisperDecoding(whisper, tokenizer, self, layer=layer, upper=upper)
        set_dropout(made.module, self.dropout)
        return made


class WhisperDecoderHead(nn.Module):
    """Frames (B, T, D), or latents with an upper part before the decoder; of the ``whisper`` the encoder is gone."""

    def __init__(self, whisper: Any, upper: UpperPart | None = None) -> None:
        super().__init__()
        self.upper = upper
        whisper.model.encoder = None
        self.whisper: Any = whisper.requires_grad_(requires_grad=True)

    def forward(self, frames: Tensor, lengths: Tensor, read: Tensor) -> Tensor:
        """Scores (B, U, vocabulary) of what comes after each of the tokens ``read`` (B, U)."""
        heard = BaseModelOutput(self.heard(frames, lengths))
        with self.attending(lengths, frames.shape[1]):
            scores: Tensor = self.whisper(encoder_outputs=heard, decoder_input_ids=read).logits
        return scores

    def heard(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """What the decoder hears of frames, of which the first ``lengths`` (B,) count."""
        return frames if self.upper is None else self.upper(frames, lengths)

    @contextmanager
    def attending(self, lengths: Tensor, num_frames: int) -> Iterator[None]:
        """Let the decoder attend to the first ``lengths`` (B,) of so many frames: Whisper itself has no mask for them.

        Of an utterance that is searched in several beams all hear the same.
        """
        dtype = self.whisper.dtype
        mask = torch.zeros(len(lengths), num_frames, dtype=dtype, device=lengths.device)
        mask = mask.masked_fill(~_is_heard(lengths, num_frames), torch.finfo(dtype).min)[:, None, None]

        def masked(_: nn.Module, args: tuple[Tensor], kwargs: dict[str, Any]) -> tuple[tuple[Tensor], dict[str, Any]]:
            beams = len(args[0]) // len(mask)
            return args, kwargs | {"attention_mask": mask.repeat_interleave(beams, dim=0)}

        layers = self.whisper.model.decoder.layers
        hooks = [layer.encoder_attn.register_forward_pre_hook(masked, with_kwargs=True) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


class WhisperDecoding:
    """The objective; see `Objective`. Its targets are the tokens of a text and the one that ends it."""

    def __init__(
        self, whisper: Any, tokenizer: Any, config: WhisperDecoderConfig, *, layer: int, upper: UpperPart | None = None
    ) -> None:
        """``layer`` of the encoder is what it hears features of."""
        self._config = config
        self._text = WhisperText(whisper, tokenizer, language=config.language, writes=config.writes, room=config.room)
        self.split, self.layers, self.upper = config.split, (layer,), upper
        self.module = WhisperDecoderHead(whisper, upper)

    @property
    def shape(self) -> Mapping[str, Any]:
        """What its parameters mean."""
        return {"split": self.split, "checkpoint": self._config.checkpoint, "language": self._config.language}

    def trained(self) -> Mapping[str, nn.Parameter]:
        """The decoder, and the upper part if there is one; the output layer is the embedding, and named once."""
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        """Pad frames and tokens.

        Raises:
            TrainingError: for an utterance without features, or with a text of more tokens than Whisper writes.
        """
        tensors = pad_features(utterances) | self.targets(utterances)
        return Batch.of(utterances, tensors)

    def targets(self, utterances: Sequence[Utterance]) -> dict[str, Tensor]:
        """See `WhisperText.targets`."""
        return self._text.targets(utterances)

    def loss(self, batch: Batch) -> Loss:
        """Its sum; ``correct`` of ``targets`` were the likeliest token."""
        return self.loss_on(batch.tensors["features"][:, -1].float(), batch.tensors["lengths"], batch)

    def loss_on(self, latents: Tensor, lengths: Tensor, batch: Batch) -> Loss:
        """The same on frames or latents (B, T, D), of which the first ``lengths`` (B,) are heard."""
        return answer_loss(self.module(latents, lengths, batch.tensors["read"]), batch.tensors["labels"])

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """What it hears, without the dropout of training.

        Raises:
            TrainingError: for an utterance without features.
        """
        if not utterances:
            return []
        whisper = self.module.whisper
        tensors = {name: tensor.to(whisper.device) for name, tensor in pad_features(utterances).items()}
        frames, lengths = tensors["features"][:, -1].float(), tensors["lengths"]
        take_ids = [utterance.take_id for utterance in utterances]
        with torch.inference_mode(), at_rest(self.module), self.module.attending(lengths, frames.shape[1]):
            heard = BaseModelOutput(self.module.heard(frames, lengths))
            mask = _is_heard(lengths, frames.shape[1])  # asked for, and not looked at
            given = {"encoder_outputs": heard, "attention_mask": mask.long()}
            return self._text.write(take_ids, lengths.tolist(), settings, module=whisper, heard=given)


def _is_heard(lengths: Tensor, num_frames: int) -> Tensor:
    """Which of so many frames are among the first ``lengths`` (B,), (B, T)."""
    return torch.arange(num_frames, device=lengths.device) < lengths[:, None]
