"""Whisper's decoder as a guide that a synthesiser learns through, and as the recogniser that hears what it makes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jiwer
import pytest
import torch

from catalogs.config import parse
from catalogs.errors import TrainingError
from tests.training.test_whisper_asr import Bytes
from tests.training.test_whisper_asr import tiny as tiny_whisper
from training.answering import DecodingConfig
from training.backbones import whisper
from training.backbones.encoders import Encoder
from training.ctc import Ctc
from training.lasyn.dual import DualTraining
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.methods import DualTrainingMethod, FixedSynthesisMethod
from training.objective import Utterance
from training.positions import sinusoids
from training.whisper_decoder import WhisperDecoderConfig, WhisperDecoding

from ..conftest import fit
from .conftest import SPLIT, TOLD, WORDS, heard_in, keep, spoken, written

TABLE = {"method": "whisper_decoder", "split": SPLIT}
SYNTHESISER = {"filters": 48, "layers": 2, "kernel": 3}

_PAIRS = [f"{first} {second}" for first in WORDS for second in WORDS]
NEW_PAIRS = _PAIRS[::7]
PAIRS = [pair for pair in _PAIRS if pair not in NEW_PAIRS]


@pytest.fixture(scope="module")
def random_whisper() -> Any:
    """A random Whisper of the width of the encoder, in the place of the one that is named."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whisper, "load_whole_whisper", lambda *_, **__: (tiny_whisper().module, None, Bytes()))
        yield


def in_order(texts: Sequence[str]) -> list[Utterance]:
    """Utterances whose latents carry where they stand, as those of a Transformer's encoder do."""
    heard = spoken(texts)
    return [
        replace(each, features=each.features + sinusoids(each.features)) for each in heard if each.features is not None
    ]


@pytest.fixture(scope="module")
def listening(random_whisper: None, encoder: Encoder) -> WhisperDecoding:
    """A decoder that has heard made-up latents of most pairs of words."""
    decoder = WhisperDecoderConfig(split=SPLIT).build(encoder, num_layers=1, seed=0)
    fit(decoder, in_order(PAIRS), steps=60, rate=5e-3)
    return decoder


@pytest.fixture(scope="module")
def folder(listening: WhisperDecoding, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> str:
    return keep(tmp_path_factory.mktemp("decoder"), listening, encoder, TABLE)


def synthesis(folder: str, encoder: Encoder) -> GuidedSynthesis:
    table = {"guide_from": folder, "synthesiser": SYNTHESISER, "unknown": "refuse"}
    return parse(FixedSynthesisMethod, table, source="test").build(encoder, num_layers=1, seed=0)


def test_the_decoder_hears_new_texts_in_what_a_synthesiser_makes(
    folder: str, encoder: Encoder, listening: WhisperDecoding
) -> None:
    objective = synthesis(folder, encoder)
    guide = objective.module["guide"]
    before = {name: value.clone() for name, value in guide.state_dict().items()}
    untaught = jiwer.wer(NEW_PAIRS, heard_in(objective, NEW_PAIRS))

    fit(objective, written(PAIRS), steps=20)

    assert jiwer.wer(NEW_PAIRS, heard_in(objective, NEW_PAIRS)) <= 0.45
    assert untaught >= 0.9
    assert all(torch.equal(value, before[name]) for name, value in guide.state_dict().items())
    assert all(
        torch.equal(value, listening.trained()[name]) for name, value in before.items() if "proj_out" not in name
    )
    assert all(p.grad is None for p in guide.parameters())


@pytest.fixture(scope="module")
def made_by(folder: str, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> str:
    table = {"method": "lasyn_fixed", "guide_from": folder, "synthesiser": SYNTHESISER, "unknown": "refuse"}
    return keep(tmp_path_factory.mktemp("fixed"), synthesis(folder, encoder), encoder, table)


def dual(encoder: Encoder, **settings: Any) -> DualTraining:
    table = {"recogniser": TABLE, "unknown": "refuse", "mask": 0.0} | settings
    return parse(DualTrainingMethod, table, source="test").build(encoder, num_layers=1, seed=0)


def test_it_hears_real_and_made_latents_in_one_loss(
    folder: str, made_by: str, encoder: Encoder, listening: WhisperDecoding
) -> None:
    objective = dual(encoder, guide_from=folder, synthesiser_from=made_by)
    real, texts = spoken(TOLD[:3]), written(TOLD[4:7])

    both = objective.loss(objective.collate([*real, *texts]))
    apart = [objective.loss(objective.collate(part)) for part in (real, texts)]
    alone = listening.loss(listening.collate(real))

    torch.testing.assert_close(both.total, apart[0].total + apart[1].total, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(apart[0].total, alone.total, rtol=1e-4, atol=1e-3)
    assert [answer.take_id for answer in objective.answers([*real, *texts], DecodingConfig(beams=1))] == [
        each.take_id for each in (*real, *texts)
    ]
    assert {name.partition(".")[0] for name in objective.trained()} == {"upper", "whisper"}


def test_a_guide_of_another_kind_gives_its_upper_part_alone(
    guide_folder: str, reading: Ctc, random_whisper: None, encoder: Encoder
) -> None:
    ours, unguided = (dual(encoder, guide_from=guided).trained() for guided in (guide_folder, None))

    theirs = {name: value for name, value in reading.trained().items() if name.startswith("upper.")}
    assert theirs.keys() == {name for name in ours if name.startswith("upper.")}
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    assert all(torch.equal(ours[name], value) for name, value in unguided.items() if name not in theirs)


def test_another_checkpoint_or_split_is_refused(folder: str, encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the guide has checkpoint 'whisper-tiny-en', and this recipe's recogniser"):
        dual(encoder, guide_from=folder, recogniser=TABLE | {"checkpoint": "another"})
    with pytest.raises(TrainingError, match=f"the guide has split {SPLIT}, and this recipe's recogniser 1"):
        dual(encoder, guide_from=folder, recogniser=TABLE | {"split": 1})
    unsplit = WhisperDecoderConfig().build(encoder, num_layers=1, seed=0)
    with pytest.raises(TrainingError, match="split: a guide is trained by method 'ctc', 'transducer' or 'whisper_deco"):
        synthesis(keep(tmp_path, unsplit, encoder, {"method": "whisper_decoder", "split": None}), encoder)


def test_who_writes_labels_begins_as_a_guide_and_is_none(folder: str, encoder: Encoder, tmp_path: Path) -> None:
    table = TABLE | {"writes": "labels"}
    method = parse(DualTrainingMethod, {"recogniser": table, "guide_from": folder}, source="test")

    begun = method.build(encoder, num_layers=1, seed=0).trained()

    plain = dual(encoder, guide_from=folder).trained()
    assert begun.keys() == plain.keys()
    assert all(torch.equal(value, plain[name]) for name, value in begun.items())
    assert method.asks_for_labels
    head = parse(WhisperDecoderConfig, table, source="test").build(encoder, num_layers=1, seed=0)
    with pytest.raises(TrainingError, match="writes labels, and a guide tells whether a text is heard: name"):
        synthesis(keep(tmp_path, head, encoder, table), encoder)
