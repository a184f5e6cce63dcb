"""Whisper tuned further: the tokens it reads and writes, what is trained, and that the starter is still the starter."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from catalogs.errors import TrainingError
from catalogs.ids import content_id
from catalogs.records import Line
from catalogs.signal import resample
from synthgen.voices.espeak import EspeakConfig
from tests.training.conftest import fit
from training.answering import DecodingConfig
from training.backbones.encoders import WhisperConfig as WhisperEncoderConfig
from training.objective import Utterance
from training.padding import IGNORED
from training.whisper_asr import RATE_HZ, WhisperAsr, WhisperTuningConfig
from training.whisper_decoder import WhisperDecoderConfig

SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>", "<|en|>", "<|de|>", "<|transcribe|>"]
WINDOW_S = 2


class Bytes:
    """A tokenizer of bytes behind Whisper's special tokens."""

    eos_token_id = 0
    unk_token_id = 0

    def __call__(self, text: str, *, add_special_tokens: bool) -> Any:
        assert not add_special_tokens
        return type("Tokens", (), {"input_ids": [len(SPECIAL) + byte for byte in text.encode()]})

    def convert_tokens_to_ids(self, names: list[str]) -> list[int]:
        return [SPECIAL.index(name) if name in SPECIAL else 0 for name in names]

    def decode(self, tokens: list[int], *, skip_special_tokens: bool) -> str:
        assert skip_special_tokens
        return bytes(token - len(SPECIAL) for token in tokens if token >= len(SPECIAL)).decode(errors="replace")


