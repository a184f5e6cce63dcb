"""A transducer as a guide that a synthesiser learns through, and as the recogniser that hears what it makes."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import TrainingError
from training.answering import DecodingConfig
from training.backbones.encoders import Encoder
from training.ctc import Ctc
from training.lasyn.dual import DualTraining
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.methods import DualTrainingMethod, FixedSynthesisMethod
from training.lasyn.recogniser import guide
from training.transducer import Transducer, TransducerConfig

from ..conftest import fit
from .conftest import SPLIT, TOLD, UNTOLD, keep, spoken, written

TABLE = {"method": "transducer", "split": SPLIT, "width": 48, "every": 4}
GREEDY = DecodingConfig(beams=1)


@pytest.fixture(scope="module")
def listening(encoder: Encoder) -> Transducer:
    """A transducer that reads the made-up latents."""
    made = parse(TransducerConfig, TABLE, source="test").build(encoder, num_layers=1, seed=0)
    fit(made, spoken(TOLD), steps=120, rate=6e-3)
    return made


@pytest.fixture(scope="module")
def folder(listening: Transducer, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> str:
    return keep(tmp_path_factory.mktemp("transducer"), listening, encoder, TABLE)


def synthesis(folder: str, encoder: Encoder, *, frames_per_phone: int) -> GuidedSynthesis:
    small = {"filters": 48, "layers": 3, "kernel": 5, "frames_per_phone": frames_per_phone}
    table = {"guide_from": folder, "synthesiser": small, "unknown": "refuse"}
    return parse(FixedSynthesisMethod, table, source="test").build(encoder, num_layers=1, seed=3)


def heard_in(objective: GuidedSynthesis, texts: list[str]) -> tuple[float, float]:
    """What the guide loses per character on what is made of some texts, and the share of texts that it writes."""
    utterances, batch = written(texts), objective.collate(written(texts))
    with torch.no_grad():
        lost = float(objective.loss(batch).total) / batch.num_targets
        latents, lengths = objective.synthesiser(batch.tensors["phones"], batch.tensors["num_phones"])
    rows = [row[:length] for row, length in zip(latents, lengths.tolist(), strict=True)]
    answers = objective._guide.answers(utterances, rows)
    return lost, sum(answer == text for answer, text in zip(answers, texts, strict=True)) / len(texts)


@pytest.fixture(scope="module", params=[4, 1])
def learned(request: Any, folder: str, encoder: Encoder) -> tuple[GuidedSynthesis, float]:
    """A synthesiser of so many frames a phone, four to a stack, and what the guide lost on new texts before."""
    objective = synthesis(folder, encoder, frames_per_phone=request.param)
    before, _ = heard_in(objective, UNTOLD)
    fit(objective, written(TOLD), steps=60, rate=3e-3)
    return objective, before


def test_the_guide_hears_texts_even_where_there_are_fewer_frames_than_characters(
    learned: tuple[GuidedSynthesis, float],
) -> None:
    objective, before = learned

    (_, told), (lost, _) = heard_in(objective, TOLD), heard_in(objective, UNTOLD)

    assert told >= 0.5
    assert lost < 0.5 * before


def test_the_guide_is_left_exactly_as_it_was(
    learned: tuple[GuidedSynthesis, float], listening: Transducer, encoder: Encoder
) -> None:
    guide = learned[0].module["guide"]

    assert all(torch.equal(value, listening.trained()[name]) for name, value in guide.state_dict().items())
    assert all(p.grad is None for p in (*guide.parameters(), *encoder.module.parameters()))
    assert all(p.grad is not None for p in learned[0].trained().values())


def test_the_two_parts_of_a_recogniser_are_its_whole(folder: str, encoder: Encoder) -> None:
    recogniser = guide(folder, encoder)
    wave = torch.sin(torch.arange(9_000) / 9)

    (latents,) = recogniser.encode_low([wave])
    batch = recogniser.head.collate([replace(written(["tea"])[0], features=latents[None])])  # type: ignore[attr-defined]  # a guide is an objective
    found = recogniser.decode_high(latents[None], torch.tensor([len(latents)]), batch)

    torch.testing.assert_close(found.total, recogniser.head.loss(batch).total)  # type: ignore[attr-defined]  # see above


def dual(encoder: Encoder, **settings: Any) -> DualTraining:
    table = {"recogniser": TABLE, "unknown": "refuse", "mask": 0.0} | settings
    return parse(DualTrainingMethod, table, source="test").build(encoder, num_layers=1, seed=0)


def test_it_hears_real_and_made_latents_in_one_loss(
    learned: tuple[GuidedSynthesis, float], folder: str, encoder: Encoder, listening: Transducer, tmp_path: Any
) -> None:
    repeats = learned[0].synthesiser._repeats
    small = {"filters": 48, "layers": 3, "kernel": 5, "frames_per_phone": repeats}
    table = {"method": "lasyn_fixed", "guide_from": folder, "synthesiser": small, "unknown": "refuse"}
    objective = dual(encoder, guide_from=folder, synthesiser_from=keep(tmp_path, learned[0], encoder, table))
    real, texts = spoken(TOLD[:3]), written(TOLD[4:7])

    both = objective.loss(objective.collate([*real, *texts]))
    apart = [objective.loss(objective.collate(part)) for part in (real, texts)]
    alone = listening.loss(listening.collate(real))
    answers = objective.answers([*texts, *real], GREEDY)

    torch.testing.assert_close(both.total, apart[0].total + apart[1].total, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(apart[0].total, alone.total, rtol=1e-4, atol=1e-3)
    assert [answer.text for answer in answers][3:] == [each.text for each in real]
    assert sum(answer.text == each.text for answer, each in zip(answers, texts, strict=False)) >= 2
    assert objective.trained().keys() == listening.trained().keys()


def test_a_ctc_gives_it_its_upper_part_and_the_other_way_round(
    guide_folder: str, reading: Ctc, folder: str, listening: Transducer, encoder: Encoder
) -> None:
    ours = dual(encoder, guide_from=guide_folder).trained()
    theirs = dual(encoder, guide_from=folder, recogniser={"method": "ctc", "split": SPLIT}).trained()

    for taken, given in ((ours, reading.trained()), (theirs, listening.trained())):
        upper = {name for name in given if name.startswith("upper.")}
        assert upper
        assert all(torch.equal(taken[name], given[name]) for name in upper)
    assert not torch.equal(ours["out.weight"], listening.trained()["out.weight"])


@pytest.mark.parametrize(("key", "value"), [("split", 1), ("every", 3), ("width", 24), ("context", 1)])
def test_a_guide_of_another_shape_is_refused(folder: str, encoder: Encoder, key: str, value: int) -> None:
    with pytest.raises(TrainingError, match=rf"the guide has {key} \d+, and this recipe's recogniser {value};"):
        dual(encoder, guide_from=folder, recogniser=TABLE | {key: value})
