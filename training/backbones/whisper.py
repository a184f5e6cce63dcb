"""Whisper's encoder alone: log-mel windows of 30 s in, one frame for every 320 samples out.

Whisper was trained on windows of 30 s padded with silence, so every window is padded in full, and only then are the
frames of the padding dropped. Shorter windows are cheaper and not the same: against those of the full window, the
features of tiny.en differ by 17 to 50 % of their norm without padding, by 13 to 40 % with 2 s of it, and by 4 to 7 % in
a window of 25 s (clips of 0.8 to 4.7 s). In bfloat16 they differ by 1.6 %, at two thirds of the cost.

A wave of n samples has exactly ceil(n / 320) frames, 50 a second: frame t begins at sample 320 t, and the last one may
hold fewer samples than that.

A wave longer than the window is cut into equal parts of whole frames, which are heard apart; their frames add up to
the same number.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperModel, WhisperTokenizer
from transformers.models.whisper.modeling_whisper import (
    WhisperDecoder,
    WhisperDecoderLayer,
    WhisperEncoder,
    WhisperEncoderLayer,
)

from catalogs.errors import EngineError
from catalogs.models import artefacts, checkpoint_folder, checkpoint_sha256
from catalogs.models.pretrained import device_of, load_pretrained, told_plainly
from training.backbones.ctranslate2 import converted
from training.backbones.encoders import RATE_HZ, WhisperConfig
from training.backbones.encoding import SpeechEncoder, watched
from training.backbones.frozen import FILES, freeze

STEP = 320
"""Samples a frame: 160 a mel frame, two of which become one."""

_DROPPING = (WhisperEncoder, WhisperEncoderLayer, WhisperDecoder, WhisperDecoderLayer)
"""What looks at its configuration when it is made, and never again."""


def load_whisper(config: WhisperConfig) -> SpeechEncoder:
    """Load the encoder of a table.

    Raises:
        ModelMissing: if its checkpoint is not to be had.
        EngineError: if that is no Whisper.
    """
    folder, source = _folder_of(config.checkpoint, config.revision)
    whole = freeze(load_pretrained(WhisperModel, folder, dtype=config.dtype))
    with told_plainly(folder):
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
    family = WhisperFamily(whole.encoder.to(device_of(config.device)), extractor)
    return SpeechEncoder(family, name=config.name, source=source, settings={"dtype": config.dtype}, batch=config.batch)


def load_whole_whisper(checkpoint: str, revision: str | None) -> tuple[Any, Any, Any]:
    """Encoder and decoder, to be tuned, with their feature extractor and tokenizer.

    Raises:
        ModelMissing: if the checkpoint is not to be had.
        EngineError: if it is no Whisper.
    """
    folder, _ = _folder_of(checkpoint, revision)
    module = load_pretrained(WhisperForConditionalGeneration, folder, dtype="float32")
    with told_plainly(folder):
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
        tokenizer = WhisperTokenizer.from_pretrained(folder, local_files_only=True)
    return module, extractor, tokenizer


def _folder_of(checkpoint: str, revision: str | None) -> tuple[Path, str]:
    """Where a checkpoint lies in `transformers` form, converted if need be, and the hash it is known by."""
    pinned = {known.name: known.sha256 for known in artefacts()}
    if checkpoint in pinned:
        return converted(checkpoint), pinned[checkpoint]
    return checkpoint_folder(checkpoint, revision, files=FILES), checkpoint_sha256(checkpoint, revision)


def set_dropout(module: nn.Module, share: float) -> None:
    """Drop this share of what layers add in training, where there are any of Whisper's."""
    for part in module.modules():
        if isinstance(part, _DROPPING):
            part.dropout = share


class WhisperFamily:
    """Hears log-mel windows; ``module`` is a `transformers` WhisperEncoder.

    Raises:
        EngineError: if the extractor's windows are not what the module expects.
    """

    def __init__(self, module: Any, extractor: Any) -> None:
        config = module.config
        window = (extractor.sampling_rate, extractor.hop_length, extractor.n_samples, extractor.feature_size)
        expected = (RATE_HZ, STEP // 2, STEP * config.max_source_positions, config.num_mel_bins)
        if window != expected:
            raise EngineError(f"the feature extractor's rate, hop, window and bands are {window}, not {expected}")
        module.layerdrop = 0.0  # every layer must be there to be asked for
        self._extractor = extractor
        self._most_frames = int(config.max_source_positions)
        self._model = module
        self.module: nn.Module = module
        self.width = int(config.d_model)
        self.num_layers = int(config.encoder_layers)
        self.frame_rate_hz = RATE_HZ / STEP

    def num_frames(self, num_samples: int) -> int:
        """ceil(n / 320), for every length."""
        return -(-num_samples // STEP)

    def cut(self, wave: Tensor) -> list[Tensor]:
        """Equal parts of whole frames, each within the window."""
        num_frames = self.num_frames(len(wave))
        count = -(-num_frames // self._most_frames)
        ends = [num_frames * part // count * STEP for part in range(count)] + [len(wave)]
        return [wave[start:stop] for start, stop in pairwise(ends)]

    def hear(self, pieces: Sequence[Tensor], layers: Sequence[int]) -> list[Tensor]:
        """Features (L, T, D) of each piece."""
        like = next(self.module.parameters())
        mels = self._extractor(
            [piece.cpu().numpy() for piece in pieces],
            sampling_rate=RATE_HZ,
            return_tensors="pt",
            device=str(like.device),
        ).input_features  # (B, mel bands, mel frames of the window)
        with watched(self._model.layers, [layer for layer in layers if layer < self.num_layers]) as seen:
            seen[self.num_layers] = self._model(mels.to(like)).last_hidden_state
        whole = torch.stack([seen[layer] for layer in layers], dim=1)  # (B, L, frames of the window, D)
        return [frames[:, : self.num_frames(len(piece))] for frames, piece in zip(whole, pieces, strict=True)]