def tiny(*, multilingual: bool = False, **settings: Any) -> WhisperAsr:
    shape = WhisperConfig(
        vocab_size=len(SPECIAL) + 256, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=20,
        max_source_positions=50 * WINDOW_S, max_target_positions=64, pad_token_id=0, bos_token_id=0, eos_token_id=0,
        decoder_start_token_id=1, begin_suppress_tokens=None, init_std=0.1,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = WhisperForConditionalGeneration(shape)
    module.generation_config.is_multilingual = multilingual
    extractor: Any = WhisperFeatureExtractor
    return WhisperAsr(
        module, extractor(feature_size=20, chunk_length=WINDOW_S), Bytes(), WhisperTuningConfig(**settings)
    )


def said(text: str, seconds: float = 1.0) -> Utterance:
    """A tone, the higher the longer the text."""
    samples = 0.1 * torch.sin(torch.arange(int(seconds * RATE_HZ)) * (0.05 + 0.1 * len(text)))
    return Utterance(content_id("take", text, seconds), text, text, "en", is_synthetic=True, samples=samples)


@pytest.mark.parametrize(("multilingual", "begin"), [(False, [1, 2]), (True, [1, 4, 5, 2])])
def test_it_reads_the_beginning_and_writes_the_text_behind_a_space_and_its_end(multilingual: bool, begin: Any) -> None:
    asr = tiny(multilingual=multilingual, language="de")

    batch = asr.collate([said("tea"), said("a cup")])

    text = [len(SPECIAL) + byte for byte in b" tea"]
    assert batch.tensors["read"][0].tolist() == [*begin, *text, 0, 0]
    assert batch.tensors["labels"][0].tolist() == [IGNORED] * (len(begin) - 1) + [*text, 0, IGNORED, IGNORED]
    assert batch.num_targets == len(" tea") + len(" a cup") + 2
    assert batch.tensors["windows"].shape == (2, 20, 100 * WINDOW_S)


def test_company_makes_no_difference_to_the_loss() -> None:
    asr = tiny()
    utterances = [said("tea"), said("one large cup of coffee", 1.7), said("", 0.3)]

    together = asr.loss(asr.collate(utterances)).total
    alone = sum(float(asr.loss(asr.collate([utterance])).total) for utterance in utterances)

    assert float(together) == pytest.approx(alone, rel=1e-5)


def test_the_loss_is_that_of_whisper_itself() -> None:
    asr = tiny()
    batch = asr.collate([said("tea"), said("coffee")])

    found = asr.loss(batch)
    mean = asr.module(
        input_features=batch.tensors["windows"], decoder_input_ids=batch.tensors["read"], labels=batch.tensors["labels"]
    ).loss

    assert float(found.total) / batch.num_targets == pytest.approx(float(mean), rel=1e-5)


@pytest.mark.parametrize("tuned", ["all", "decoder"])
def test_what_is_tuned_gets_a_gradient_and_the_rest_none(tuned: Any) -> None:
    asr = tiny(tuned=tuned)

    asr.loss(asr.collate([said("tea")])).total.backward()

    trained = asr.trained()
    assert all(p.grad is not None and p.grad.any() for name, p in trained.items() if "k_proj" not in name)
    assert any("model.encoder." in name for name in trained) == (tuned == "all")
    assert not any("encoder.embed_positions" in name for name in trained)
    assert all(p.grad is None for name, p in asr.module.named_parameters() if name not in trained)


@pytest.mark.slow
def test_it_learns_two_texts_by_heart_and_writes_them() -> None:
    asr = tiny()
    utterances = [said("tea"), said("coffee")]
    fit(asr, utterances, steps=150)

    for beams in (1, 3):
        answers = asr.answers(utterances, DecodingConfig(beams=beams))
        assert [answer.text for answer in answers] == ["tea", "coffee"]
        assert [answer.num_tokens for answer in answers] == [len(" tea") + 1, len(" coffee") + 1]
        assert not any(answer.hit_limit for answer in answers)
    assert asr.module.training


@pytest.mark.parametrize(
    ("utterance", "message"),
    [
        (replace(said("tea"), samples=None), "has no samples"),
        (replace(said("tea"), samples=torch.zeros(0)), "has no samples"),
        (said("tea", 2.1), r"2\.1 s, and Whisper's window is 2 s; leave it out with data\.max_s"),
        (said("tea " * 30), "tokens, and Whisper writes 61 at most"),
    ],
)
def test_what_it_cannot_learn_from_is_told(utterance: Utterance, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        tiny().collate([utterance])


@pytest.fixture(scope="module")
def spoken() -> Utterance:
    """A sentence by a voice of espeak."""
    text = "Please turn on the light in the kitchen."
    config = EspeakConfig(speakers=("en-us",), rate=140)
    line = Line.new(prompt_id="p", voice_id=config.cards()[0].id, text=text, normaliser="none")
    (reading,) = config.build().speak([line])
    samples = torch.from_numpy(resample(reading.samples, from_hz=reading.sample_rate_hz, to_hz=RATE_HZ))
    return replace(said(text), samples=samples)


def test_the_starter_hears_what_a_voice_says(spoken: Utterance) -> None:
    asr = WhisperTuningConfig().build_on_waves(seed=0)
    batch = asr.collate([spoken])
    with torch.no_grad():
        loss = float(asr.loss(batch).total) / batch.num_targets

    assert [answer.text for answer in asr.answers([spoken], DecodingConfig(beams=1))] == [spoken.text]
    assert loss < 0.5


@pytest.mark.parametrize(("split", "layer"), [(None, 4), (2, 2)])
def test_its_decoder_hears_the_same_in_the_kept_frames_of_a_whole_window(
    spoken: Utterance, split: int | None, layer: int
) -> None:
    encoder = WhisperEncoderConfig().build()
    whole = torch.nn.functional.pad(spoken.samples, (0, 30 * RATE_HZ - len(spoken.samples)))
    kept = replace(spoken, samples=None, features=encoder.encode([whole], layers=(layer,))[0])
    decoder = WhisperDecoderConfig(split=split).build(encoder, num_layers=1, seed=0)
    asr = WhisperTuningConfig().build_on_waves(seed=0)

    with torch.no_grad():
        losses = [
            float(objective.loss(objective.collate([utterance])).total)
            for objective, utterance in ((decoder, kept), (asr, spoken))
        ]

    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert [answer.text for answer in decoder.answers([kept], DecodingConfig(beams=1))] == [spoken.text]
