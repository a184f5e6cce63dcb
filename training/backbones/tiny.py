"""Tiny random models of the true classes: everything but the meaning is there, in milliseconds."""

from typing import Any

from transformers import HubertConfig, WavLMConfig, WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from training.backbones.encoders import TinyEncoderConfig
from training.backbones.encoding import SpeechEncoder
from training.backbones.frozen import freeze, seeded, sha256_of_weights
from training.backbones.waves import MODELS, WaveFamily
from training.backbones.whisper import WhisperFamily

WINDOW_S = 2
"""What tiny Whisper hears at once."""

_SPREAD = 0.2
"""Standard deviation of weights: ten times what training starts with, so that every part of a wave is heard."""


def tiny_encoder(config: TinyEncoderConfig) -> SpeechEncoder:
    """Make the encoder of a table."""
    with seeded(config.seed):
        family = _whisper(config) if config.kind == "whisper" else _waves(config)
    return SpeechEncoder(
        family,
        name=config.name,
        source=sha256_of_weights(family.module),
        settings={"kind": config.kind},
        batch=config.batch,
    )


def _whisper(config: TinyEncoderConfig) -> WhisperFamily:
    shape = WhisperConfig(
        d_model=config.width,
        encoder_layers=config.num_layers,
        encoder_attention_heads=2,
        encoder_ffn_dim=2 * config.width,
        num_mel_bins=20,
        max_source_positions=50 * WINDOW_S,
        init_std=_SPREAD,
    )
    extractor: Any = WhisperFeatureExtractor
    return WhisperFamily(freeze(WhisperEncoder(shape)), extractor(feature_size=20, chunk_length=WINDOW_S))


def _waves(config: TinyEncoderConfig) -> WaveFamily:
    name, _, size = config.kind.partition("-")
    shapes: dict[str, Any] = {"wavlm": WavLMConfig, "hubert": HubertConfig}
    is_large = size == "large"
    shape = shapes[name](
        hidden_size=config.width,
        num_hidden_layers=config.num_layers,
        num_attention_heads=2,
        intermediate_size=2 * config.width,
        conv_dim=(16,) * 7,
        conv_bias=is_large,
        feat_extract_norm="layer" if is_large else "group",
        do_stable_layer_norm=is_large,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        initializer_range=_SPREAD,
    )
    return WaveFamily(freeze(MODELS[name](shape)), is_normalised=is_large)
