"""What the voices of larger machines promise beyond the contract, on tiny random models of their true classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from catalogs.errors import UsageError

Get: TypeAlias = Callable[[str], Any]

VOICES = ("mms", "speecht5", "bark", "xtts", "coqui_vits")
TEXTS = ("the train leaves at nine", "no, i said blue", "what is the balance of my account?")


@pytest.mark.parametrize("name", VOICES)
def test_a_batch_changes_a_line_by_no_more_than_rounding(made: Get, name: str) -> None:
    subject = made(name)
    lines = [subject.line(text, seed=seed, temperature=0.5 + 0.3 * seed) for seed, text in enumerate(TEXTS)]
    alone = [subject.voice.speak([one])[0] for one in lines]

    together = subject.voice.speak(lines)

    assert not subject.config.cards()[0].batch_exact
    for batched, single in zip(together, alone, strict=True):
        assert batched.tokens == single.tokens
        np.testing.assert_allclose(batched.samples, single.samples, atol=1e-3)


@pytest.mark.parametrize("name", VOICES)
def test_a_batch_of_one_is_exact(made: Get, name: str) -> None:
    subject = made(name).but(batch=1)
    lines = [subject.line(text, seed=seed) for seed, text in enumerate(TEXTS)]
    alone = [subject.voice.speak([one])[0] for one in lines]

    together = subject.voice.speak(lines[::-1])[::-1]

    assert subject.config.cards()[0].batch_exact
    for batched, single in zip(together, alone, strict=True):
        np.testing.assert_array_equal(batched.samples, single.samples)


@pytest.mark.parametrize("name", ["mms", "speecht5", "bark", "xtts"])
def test_half_precision_speaks(made: Get, name: str) -> None:
    reading = made(name).but(dtype="bfloat16").read(TEXTS[0])

    assert len(reading.samples) > 0
    assert np.abs(reading.samples).max() > 0


# --- the toggles of DGSA -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "other"), [("bark", "v2/carl"), ("bark", "plain"), ("xtts", "carl")])
def test_a_style_changes_what_is_said_and_a_timbre_only_how_it_sounds(made: Get, name: str, other: str) -> None:
    subject = made(name)
    own = subject.read(TEXTS[2])

    styled = subject.read(TEXTS[2], style=other)
    voiced = subject.read(TEXTS[2], timbre=other)

    assert styled.tokens != own.tokens
    assert voiced.tokens == own.tokens
    assert not np.array_equal(voiced.samples, own.samples)


@pytest.mark.parametrize(("name", "other"), [("bark", "v2/bela"), ("xtts", "bela")])
def test_a_reading_that_no_style_lends_cannot_be_borrowed(made: Get, name: str, other: str) -> None:
    with pytest.raises(UsageError, match=f"'{other}'; to lend it to others, add it to the `styles`"):
        made(name).read(TEXTS[0], style=other)


@pytest.mark.parametrize("name", ["mms", "speecht5", "coqui_vits"])
def test_a_voice_without_styles_says_so(made: Get, name: str) -> None:
    with pytest.raises(UsageError, match="has neither styles nor timbres"):
        made(name).read(TEXTS[0], style="merry")


# --- the same as the libraries' own readings, where those leave nothing to chance --------------------


def test_a_greedy_xtts_reads_as_coqui_does(made: Get) -> None:
    from synthgen.voices.neural.xtts_checkpoint import load_xtts

    subject = made("xtts").but(repetition_penalty=2.0)
    persona = subject.voice._personas["anna"]
    whole = load_xtts(Path(subject.config.checkpoint))

    with torch.inference_mode():
        wanted = whole.inference(
            TEXTS[0], "en", persona.prosody, persona.timbre, do_sample=False, repetition_penalty=2.0
        )
    got = subject.voice.speak([subject.line(text, temperature=0.0) for text in TEXTS])[0]

    np.testing.assert_allclose(got.samples, wanted["wav"], atol=1e-4)


def test_a_greedy_bark_reads_as_transformers_does(made: Get) -> None:
    subject = made("bark").but(acoustic_temperature=0.0, batch=2)
    voice = subject.voice
    limit = voice._semantic.max_input_semantic_length
    inputs = voice._tokenizer(
        TEXTS[0], add_special_tokens=False, padding="max_length", max_length=limit, return_tensors="pt"
    )

    wanted = voice._model.generate(
        inputs.input_ids,
        history_prompt=voice._presets["v2/anna"],
        attention_mask=inputs.attention_mask,
        do_sample=False,
        min_eos_p=subject.config.min_eos_p,
        fine_temperature=None,
    )
    got = subject.voice.speak([subject.line(text, temperature=0.0) for text in TEXTS[:2]])[0]

    np.testing.assert_allclose(got.samples, np.clip(wanted[0].numpy(), -1, 1), atol=1e-4)


def test_a_vits_without_noise_reads_as_transformers_does(made: Get) -> None:
    from transformers import VitsModel, VitsTokenizer

    subject = made("mms")
    folder = subject.config.checkpoint
    model = VitsModel.from_pretrained(folder).eval()
    model.noise_scale = model.noise_scale_duration = 0.0

    with torch.inference_mode():
        inputs = VitsTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")
        wanted = model(**inputs, speaker_id=0).waveform[0].numpy()
    readings = subject.voice.speak([subject.line(text, temperature=0.0) for text in TEXTS])

    np.testing.assert_allclose(readings[0].samples, wanted, atol=1e-4)


def test_speecht5_without_dropout_reads_as_transformers_does(made: Get) -> None:
    from transformers import SpeechT5ForTextToSpeech

    subject = made("speecht5")
    voice = subject.voice
    model = SpeechT5ForTextToSpeech.from_pretrained(subject.config.checkpoint).eval()
    model.speecht5.decoder.prenet._consistent_dropout = lambda hidden, _: hidden
    ids = voice._tokenizer(TEXTS[0], return_tensors="pt").input_ids
    xvector = torch.from_numpy(np.load(Path(subject.config.xvectors) / "anna.npy"))[None]

    with torch.inference_mode():
        longest = model.config.max_speech_positions * model.config.reduction_factor / ids.shape[1]
        wanted = model.generate_speech(ids, xvector, vocoder=voice._vocoder, maxlenratio=longest)
    got = subject.voice.speak([subject.line(text, temperature=0.0) for text in TEXTS[:2]])[0]

    np.testing.assert_allclose(got.samples, wanted.numpy(), atol=1e-4)
