"""WavLM and HuBERT: raw waves in, one frame for about every 320 samples out, at 50 a second.

A wave of n samples goes through seven convolutions without padding, each of which makes
floor((n - kernel) / stride) + 1 of n: with the kernels of all published checkpoints that is floor((n - 400) / 320) + 1
frames, and none below 400 samples.

Checkpoints of the base size normalise the first convolution over time, so that padding behind a wave would change all
its frames; there every wave goes through the convolutions alone. The transformer hears them together, under a mask.

A wave longer than two minutes is cut into parts, which are heard apart.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoConfig, HubertModel, Wav2Vec2FeatureExtractor, WavLMModel

from catalogs.errors import EngineError, ModelMissing
from catalogs.models import checkpoint_folder, checkpoint_sha256
from catalogs.models.pretrained import device_of, load_pretrained, told_plainly
from training.backbones.encoders import RATE_HZ, WaveEncoderConfig
from training.backbones.encoding import SpeechEncoder, watched
from training.backbones.frozen import FILES, freeze

MODELS = {"wavlm": WavLMModel, "hubert": HubertModel}
"""The class of each table's model."""

LONGEST_S, PART_S = 120, 30
"""The longest wave that is heard at once, and the longest part of one that is not."""

_SPARE = ("masked_spec_embed",)
"""What pretraining masks frames with; nothing is masked here."""


def load_waves(config: WaveEncoderConfig) -> SpeechEncoder:
    """Load the encoder of a table.

    Raises:
        ModelMissing: if its checkpoint is not to be had, or does not say how waves are normalised.
        EngineError: if that is another model.
    """
    folder = checkpoint_folder(config.checkpoint, config.revision, files=FILES)
    with told_plainly(folder):
        found = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if found != config.name:
        raise EngineError(f'{config.checkpoint} is a {found}; set name = "{found}", or another checkpoint')
    module = freeze(load_pretrained(MODELS[config.name], folder, dtype=config.dtype, spare=_SPARE))
    is_normalised = _is_normalised(folder) if config.normalize is None else config.normalize
    family = WaveFamily(module.to(device_of(config.device)), is_normalised=is_normalised)
    return SpeechEncoder(
        family,
        name=config.name,
        source=checkpoint_sha256(config.checkpoint, config.revision),
        settings={"dtype": config.dtype, "normalize": is_normalised},
        batch=config.batch,
    )


class WaveFamily:
    """Hears raw waves; ``module`` is a WavLMModel or HubertModel.

    Raises:
        EngineError: for a checkpoint with an adapter behind the encoder, whose frames are others.
    """

    def __init__(self, module: Any, *, is_normalised: bool) -> None:
        config = module.config
        if getattr(config, "add_adapter", False):
            raise EngineError("this checkpoint has an adapter behind its encoder, which is not supported")
        config.layerdrop = 0.0  # every layer must be there to be asked for
        self._kernels = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        self._stride = prod(config.conv_stride)
        self._is_apart = config.feat_extract_norm == "group"
        extractor: Any = Wav2Vec2FeatureExtractor
        self._extractor = extractor(sampling_rate=RATE_HZ, do_normalize=is_normalised)
        self._model = module
        self.module: nn.Module = module
        self.width = int(config.hidden_size)
        self.num_layers = int(config.num_hidden_layers)
        self.frame_rate_hz = RATE_HZ / self._stride

    def num_frames(self, num_samples: int) -> int:
        """What the convolutions make of a length."""
        for kernel, stride in self._kernels:
            num_samples = max(0, (num_samples - kernel) // stride + 1)
        return num_samples

    def cut(self, wave: Tensor) -> list[Tensor]:
        """The wave as it is, or of one longer than two minutes equal parts of half a minute at most.

        Every frame attends to every other: memory grows with the square of what is heard at once. The parts' frames
        add up to those of the wave, so each part has all the samples that its last frame is made of.
        """
        if len(wave) <= LONGEST_S * RATE_HZ:
            return [wave]
        num_frames = self.num_frames(len(wave))
        count = -(-num_frames // (PART_S * RATE_HZ // self._stride))
        edges = [num_frames * part // count for part in range(count + 1)]
        beyond = self._frame_samples() - self._stride
        return [wave[start * self._stride : stop * self._stride + beyond] for start, stop in pairwise(edges)]

    def _frame_samples(self) -> int:
        """How many samples a frame is made of."""
        samples = 1
        for kernel, stride in reversed(self._kernels):
            samples = (samples - 1) * stride + kernel
        return samples

    def hear(self, pieces: Sequence[Tensor], layers: Sequence[int]) -> list[Tensor]:
        """Features (L, T, D) of each piece."""
        lengths = [self.num_frames(len(piece)) for piece in pieces]
        frames = pad_sequence(self._convolved(pieces, lengths), batch_first=True)  # (B, T, channels)
        positions = torch.arange(frames.shape[1], device=frames.device)
        mask = positions < torch.tensor(lengths, device=frames.device)[:, None]  # (B, T)
        projected = self._model.feature_projection(frames)
        if isinstance(projected, tuple):  # WavLM's comes with the frames it was made of
            projected = projected[0]
        with watched(self._model.encoder.layers, [layer for layer in layers if layer < self.num_layers]) as seen:
            seen[self.num_layers] = self._model.encoder(projected, attention_mask=mask).last_hidden_state
        whole = torch.stack([seen[layer] for layer in layers], dim=1)  # (B, L, T, D)
        return [features[:, :length] for features, length in zip(whole, lengths, strict=True)]

    def _convolved(self, pieces: Sequence[Tensor], lengths: Sequence[int]) -> list[Tensor]:
        """The convolutions' frames (T, channels) of each piece."""
        values = [self._values(piece) for piece in pieces]
        if self._is_apart:
            return [self._model.feature_extractor(value[None])[0].T for value in values]
        together = self._model.feature_extractor(pad_sequence(values, batch_first=True))  # (B, channels, T)
        return [frames[:, :length].T for frames, length in zip(together, lengths, strict=True)]

    def _values(self, piece: Tensor) -> Tensor:
        like = next(self.module.parameters())
        (values,) = self._extractor(piece.cpu().numpy(), sampling_rate=RATE_HZ).input_values
        return torch.from_numpy(values).to(like)


def _is_normalised(folder: Any) -> bool:
    with told_plainly(folder):
        try:
            extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        except OSError as error:
            raise ModelMissing(
                f"{folder} has no preprocessor_config.json; set `normalize`: true for the large checkpoints, "
                "false for the base ones"
            ) from error
    if extractor.sampling_rate != RATE_HZ:
        raise EngineError(f"{folder} hears {extractor.sampling_rate} Hz, not {RATE_HZ}")
    return bool(extractor.do_normalize)
