"""The voices that Coqui's library loads, as tiny random models of their true classes, in folders as published."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from synthgen.voice import VoiceConfig
from synthgen.voices.coqui import CoquiConfig

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def xtts(folder: Path) -> CoquiConfig:
    """A speaker with one recording and one with two, and a third to borrow; 32 speech codes."""
    import torch
    from tokenizers import Tokenizer, models
    from TTS.tts.configs.xtts_config import XttsArgs
    from TTS.tts.configs.xtts_config import XttsConfig as Shape
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
    from TTS.tts.models.xtts import Xtts

    torch.manual_seed(0)
    model, references = folder / "model", folder / "references"
    model.mkdir()
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]"]
    vocabulary = {token: index for index, token in enumerate([*special, *LETTERS, *".,?!'"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token=special[1]))
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(model / "vocab.json"))
    size = XttsArgs(
        gpt_layers=2, gpt_n_model_channels=32, gpt_n_heads=2, gpt_max_audio_tokens=16,
        gpt_max_text_tokens=300, gpt_num_audio_tokens=34, gpt_start_audio_token=32, gpt_stop_audio_token=33,
        gpt_code_stride_len=256, gpt_use_perceiver_resampler=True, decoder_input_dim=32,
    )  # fmt: skip
    shape = Shape(model_args=size, languages=["en"])
    shape.save_json(str(model / "config.json"))
    whole = Xtts(shape)
    whole.tokenizer = VoiceBpeTokenizer(vocab_file=model / "vocab.json")
    whole.init_models()
    for weights in whole.gpt.parameters():
        if weights.ndim > 1:
            torch.nn.init.normal_(weights, std=0.3)
    # As published: with its settings beside its tensors, and a speaker that it brings itself.
    torch.save({"model": whole.state_dict(), "config": shape}, model / "model.pth")
    brought = {"gpt_cond_latent": torch.randn(1, 32, 32), "speaker_embedding": torch.randn(1, 512, 1)}
    torch.save({"dora": brought}, model / "speakers_xtts.pth")
    (references / "bela").mkdir(parents=True)
    recording(references / "anna.wav", hz=110, rate_hz=16_000)
    recording(references / "bela" / "1.flac", hz=220, rate_hz=24_000)
    recording(references / "bela" / "2.flac", hz=230, rate_hz=24_000)
    recording(references / "carl.wav", hz=330, rate_hz=22_050)
    return CoquiConfig(
        checkpoint=str(model),
        references=str(references),
        speakers=("anna", "bela", "dora"),
        styles=("carl",),
        repetition_penalty=1.0,
        top_p=1.0,
        batch=4,
        device="cpu",
    )


def recording(path: Path, *, hz: float, rate_hz: int) -> None:
    """A second of a hum with breath in it."""
    draws = np.random.default_rng(int(hz))
    times_s = np.arange(rate_hz) / rate_hz
    hum = sum(np.sin(2 * np.pi * hz * overtone * times_s) / overtone for overtone in range(1, 6))
    soundfile.write(path, 0.1 * hum + 0.02 * draws.normal(size=rate_hz), rate_hz)


def coqui_vits(folder: Path) -> CoquiConfig:
    """Two speakers, letters in."""
    import torch
    from TTS.config.shared_configs import BaseAudioConfig
    from TTS.tts.configs.shared_configs import CharactersConfig
    from TTS.tts.configs.vits_config import VitsArgs, VitsConfig
    from TTS.tts.models.vits import Vits

    torch.manual_seed(0)
    (folder / "speakers.json").write_text('{"p225": 0, "p226": 1}')
    size = VitsArgs(
        hidden_channels=16, hidden_channels_ffn_text_encoder=16, num_heads_text_encoder=2,
        num_layers_text_encoder=1, num_layers_flow=1, num_layers_posterior_encoder=1, out_channels=65,
        upsample_rates_decoder=[8, 4], upsample_kernel_sizes_decoder=[16, 8],
        upsample_initial_channel_decoder=16, resblock_kernel_sizes_decoder=[3],
        resblock_dilation_sizes_decoder=[[1, 1, 1]], init_discriminator=False,
        use_speaker_embedding=True, speaker_embedding_channels=8,
        speakers_file=str(folder / "speakers.json"),
    )  # fmt: skip
    shape = VitsConfig(
        model_args=size,
        audio=BaseAudioConfig(sample_rate=16_000, hop_length=32, win_length=128, fft_size=128),
        use_phonemes=False,
        text_cleaner="basic_cleaners",
        characters=CharactersConfig(
            characters_class="TTS.tts.models.vits.VitsCharacters",
            characters=LETTERS, punctuations=" ',.?!", pad="_", eos="", bos="", blank="", phonemes="",
        ),
    )  # fmt: skip
    whole = Vits(shape)
    # A checkpoint remembers where its files lay on the machine that trained it.
    shape.model_args.speakers_file = "/elsewhere/speakers.json"
    shape.save_json(str(folder / "config.json"))
    torch.save({"model": whole.state_dict()}, folder / "model_file.pth")
    return CoquiConfig(
        model="vits",
        checkpoint=str(folder),
        speakers=("p225", "p226"),
        sample_rate_hz=16_000,
        batch=4,
        device="cpu",
    )


MAKERS: tuple[Callable[[Path], VoiceConfig], ...] = (xtts, coqui_vits)
CASES = [pytest.param(maker, id=maker.__name__) for maker in MAKERS]
