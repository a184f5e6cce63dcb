"""Whisper out of CTranslate2 files: the same weights, the same frames, the same words."""

import shutil
import struct
from copy import deepcopy
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import soxr
import torch
from numpy.typing import NDArray
from transformers import WhisperConfig as Shape
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from catalogs.errors import EngineError, ModelMissing
from catalogs.models import fetch
from catalogs.models.pretrained import quiet
from catalogs.records import Line
from synthgen.voices.espeak import EspeakConfig
from training.backbones.ct2_file import read_ct2
from training.backbones.ctranslate2 import convert, converted
from training.backbones.encoders import WhisperConfig

TEXTS = (
    "Please turn on the light in the kitchen.",
    "Could you make me a large cappuccino?",
    "The doctor said that she should stay in bed for a week, and nobody knew why.",
)
WINDOW = 480_000


@pytest.fixture(scope="module")
def folder() -> Path:
    return converted("whisper-tiny-en")


@pytest.fixture(scope="module")
def windows() -> NDArray[np.float32]:
    """Three clips of espeak in full windows of 30 s."""
    config = EspeakConfig(speakers=("en-us",), rate=140)
    voice, card = config.build(), config.cards()[0]
    laid = np.zeros((len(TEXTS), WINDOW), np.float32)
    for row, text in zip(laid, TEXTS, strict=True):
        reading = voice.speak([Line.new(prompt_id="p", voice_id=card.id, text=text, normaliser="none")])[0]
        samples = soxr.resample(reading.samples, reading.sample_rate_hz, 16_000)
        row[: len(samples)] = samples
    return laid


@pytest.fixture(scope="module")
def mels(folder: Path, windows: NDArray[np.float32]) -> torch.Tensor:
    extractor = WhisperFeatureExtractor.from_pretrained(folder)
    return extractor(list(windows), sampling_rate=16_000, return_tensors="pt").input_features


@pytest.fixture(scope="module")
def original():
    from faster_whisper import WhisperModel

    return WhisperModel(str(fetch("whisper-tiny-en")), device="cpu", compute_type="float32", cpu_threads=1)


def test_frames_are_those_of_the_original(original, mels: torch.Tensor, windows: NDArray[np.float32]) -> None:
    frames = np.array(original.model.encode(ctranslate2.StorageView.from_array(mels.numpy()), to_cpu=True))

    encoder = WhisperConfig(device="cpu").build()
    found = encoder.encode([torch.from_numpy(window) for window in windows], (-1,))

    for mine, theirs in zip(found, frames, strict=True):
        np.testing.assert_allclose(mine[0].numpy(), theirs, atol=1e-3)
        assert np.linalg.norm(mine[0].numpy() - theirs) < 1e-5 * np.linalg.norm(theirs)


def test_words_are_those_of_the_original(original, folder: Path, mels: torch.Tensor, windows) -> None:
    with quiet():
        model = WhisperForConditionalGeneration.from_pretrained(folder)
    tokenizer = WhisperTokenizer.from_pretrained(folder)

    spoken = model.generate(mels, num_beams=1, do_sample=False)

    mine = [tokenizer.decode(tokens, skip_special_tokens=True).strip() for tokens in spoken]
    assert mine == [greedy(original, window) for window in windows]
    assert mine[2].startswith("The doctor said that she should stay in bed for a week")


def greedy(original, window: NDArray[np.float32]) -> str:
    segments, _ = original.transcribe(
        window, language="en", beam_size=1, temperature=0.0, without_timestamps=True, condition_on_previous_text=False
    )
    return "".join(segment.text for segment in segments).strip()


@pytest.fixture(scope="module")
def model() -> WhisperForConditionalGeneration:
    """A tiny random model with the vocabulary of the starter."""
    torch.manual_seed(0)
    shape = Shape(
        vocab_size=51_864, d_model=16, num_mel_bins=8, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=4, encoder_ffn_dim=24, decoder_ffn_dim=40, max_source_positions=20,
        max_target_positions=12, init_std=0.3,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(shape).eval()
    for name, parameter in model.named_parameters():
        if "norm" in name or "bias" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.mark.parametrize(
    ("quantization", "tolerance"),
    [("float32", 0.0), ("float16", 1e-3), ("bfloat16", 8e-3), ("int16", 2e-3), ("int8", 8e-3), ("int8_float16", 9e-3)],
)
def test_every_form_of_weights_is_read(
    model: WhisperForConditionalGeneration, tmp_path: Path, quantization: str, tolerance: float
) -> None:
    source, into = tmp_path / "source", tmp_path / "into"
    write_ct2(model, source, quantization)
    into.mkdir()

    convert(source, into)

    found = WhisperForConditionalGeneration.from_pretrained(into)
    again = found.state_dict()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(again[name], weight, rtol=0, atol=tolerance * float(weight.abs().max()))
    assert (found.config.encoder_attention_heads, found.config.decoder_attention_heads) == (2, 4)


def write_ct2(model: WhisperForConditionalGeneration, folder: Path, quantization: str) -> None:
    """A model as CTranslate2's own converter writes it."""
    from ctranslate2.converters.transformers import WhisperLoader

    spec = WhisperLoader().get_model_spec(deepcopy(model))  # which it quantises in place
    starter = fetch("whisper-tiny-en")
    spec.register_vocabulary(WhisperTokenizer.from_pretrained(starter).convert_ids_to_tokens(range(51_864)))
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir()
    spec.save(str(folder))
    for name in ("tokenizer.json", "config.json"):
        shutil.copyfile(starter / name, folder / name)


def test_a_damaged_file_is_told_plainly(tmp_path: Path) -> None:
    whole = (fetch("whisper-tiny-en") / "model.bin").read_bytes()
    path = tmp_path / "model.bin"

    for damaged in (b"", whole[:3], whole[:1000], whole[:-1], whole + b"x", struct.pack("<I", 99) + whole[4:]):
        path.write_bytes(damaged)
        with pytest.raises(EngineError, match="damaged"):
            read_ct2(path)

    path.unlink()
    with pytest.raises(ModelMissing):
        read_ct2(path)


def test_what_is_no_whisper_is_refused() -> None:
    with pytest.raises(EngineError, match="smollm2"):
        converted("smollm2-135m")
