"""Whisper's decoder on kept frames: that of Whisper itself, deaf to padding, and tuned with what is above a split."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import content_id
from catalogs.records import Slot
from tests.training.conftest import fit
from tests.training.test_whisper_asr import SPECIAL, Bytes
from tests.training.test_whisper_asr import tiny as tiny_whisper
from training.answering import DecodingConfig
from training.backbones.encoders import Encoder, TinyEncoderConfig
from training.backbones.split import upper_part
from training.inputs import loaded
from training.labels import Labels
from training.objective import Utterance
from training.recipe import parse_recipe
from training.whisper_decoder import WhisperDecoderConfig, WhisperDecoding
from training.whisper_text import LABEL_TOKENS

WIDTH = 32


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return TinyEncoderConfig().build()


def tiny(encoder: Encoder | None = None, **settings: Any) -> WhisperDecoding:
    """The decoder of a random Whisper, with what is above layer 1 of an encoder, or without."""
    upper = None if encoder is None else upper_part(encoder, 1)
    config = WhisperDecoderConfig(split=None if encoder is None else 1, **settings)
    return WhisperDecoding(tiny_whisper().module, Bytes(), config, layer=1, upper=upper)


def heard(text: str, num_frames: int = 40) -> Utterance:
    """Frames of one layer, another sequence for every text."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(sum(text.encode()))
        features = torch.randn(1, num_frames, WIDTH)
    return Utterance(content_id("take", text), text, text, "en", is_synthetic=True, features=features)


def test_on_a_whole_window_it_loses_what_whisper_does() -> None:
    whisper = tiny_whisper().module
    objective = tiny()
    batch = objective.collate([heard("tea", 100), heard("coffee", 100)])

    mean = whisper(
        encoder_outputs=BaseModelOutput(batch.tensors["features"][:, -1]),
        decoder_input_ids=batch.tensors["read"],
        labels=batch.tensors["labels"],
    ).loss

    assert float(objective.loss(batch).total) / batch.num_targets == pytest.approx(float(mean), rel=1e-5)


@pytest.mark.parametrize("is_split", [False, True])
def test_company_and_padding_make_no_difference(encoder: Encoder, is_split: bool) -> None:
    objective = tiny(encoder if is_split else None)
    utterances = [heard("tea", 20), heard("one large cup of coffee", 90), heard("", 1)]
    batch = objective.collate(utterances)

    together = float(objective.loss(batch).total)
    alone = sum(float(objective.loss(objective.collate([utterance])).total) for utterance in utterances)
    batch.tensors["features"][0, :, 20:] = 1e3
    loud = float(objective.loss(batch).total)

    assert together == pytest.approx(alone, rel=1e-5)
    assert loud == pytest.approx(together, rel=1e-5)


@pytest.mark.parametrize("is_split", [False, True])
def test_the_decoder_and_what_is_above_the_split_are_tuned(encoder: Encoder, is_split: bool) -> None:
    objective = tiny(encoder if is_split else None)

    objective.loss(objective.collate([heard("tea"), heard("a cup", 30)])).total.backward()

    trained = objective.trained()
    assert all(p.grad is not None and p.grad.any() for name, p in trained.items() if "k_proj" not in name)
    assert any(name.startswith("upper.") for name in trained) == is_split
    assert not any("encoder.layers" in name for name in trained)
    assert all(p.grad is None for p in encoder.module.parameters())
    assert not any(layer.encoder_attn._forward_pre_hooks for layer in objective.module.whisper.model.decoder.layers)


@pytest.mark.slow
@pytest.mark.parametrize("is_split", [False, True])
def test_it_learns_two_texts_by_heart_and_writes_them_in_any_company(encoder: Encoder, is_split: bool) -> None:
    objective = tiny(encoder if is_split else None)
    utterances = [heard("tea", 20), heard("coffee", 50)]
    fit(objective, utterances, steps=150)

    for beams in (1, 3):
        answers = objective.answers(utterances, DecodingConfig(beams=beams))
        assert [answer.text for answer in answers] == ["tea", "coffee"]
        assert answers == [
            answer for each in utterances for answer in objective.answers([each], DecodingConfig(beams=beams))
        ]
        assert not any(answer.hit_limit for answer in answers)
    assert objective.module.training


def test_what_never_ends_is_cut_at_its_limit() -> None:
    settings = DecodingConfig(beams=1, tokens_per_frame=0.1, spare_tokens=2)

    answers = tiny().answers([heard("tea", 10), heard("coffee", 50)], settings)

    assert [(answer.num_tokens, answer.hit_limit) for answer in answers] == [(3, True), (7, True)]
    assert tiny().answers([], settings) == []


