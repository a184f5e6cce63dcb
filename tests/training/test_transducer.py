"""A transducer on kept frames: deaf to padding and company, tuned above its split, and going on where it was killed."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.ids import content_id
from training import checkpoint
from training.alphabet import BLANK
from training.answering import DecodingConfig
from training.backbones.encoders import Encoder, TinyEncoderConfig
from training.curve import SPEED, rows_of
from training.loop import Loop, LoopConfig
from training.members import Member
from training.objective import Utterance
from training.optim import OptimConfig
from training.sampling import Draw, Epochs, SamplingConfig
from training.transducer import MOST_AT_ONCE, Transducer, TransducerConfig

from .conftest import WIDTH, drawn_utterances, fit

GREEDY = DecodingConfig(beams=1)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return TinyEncoderConfig().build()


def tiny(encoder: Encoder, *, is_split: bool = False, **more: Any) -> Transducer:
    """A small one, with what is above layer 1 of an encoder, or without."""
    config = TransducerConfig(split=1 if is_split else None, width=64, **more)
    return config.build(encoder, num_layers=1, seed=0)


def heard(text: str, num_frames: int = 40, width: int = 32) -> Utterance:
    """Frames of one layer, another sequence for every text: those of a letter are alike."""
    random, shapes = torch.Generator().manual_seed(len(text)), torch.Generator().manual_seed(5)
    letters = torch.randn(128, width, generator=shapes)
    says = [ord(char) for char in (text or " ")]
    rows = letters[[says[frame * len(says) // num_frames] for frame in range(num_frames)]]
    features = rows + 0.1 * torch.randn(num_frames, width, generator=random)
    return Utterance(content_id("take", text), text, text, "en", is_synthetic=True, features=features[None])


@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("is_split", [False, True])
def test_company_and_padding_make_no_difference(encoder: Encoder, is_split: bool, every: int) -> None:
    objective = tiny(encoder, is_split=is_split, every=every)
    utterances = [heard("tea", 20), heard("one large cup of coffee", 91), heard("", 1), heard("cake", 3)]
    batch = objective.collate(utterances)

    together = float(objective.loss(batch).total.detach())
    alone = sum(float(objective.loss(objective.collate([one])).total.detach()) for one in utterances)
    batch.tensors["features"][0, :, 20:] = 1e3
    loud = float(objective.loss(batch).total.detach())

    assert together == pytest.approx(alone, rel=1e-5)
    assert loud == pytest.approx(together, rel=1e-5)


@pytest.mark.parametrize("every", [1, 2, 5])
def test_every_frame_is_in_one_stack(encoder: Encoder, every: int) -> None:
    module = tiny(encoder, every=every).module
    frames = torch.randn(1, 11, 32, requires_grad=True)

    for length in range(1, 12):
        (stacks,), (count,) = module.heard(frames, torch.tensor([length]))
        (reach,) = torch.autograd.grad(stacks[:count].square().sum(), frames)
        assert int(count) == -(-length // every)
        assert reach[0].abs().sum(dim=-1).gt(0).tolist() == [frame < length for frame in range(11)]


def test_a_character_is_told_the_few_before_it_and_none_behind(encoder: Encoder) -> None:
    module = tiny(encoder, context=2).module.eval()
    frames, lengths = torch.randn(1, 4, 32), torch.tensor([4])
    written = torch.tensor([[5, 6, 7, 8, 9]])

    before, _ = module(frames, lengths, written)
    written[0, 2] = 20
    after, _ = module(frames, lengths, written)

    changed = (before != after).any(dim=-1).any(dim=1)[0]
    assert changed.tolist() == [False, False, False, True, True, False]


@pytest.mark.parametrize("is_split", [False, True])
def test_its_parts_and_what_is_above_the_split_are_tuned(encoder: Encoder, is_split: bool) -> None:
    objective = tiny(encoder, is_split=is_split)

    objective.loss(objective.collate([heard("tea"), heard("a cup", 30)])).total.backward()

    trained = objective.trained()
    own = {"norm", "stack", "embedding", "context", "tell", "out"}
    assert {name.partition(".")[0] for name in trained} == own | ({"upper"} if is_split else set())
    assert all(p.grad is not None and p.grad.any() for name, p in trained.items() if "k_proj" not in name)
    assert all(p.grad is None for p in encoder.module.parameters())


@pytest.fixture(scope="module", params=[False, True])
def learned(request: Any, encoder: Encoder) -> tuple[Transducer, list[Utterance]]:
    """One that has learned five utterances by heart, one of them with more characters than stacks of frames."""
    objective = tiny(encoder, is_split=request.param)
    utterances = [
        heard("tea", 12), heard("coffee", 22), heard("one large cup", 29), heard("too much milk", 9), heard("", 3),
    ]  # fmt: skip
    fit(objective, utterances, steps=80)
    return objective, utterances


def test_it_learns_texts_by_heart_and_writes_them_in_any_company(learned: tuple[Transducer, list[Utterance]]) -> None:
    objective, utterances = learned

    answers = objective.answers(utterances, GREEDY)

    assert [answer.text for answer in answers] == [utterance.text for utterance in utterances]
    assert [answer.num_tokens for answer in answers] == [len(utterance.text) for utterance in utterances]
    assert answers == [answer for each in utterances for answer in objective.answers([each], GREEDY)]
    assert not any(answer.hit_limit for answer in answers)
    assert objective.module.training


def test_its_steps_are_those_of_a_search_frame_by_frame(learned: tuple[Transducer, list[Utterance]]) -> None:
    objective, utterances = learned
    module = objective.module.eval()

    for utterance in utterances:
        assert utterance.features is not None
        frames, length = utterance.features, torch.tensor([utterance.features.shape[1]])
        (stacks,), _ = module.heard(frames, length)
        written = [BLANK] * 4
        for stack in stacks:
            while best := int(module.join(stack, module.told(torch.tensor([written[-4:]]))[0, 0]).argmax()):
                written.append(best)
        (found,), _ = module.likeliest(frames, length)
        assert [number for number in found.tolist() if number] == written[4:]
    module.train()


def test_what_writes_on_and_on_is_cut_at_every_stack(encoder: Encoder) -> None:
    objective = tiny(encoder)
    with torch.no_grad():
        objective.module.out.bias[3] = 1e3

    answers = objective.answers([heard("tea", 7), heard("coffee", 50)], GREEDY)

    assert [(answer.num_tokens, answer.hit_limit) for answer in answers] == [
        (4 * MOST_AT_ONCE, True),
        (25 * MOST_AT_ONCE, True),
    ]
    assert set(answers[0].text) == {objective.shape["alphabet"][2]}
    assert objective.answers([], GREEDY) == []


def test_a_loss_in_bfloat16_is_summed_in_float32(encoder: Encoder) -> None:
    objective = tiny(encoder, is_split=True)
    batch = objective.collate([heard("tea", 20), heard("coffee please", 50)])
    whole = objective.loss(batch).total

    with torch.autocast("cpu", torch.bfloat16):
        rounded = objective.loss(batch).total

    assert rounded.dtype == torch.float32
    assert float(rounded) == pytest.approx(float(whole), rel=0.02)


def train(folder: Path, members: Sequence[Member], *, lives: int = 10**6) -> dict[str, torch.Tensor]:
    """Twelve steps, with dropout; killed after so many batches."""
    torch.manual_seed(0)
    objective = Transducer(WIDTH, TransducerConfig(dropout=0.1, width=16))

    def dying(draws: Sequence[Draw]) -> list[Utterance]:
        nonlocal lives
        lives -= 1
        if lives < 0:
            raise KeyboardInterrupt
        return drawn_utterances(draws)

    epochs = Epochs(members, SamplingConfig(batch_s=12.0, buckets=3), seed=0, epochs=3)
    config = LoopConfig(epochs=3, threads=1, log_every=2, save_every=4)
    Loop(objective, epochs, dying, config=config, optim=OptimConfig(rate=0.01), folder=folder).run({}, total_steps=12)
    return checkpoint.load(folder).trained()


@pytest.mark.parametrize("lives", [1, 6])
def test_a_killed_training_goes_on_with_the_same_curve_bit_by_bit(
    tmp_path: Path, members: list[Member], lives: int
) -> None:
    whole = train(tmp_path / "whole", members)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", members, lives=lives)
    resumed = train(tmp_path / "killed", members)

    one, other = (
        [{name: value for name, value in row.items() if name not in SPEED} for row in rows_of(tmp_path / name)]
        for name in ("killed", "whole")
    )
    assert one == other
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    assert one[-1]["loss"] < one[0]["loss"]


@pytest.mark.parametrize(
    ("utterance", "message"),
    [
        (replace(heard("tea"), features=None), "no features; expected"),
        (heard("room 9"), r"its text has '9', which transducer\.alphabet lacks"),
    ],
)
def test_what_it_cannot_learn_from_is_told(encoder: Encoder, utterance: Utterance, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        tiny(encoder).collate([utterance])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"alphabet": "aa"}, "must name characters, each once"),
        ({"every": 0}, "must be at least 1"),
        ({"dropout": 1.0}, "from 0 to below 1"),
        ({"split": -1}, "number of a layer, from 0"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_loaded(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(TransducerConfig, wrong, source="test")


def test_beams_and_splits_that_it_does_not_have_are_refused(encoder: Encoder) -> None:
    with pytest.raises(TrainingError, match="not by 4 beams; use 1"):
        tiny(encoder).answers([], DecodingConfig(beams=4))
    with pytest.raises(TrainingError, match="split = 9: expected 0 to 3"):
        TransducerConfig(split=9).build(encoder, num_layers=1, seed=0)


def test_a_table_survives_its_recipe() -> None:
    config = TransducerConfig(split=2, every=3)

    assert parse(TransducerConfig, asdict(config), source="checkpoint") == config
