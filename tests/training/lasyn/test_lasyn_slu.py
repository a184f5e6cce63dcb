"""Dual training of a recogniser that understands: labelled texts become latents, and only its upper part moves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.records import Slot
from training.answering import DecodingConfig
from training.backbones.encoders import Encoder
from training.ctc import CtcConfig
from training.data import text_member
from training.labels import Labels
from training.lasyn.dual import DualTraining, _voices
from training.lasyn.methods import DualTrainingMethod, FixedSynthesisMethod
from training.lasyn.phones import PhoneReader
from training.lasyn.recogniser import SplitRecogniser, guide
from training.objective import Utterance
from training.slu.understanding import SluConfig

from ..conftest import fit, make_member
from .conftest import SPLIT, TOLD, keep, places, spoken, written
from .test_lasyn_dual import FIXED, Oracle

SMALL = {"layers": 1, "width": 48, "heads": 2, "dropout": 0.0}
SLU = {"method": "slu", "split": SPLIT, "decoder": SMALL}
DRINKS, SIZES = ("tea", "coffee", "milk", "cake"), ("small", "large", "one", "two")
TEXTS = [f"{size} {drink} please" for size in SIZES for drink in DRINKS]
HELD_OUT = ["small coffee please", "two tea please"]


def labelled(utterances: Sequence[Utterance]) -> list[Utterance]:
    """The same, with an intent and what is ordered."""
    found = []
    for utterance in utterances:
        words = utterance.text.split()
        slots = [Slot("drink", word) for word in words if word in DRINKS][:1]
        found.append(replace(utterance, labels=Labels("order", tuple(slots))))
    return found


@pytest.fixture
def build(encoder: Encoder, guide_folder: str) -> Any:
    def make(**settings: Any) -> DualTraining:
        config = parse(DualTrainingMethod, {"recogniser": SLU, "guide_from": guide_folder} | settings, source="test")
        return config.build(encoder, num_layers=1, seed=0)

    return make


def test_it_begins_with_the_upper_part_of_the_guide(build: Any, encoder: Encoder, guide_folder: str) -> None:
    theirs = guide(guide_folder, encoder).head.upper
    as_method = parse(SluConfig, SLU | {"guide_from": guide_folder}, source="test")
    alone = as_method.build(encoder, num_layers=1, seed=0)

    assert theirs is not None
    for ours in (build()._recogniser.head.upper, alone.upper):
        assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    fresh = build(guide_from=None)._recogniser.head.upper.state_dict()
    assert any(not torch.equal(value, fresh[name]) for name, value in theirs.state_dict().items())


def test_a_guide_of_another_split_or_size_is_refused(
    build: Any, encoder: Encoder, guide_folder: str, tmp_path: Any
) -> None:
    with pytest.raises(TrainingError, match=f"the guide has split {SPLIT}, and this recipe's recogniser 1"):
        build(recogniser=SLU | {"split": 1})
    head = parse(SluConfig, SLU, source="test").build(encoder, num_layers=1, seed=5)
    folder = keep(tmp_path, head, encoder, SLU)
    same = build(guide_from=folder)
    assert all(torch.equal(value, same.trained()[name]) for name, value in head.trained().items())
    with pytest.raises(TrainingError, match="the guide has width 48, and this recipe's recogniser 24"):
        build(guide_from=folder, recogniser=SLU | {"decoder": SMALL | {"width": 24}})
    with pytest.raises(TrainingError, match="by method 'ctc', 'transducer' or 'whisper_decoder' with a split"):
        FixedSynthesisMethod(guide_from=folder).build(encoder, num_layers=1, seed=0)


def test_a_guide_of_another_kind_that_has_no_upper_part_is_refused(build: Any, encoder: Encoder, tmp_path: Any) -> None:
    last = encoder.num_layers
    table = {"method": "ctc", "split": last}
    folder = keep(tmp_path, CtcConfig(split=last).build(encoder, num_layers=1, seed=0), encoder, table)

    with pytest.raises(TrainingError, match=f"guide_from: the guide writes something else, and above layer {last}"):
        build(guide_from=folder, recogniser=SLU | {"split": last})
    assert build(guide_from=folder, recogniser=table).trained().keys() == {
        "norm.weight",
        "norm.bias",
        "out.weight",
        "out.bias",
    }


def test_labels_that_it_cannot_write_are_refused_before_training(
    build: Any, encoder: Encoder, guide_folder: str, tmp_path: Path
) -> None:
    table = FIXED | {"guide_from": guide_folder}
    synthesis = parse(FixedSynthesisMethod, table, source="test").build(encoder, num_layers=1, seed=0)
    objective = build(synthesiser_from=keep(tmp_path, synthesis, encoder, table))
    labels = Labels("order", (Slot("cake", "crème brûlée"),))

    assert objective.look_over([text_member("one tea"), make_member(0)]).startswith("1 texts, 0 words")
    with pytest.raises(TrainingError, match=r"its text or labels have 'èéû', which slu.alphabet lacks"):
        objective.look_over([text_member("one tea"), text_member("one cake", labels=labels)])
    with pytest.raises(TrainingError, match=r"take take-0000: its text or labels have 'è'"):
        objective.look_over([replace(make_member(0), spoken="crème")])


def test_mistakes_are_those_of_the_recogniser_that_is_named(guide_folder: str) -> None:
    for wrong, message in [
        ({"splitt": 2}, "unknown key 'recogniser.slu.splitt'$"),
        ({"method": "slux"}, "expected method 'ctc', 'slu', 'transducer' or 'whisper_decoder'$"),
        ({"guide_from": guide_folder}, "write it as objective.guide_from$"),
    ]:
        with pytest.raises(RecipeError, match=message):
            parse(DualTrainingMethod, {"recogniser": SLU | wrong}, source="test")


@pytest.fixture(scope="module")
def learned(encoder: Encoder, guide_folder: str, reader: PhoneReader) -> tuple[DualTraining, float, float]:
    """A recogniser that has heard five takes, and read all other texts but two; its losses on those."""
    recogniser = SplitRecogniser(encoder, parse(SluConfig, SLU, source="test").build(encoder, num_layers=1, seed=0))
    recogniser.begin_as(guide(guide_folder, encoder))
    objective = DualTraining(recogniser, Oracle(noise=False), reader, 0.0)
    batch = objective.collate(labelled(spoken(HELD_OUT, seed=3)))
    before = float(objective.loss(batch).total.detach()) / batch.num_targets
    read = [text for text in TEXTS if text not in HELD_OUT]
    fit(objective, labelled([*spoken(read[:5]), *written(read[5:])]), steps=150, rate=3e-3)
    return objective, before, float(objective.loss(batch).total.detach()) / batch.num_targets


def test_texts_with_labels_lower_the_loss_on_speech_held_out(learned: tuple[DualTraining, float, float]) -> None:
    objective, before, after = learned

    answers = objective.answers(labelled(spoken(HELD_OUT, seed=3)), DecodingConfig(beams=1))

    assert after < 0.2 * before
    assert [answer.labels.intent for answer in answers if answer.labels] == ["order", "order"]


def test_only_its_upper_part_and_decoder_move(learned: tuple[DualTraining, float, float], encoder: Encoder) -> None:
    objective, _, _ = learned

    assert all(parameter.grad is None for parameter in encoder.module.parameters())
    assert {name.partition(".")[0] for name in objective.trained()} == {"upper", "decoder"}
    assert all(parameter.grad is not None for parameter in objective.trained().values())


def test_texts_are_answered_as_speech_is(learned: tuple[DualTraining, float, float]) -> None:
    objective, _, _ = learned
    utterances = labelled([*written(TEXTS[8:9]), *spoken(TEXTS[2:3]), *written(TEXTS[9:11])])

    answers = objective.answers(utterances, DecodingConfig(beams=1))

    assert [answer.text for answer in answers] == [utterance.text for utterance in utterances]
    assert [answer.labels.values for answer in answers if answer.labels] == [u.labels.slots for u in utterances]


def test_voices_are_those_of_real_speech_if_there_is_any() -> None:
    latents = torch.arange(4.0)[:, None, None].expand(4, 3, 2)
    lengths = torch.tensor([3, 3, 2, 1])

    def drawn(*is_real: bool) -> set[float]:
        voices = _voices(latents, lengths, torch.tensor(is_real), count=64)
        assert voices is not None
        return set(voices[:, 0].tolist())

    assert drawn(False, True, False, True) == {1.0, 3.0}
    assert drawn(False, False, False, False) == {0.0, 1.0, 2.0, 3.0}
    assert _voices(latents[:0], lengths[:0], torch.zeros(0, dtype=torch.bool), count=2) is None


def test_a_batch_says_which_of_what_is_heard_is_real(learned: tuple[DualTraining, float, float]) -> None:
    objective, _, _ = learned
    real, other = spoken(TOLD[:2])

    batch = objective.collate([*written(TEXTS[:1]), replace(other, is_synthetic=True), real])

    assert batch.tensors["is_real"].tolist() == [False, True]
    assert places().shape[1] == batch.tensors["latents"].shape[2]
