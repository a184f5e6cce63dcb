"""The voices that `transformers` loads, as tiny random models of their true classes, loaded from a folder.

Weights are drawn wider than a training run would start with, so that text, speaker and chance are heard.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synthgen.voice import VoiceConfig
from synthgen.voices.bark import BarkConfig
from synthgen.voices.mms import MmsConfig
from synthgen.voices.speecht5 import SpeechT5Config

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def mms(folder: Path) -> MmsConfig:
    """Two speakers, letters in."""
    import torch
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    torch.manual_seed(0)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({letter: index for index, letter in enumerate(f"|{LETTERS} '-")}))
    options = {"pad_token": "|", "unk_token": "-", "language": "eng", "phonemize": False}
    VitsTokenizer(vocabulary, **options).save_pretrained(folder)
    shape = VitsConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16, flow_size=8,
        spectrogram_bins=9, prior_encoder_num_flows=1, prior_encoder_num_wavenet_layers=1,
        posterior_encoder_num_wavenet_layers=1, wavenet_dilation_rate=1, depth_separable_num_layers=1,
        duration_predictor_num_flows=1, upsample_initial_channel=16, upsample_rates=[8, 4],
        upsample_kernel_sizes=[16, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]],
        speaker_embedding_size=8, num_speakers=2,
    )  # fmt: skip
    VitsModel(shape).save_pretrained(folder)
    return MmsConfig(checkpoint=str(folder), language="eng", speakers=("0", "1"), batch=4, device="cpu")


def speecht5(folder: Path) -> SpeechT5Config:
    """Two x-vectors of eight numbers."""
    import sentencepiece
    import torch
    from transformers import (
        SpeechT5Config as Shape,
    )
    from transformers import (
        SpeechT5ForTextToSpeech,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
        SpeechT5Tokenizer,
    )

    torch.manual_seed(0)
    model, vocoder, xvectors = (folder / name for name in ("model", "vocoder", "xvectors"))
    for part in (model, vocoder, xvectors):
        part.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([LETTERS, f"{LETTERS[::-1]} '?"]),
        model_prefix=str(model / "spm_char"),
        model_type="char",
        vocab_size=64,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    tokenizer = SpeechT5Tokenizer(str(model / "spm_char.model"))
    tokenizer.save_pretrained(model)
    shape = Shape(
        vocab_size=len(tokenizer), hidden_size=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        num_mel_bins=8, speech_decoder_prenet_units=16, speech_decoder_postnet_units=8,
        speech_decoder_postnet_layers=2, max_speech_positions=24, max_text_positions=200,
        speaker_embedding_dim=8, reduction_factor=2, initializer_range=0.5,
    )  # fmt: skip
    whole = SpeechT5ForTextToSpeech(shape)
    torch.nn.init.constant_(whole.speech_decoder_postnet.prob_out.bias, -9.0)  # it would stop at once
    whole.save_pretrained(model)
    hifigan = SpeechT5HifiGanConfig(
        model_in_dim=8, upsample_initial_channel=8, upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16],
        resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1]], initializer_range=0.2,
    )  # fmt: skip
    SpeechT5HifiGan(hifigan).save_pretrained(vocoder)
    for index, name in enumerate(("anna", "bela")):
        np.save(xvectors / f"{name}.npy", np.random.default_rng(index).normal(size=8).astype(np.float32))
    return SpeechT5Config(
        checkpoint=str(model),
        vocoder=str(vocoder),
        xvectors=str(xvectors),
        speakers=("anna", "bela"),
        batch=4,
        device="cpu",
    )


def bark(folder: Path) -> BarkConfig:
    """Two presets to speak with and one more to borrow; 64 semantic codes, books of 32."""
    import torch
    from transformers import (
        BarkCoarseConfig,
        BarkFineConfig,
        BarkModel,
        BarkSemanticConfig,
        BertTokenizer,
        EncodecConfig,
        GenerationConfig,
    )
    from transformers import (
        BarkConfig as Shape,
    )

    torch.manual_seed(0)
    model, presets = folder / "model", folder / "presets"
    model.mkdir()
    (presets / "v2").mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{a}" for a in LETTERS), *",.?!'"]
    (model / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(model / "vocab.txt")).save_pretrained(model)
    size = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "initializer_range": 0.6}
    semantic = BarkSemanticConfig(block_size=700, input_vocab_size=172, output_vocab_size=66, **size)
    coarse = BarkCoarseConfig(block_size=400, input_vocab_size=140, output_vocab_size=140, **size)
    fine = BarkFineConfig(block_size=128, input_vocab_size=33, output_vocab_size=33, **size)
    codec = EncodecConfig(hidden_size=8, num_filters=2, codebook_size=32, codebook_dim=8, target_bandwidths=[6.0])
    parts = {"semantic": semantic, "coarse_acoustics": coarse, "fine_acoustics": fine, "codec": codec}
    whole = BarkModel(Shape(**{f"{name}_config": part.to_dict() for name, part in parts.items()}))
    for layer in whole.codec_model.quantizer.layers:
        torch.nn.init.normal_(layer.codebook.embed, std=3.0)
    whole.generation_config = GenerationConfig(
        sample_rate=24_000,
        codebook_size=32,
        semantic_config={
            "eos_token_id": 64, "pad_token_id": 64, "max_new_tokens": 16, "semantic_vocab_size": 64,
            "text_encoding_offset": 66, "text_pad_token": 170, "semantic_infer_token": 171,
            "max_input_semantic_length": 600,
        },
        coarse_acoustics_config={
            "coarse_semantic_pad_token": 130, "coarse_infer_token": 131, "max_coarse_input_length": 64,
            "max_coarse_history": 60, "sliding_window_len": 20,
        },
        fine_acoustics_config={"max_fine_history_length": 64, "max_fine_input_length": 128},
    )  # fmt: skip
    whole.save_pretrained(model)
    draws = np.random.default_rng(0)
    for name in ("anna", "bela", "carl"):
        np.savez(
            presets / "v2" / f"{name}.npz",
            semantic_prompt=draws.integers(0, 64, 40),
            coarse_prompt=draws.integers(0, 32, (2, 60)),
            fine_prompt=draws.integers(0, 32, (8, 60)),
        )
    return BarkConfig(
        checkpoint=str(model),
        presets=str(presets),
        speakers=("v2/anna", "v2/bela"),
        styles=("v2/carl",),
        min_eos_p=0.5,
        batch=4,
        device="cpu",
    )


MAKERS: tuple[Callable[[Path], VoiceConfig], ...] = (mms, speecht5, bark)
CASES = [pytest.param(maker, id=maker.__name__) for maker in MAKERS]
