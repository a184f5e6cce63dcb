"""The objective `slu`: labels and transcript of what is heard, and bounds to what it writes."""

from dataclasses import asdict, replace
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.records import Slot
from training.answering import DecodingConfig
from training.backbones.encoders import Encoder, TinyEncoderConfig
from training.labels import UNLABELLED, Labels
from training.objective import Utterance
from training.slu.understanding import Slu, SluConfig

from ..conftest import fit

WIDTH, SPLIT = 32, 1
SMALL = {"layers": 1, "width": 48, "heads": 2, "dropout": 0.0}
GREEDY = DecodingConfig(beams=1)
DRINKS, SIZES = ("tea", "latte", "cocoa", "mate", "milk"), ("small", "large")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return TinyEncoderConfig(width=WIDTH).build()


def orders() -> list[Utterance]:
    """Twenty takes whose frames hint at their characters: ten orders and ten questions about the same drinks."""
    made = []
    for intent, begins in (("order", "i want a"), ("ask", "how much is a")):
        for drink in DRINKS:
            for size in SIZES:
                text = f"{begins} {size} {drink}"
                labels = Labels(intent, (Slot("size", size),), (Slot("drink", drink),))
                letters = torch.tensor([ord(char) % 31 for char in text]).repeat_interleave(2)
                noise = torch.randn(len(letters), WIDTH, generator=torch.Generator().manual_seed(len(made)))
                features = (torch.nn.functional.one_hot(letters, WIDTH) * 3.0 + 0.1 * noise)[None]
                made.append(Utterance(text, text, text, "en", is_synthetic=False, features=features, labels=labels))
    return made


@pytest.fixture(scope="module")
def learned(encoder: Encoder) -> tuple[Slu, list[float]]:
    objective = parse(SluConfig, {"split": SPLIT, "decoder": SMALL}, source="test").build(encoder, num_layers=1, seed=0)
    return objective, fit(objective, orders(), steps=220, rate=4e-3)


def test_takes_are_learned_by_heart(learned: tuple[Slu, list[float]]) -> None:
    objective, losses = learned
    utterances = orders()

    answers = objective.answers(utterances, GREEDY)

    assert losses[-1] < 0.05 * losses[0]
    assert [answer.text for answer in answers] == [utterance.text for utterance in utterances]
    for utterance, answer in zip(utterances, answers, strict=True):
        assert answer.labels is not None
        assert (answer.labels.intent, answer.labels.values) == (utterance.labels.intent, utterance.labels.values)
        assert not answer.hit_limit


def test_only_the_decoder_and_the_upper_part_move(learned: tuple[Slu, list[float]], encoder: Encoder) -> None:
    objective, _ = learned

    assert all(parameter.grad is None for parameter in encoder.module.parameters())
    assert {name.partition(".")[0] for name in objective.trained()} == {"upper", "decoder"}
    assert all(parameter.grad is not None for parameter in objective.trained().values())


def test_an_answer_does_not_depend_on_its_company(learned: tuple[Slu, list[float]]) -> None:
    objective, _ = learned
    utterances = orders()

    alone = [answer for utterance in utterances for answer in objective.answers([utterance], GREEDY)]

    assert objective.answers(utterances, GREEDY) == alone


def test_what_is_kept_from_step_to_step_is_what_all_of_it_would_be(learned: tuple[Slu, list[float]]) -> None:
    objective, _ = learned
    batch = objective.collate(orders()[:3])
    decoder, tensors = objective.module.decoder, batch.tensors
    heard = objective.module.heard(tensors["features"][:, -1], tensors["lengths"])

    at_once = decoder(tensors["read"], decoder.begin(heard, tensors["lengths"]))
    written = decoder.begin(heard, tensors["lengths"])
    in_turn = torch.cat([decoder(tensors["read"][:, n : n + 1], written) for n in range(at_once.shape[1])], dim=1)

    torch.testing.assert_close(in_turn, at_once, rtol=1e-4, atol=1e-4)


def test_padding_is_neither_heard_nor_learned(learned: tuple[Slu, list[float]]) -> None:
    objective, _ = learned
    utterances = orders()

    together = objective.loss(objective.collate(utterances)).total
    apart = [objective.loss(objective.collate([utterance])).total for utterance in utterances]

    torch.testing.assert_close(together, torch.stack(apart).sum(), rtol=1e-4, atol=1e-3)


def test_what_never_ends_is_cut_at_its_limit(encoder: Encoder) -> None:
    objective = parse(SluConfig, {"decoder": SMALL, "room": 5}, source="test").build(encoder, num_layers=1, seed=0)
    with torch.no_grad():
        objective.module.decoder.out.bias[0] = -1e4
    frames = [torch.zeros(1, length, WIDTH) for length in (4, 40)]
    heard = [replace(one, features=features) for one, features in zip(orders(), frames, strict=False)]

    answers = objective.answers(heard, DecodingConfig(beams=1, spare_tokens=1, tokens_per_frame=0.25))

    assert [answer.num_tokens for answer in answers] == [5 + 4 * 2, 5 + 4 * 11]
    assert all(answer.hit_limit for answer in answers)


def test_a_text_or_a_label_that_cannot_be_written_is_refused(encoder: Encoder) -> None:
    objective = SluConfig().build(encoder, num_layers=1, seed=0)
    (utterance,) = orders()[:1]

    with pytest.raises(TrainingError, match=r"have 'ñ', which slu\.alphabet lacks"):
        objective.collate([replace(utterance, labels=Labels("mañana"))])
    with pytest.raises(TrainingError, match="no features"):
        objective.collate([replace(utterance, features=None)])
    assert objective.numbers(replace(utterance, spoken="a—b", labels=UNLABELLED)) == objective.numbers(
        replace(utterance, spoken="a b", labels=UNLABELLED)
    )
    assert objective.numbers(replace(utterance, spoken="don’t")) == objective.numbers(
        replace(utterance, spoken="don't")
    )
    with pytest.raises(TrainingError, match="not 2 beams"):
        objective.answers([utterance], DecodingConfig(beams=2))
    assert objective.answers([], GREEDY) == []


def test_a_table_survives_its_recipe_and_mistakes_are_named() -> None:
    table: dict[str, Any] = {"split": 1, "decoder": SMALL, "guide_from": "models/guide"}
    config = parse(SluConfig, table, source="test")

    assert parse(SluConfig, asdict(config), source="checkpoint") == config
    for wrong, message in [
        ({"alphabet": "abc"}, "among them"),
        ({"alphabet": "abc|;=\\"}, "slu.alphabet has no space"),
        ({"split": -1}, "number of a layer"),
        ({"guide_from": "x"}, r"slu\.split is missing"),
        ({"decoder": {"width": 30, "heads": 4}}, "multiple of heads"),
    ]:
        with pytest.raises(RecipeError, match=message):
            parse(SluConfig, wrong, source="test")