@pytest.mark.slow
def test_labels_are_written_before_the_text_though_whisper_suppresses_their_marks() -> None:
    objective = tiny(writes="labels")
    suppressed = [SPECIAL.index("<|startoftranscript|>"), *(len(SPECIAL) + byte for byte in b"|;=_")]
    objective.module.whisper.generation_config.suppress_tokens = suppressed
    order = Labels("to_order", (Slot("drink", "tea"), Slot("size", "big")))
    utterances = [replace(heard("big tea", 20), labels=order), heard("no", 50)]
    fit(objective, utterances, steps=200)

    answers = objective.answers(utterances, DecodingConfig(beams=1, tokens_per_frame=0))

    batch = objective.collate(utterances)
    assert batch.tensors["labels"][0, 1:].tolist()[:9] == [len(SPECIAL) + byte for byte in b" to_order"]
    assert [answer.text for answer in answers] == ["big tea", "no"]
    wanted = [Labels("to_order", (Slot("size", "big"), Slot("drink", "tea"))), Labels()]
    assert [answer.labels for answer in answers] == wanted
    assert objective.module.whisper.generation_config.suppress_tokens == suppressed


@pytest.mark.parametrize(
    ("settings", "room"),
    [
        ({}, 0),
        ({"room": 20}, 0),
        ({"writes": "labels"}, LABEL_TOKENS),
        ({"writes": "labels", "room": 20}, 20),
        ({"writes": "labels", "room": 0}, 0),
    ],
)
def test_labels_have_room_of_their_own(settings: Any, room: int) -> None:
    objective = tiny(**settings)

    (answer,) = objective.answers([heard("tea", 10)], DecodingConfig(beams=1, tokens_per_frame=0, spare_tokens=5))

    assert answer.num_tokens == min(5 + room, 62)


@pytest.mark.parametrize(
    ("utterance", "message"),
    [
        (replace(heard("tea"), features=None), "no features; expected"),
        (heard("tea " * 30), "tokens, and Whisper writes 61 at most"),
    ],
)
def test_what_it_cannot_learn_from_is_told(utterance: Utterance, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        tiny().collate([utterance])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, r"hears frames of width 384, and the encoder tiny has 32: name the encoder of the same Whisper"),
        ({"split": 9}, "split = 9: expected 0 to"),
    ],
)
def test_an_encoder_that_does_not_suit_is_refused(encoder: Encoder, settings: Any, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        WhisperDecoderConfig(**settings).build(encoder, num_layers=1, seed=0)


def test_what_makes_no_sense_is_refused_before_anything_is_loaded() -> None:
    for wrong, message in (
        ({"dropout": 1.0}, "from 0 to below 1"),
        ({"split": -1}, "number of a layer, from 0"),
        ({"room": -1}, "room = -1: expected a number of tokens"),
    ):
        with pytest.raises(RecipeError, match=message):
            parse(WhisperDecoderConfig, wrong, source="test")


def test_other_layers_than_those_it_goes_on_from_are_refused(tmp_path: Any) -> None:
    table = {
        "name": "x",
        "folder": str(tmp_path),
        "data": [{"corpus": "nowhere", "release": "x"}],
        "encoder": {"name": "whisper"},
        "features": {"layers": [2]},
        "objective": {"method": "whisper_decoder"},
    }

    with pytest.raises(TrainingError, match=r"goes on from layer 4 of the encoder, and features\.layers = \[2\]"):
        loaded(parse_recipe(table, source="test"))


@pytest.mark.parametrize("method", ["whisper", "whisper_decoder", "lasyn"])
def test_a_recipe_without_room_is_the_one_it_was(method: str) -> None:
    def definition(**more: Any) -> str:
        table: dict[str, Any] = {"method": method, **more}
        if method == "lasyn":
            table = {"method": method, "recogniser": {"method": "whisper_decoder", "split": 4, **more}}
        encoder = {} if method == "whisper" else {"encoder": {"name": "whisper"}}
        data = [{"corpus": "c", "release": "r"}]
        return parse_recipe({"name": "x", "data": data, "objective": table, **encoder}, source="test").definition

    assert '"room"' not in definition()
    assert '"room":60' in definition(writes="labels", room=60)


@pytest.mark.parametrize("room", [100, 200])
def test_the_room_of_slu_stays_in_its_recipe(room: int) -> None:
    table = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "whisper"}}

    found = parse_recipe(table | {"objective": {"method": "slu", "split": 4, "room": room}}, source="test")

    assert f'"room":{room}' in found.definition
