"""Learning rates of some parameters: by a part of their names, and otherwise as those of all."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from catalogs.errors import RecipeError, TrainingError
from tests.training.test_whisper_asr import tiny as tiny_whisper
from training import checkpoint
from training.backbones.encoders import TinyEncoderConfig
from training.ctc import Ctc, CtcConfig
from training.curve import SPEED, rows_of
from training.loop import Loop, LoopConfig
from training.members import Member
from training.objective import Utterance
from training.optim import OptimConfig
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Draw, Epochs, SamplingConfig

from .conftest import drawn_utterances, train_on

NAMES = (
    "blank",
    "lm.model.layers.1.self_attn.q_proj.lora_A.default.weight",
    "lm.model.layers.10.self_attn.q_proj.weight",
    "projector.norm.weight",
    "projector.out.weight",
)
SMALL = {"language_model": {"name": "tiny"}, "projector": {"hidden": 16}}
STEPS = 12


def recipe(*, optim: dict[str, Any], objective: dict[str, Any] | None = None) -> TrainRecipe:
    table: dict[str, Any] = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "tiny"}}
    return parse_recipe(table | {"objective": objective or {"method": "ctc"}, "optim": optim}, source="test")


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (None, [1, 1, 1, 1, 1]),
        ({"projector": 5}, [1, 1, 1, 5, 5]),
        ({"lora": 5}, [1, 5, 1, 1, 1]),
        ({"lora_A": 5}, [1, 5, 1, 1, 1]),
        ({"layers.1": 5}, [1, 5, 1, 1, 1]),
        ({"lm": 5, "blank": 7}, [7, 5, 5, 1, 1]),
        ({"projector": 5, "projector.norm": 7}, [1, 1, 1, 7, 5]),
        ({"projector.norm": 7, "projector": 5}, [1, 1, 1, 7, 5]),
        ({"q_proj": 5, "norm": 7}, [1, 5, 5, 7, 1]),
    ],
)
def test_a_key_is_a_whole_part_of_a_name(rates: dict[str, float] | None, expected: list[float]) -> None:
    found = OptimConfig(rate=1.0, rates=rates).rates_of(NAMES)

    assert [found[name] for name in NAMES] == expected


@pytest.mark.parametrize("key", ["lor", "layers.", "proj", "lm.layers", "roj.out", "l.m"])
def test_a_key_that_is_in_no_name_is_told_what_there_is(key: str) -> None:
    with pytest.raises(
        TrainingError, match=r"is in the name of nothing that is trained; there are blank, default"
    ) as refused:
        OptimConfig(rates={key: 1.0, "projector": 1.0}).rates_of(NAMES)

    assert f"{key!r}" in str(refused.value)
    assert "10" not in str(refused.value)


def test_a_parameter_that_two_keys_fit_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"'norm' and 'projector' both fit projector\.norm\.weight"):
        OptimConfig(rates={"projector": 1.0, "norm": 2.0}).rates_of(NAMES)


def test_methods_name_their_parts() -> None:
    encoder = TinyEncoderConfig().build()
    lora = {"language_model": {"name": "tiny", "lora": {"r": 2}}, "projector": {"hidden": 16}}
    mixture: dict[str, Any] = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "tiny"}}
    mixture |= {"mixture": {}, "objective": {"method": "jstip", **SMALL, "tuned": "all"}}
    listening: Any = recipe(optim={}, objective={"method": "slam_asr", **lora}).objective
    tuned: Any = parse_recipe(mixture, source="test").objective
    trained = {
        "slam_asr": listening.build(encoder, num_layers=1, seed=0).trained(),
        "jstip": tuned.build(encoder, num_layers=1, seed=0).trained(),
        "whisper": tiny_whisper().trained(),
        "ctc": CtcConfig(split=1).build(encoder, num_layers=1, seed=0).trained(),
    }

    def asked(method: str, **rates: float) -> dict[str, float]:
        return OptimConfig(rate=1.0, rates=rates).rates_of(trained[method])

    assert set(asked("slam_asr", projector=2.0, lora=3.0).values()) == {2.0, 3.0}
    assert set(asked("jstip", projector=2.0, lm=3.0).values()) == {2.0, 3.0}
    whisper = asked("whisper", encoder=2.0, embed_tokens=3.0)
    assert whisper["model.decoder.embed_tokens.weight"] == 3.0
    assert whisper["model.decoder.layer_norm.weight"] == 1.0
    assert whisper["model.encoder.layer_norm.weight"] == 2.0
    assert set(asked("ctc", upper=2.0).values()) == {1.0, 2.0}


def begun(folder: Path, objective: Ctc, members: Sequence[Member], optim: OptimConfig, load: Any) -> Loop:
    config = LoopConfig(epochs=2, threads=1, log_every=2, save_every=4)
    epochs = Epochs(members, SamplingConfig(batch_s=12.0), seed=0, epochs=2)
    return Loop(objective, epochs, load, config=config, optim=optim, folder=folder)


def train(
    folder: Path, objective: Ctc, members: Sequence[Member], optim: OptimConfig, load: Any = drawn_utterances
) -> dict[str, torch.Tensor]:
    begun(folder, objective, members, optim, load).run({}, total_steps=STEPS)
    return checkpoint.load(folder).trained()


def test_every_group_has_its_share_of_the_rate_of_each_step(
    tmp_path: Path, members: list[Member], new_ctc: Callable[[], Ctc]
) -> None:
    optim = OptimConfig(rate=0.01, rates={"out": 0.04, "norm.bias": 0.001}, warmup_steps=4, schedule="linear")
    objective = new_ctc()
    loop = begun(tmp_path, objective, members, optim, drawn_utterances)
    names = {id(parameter): name for name, parameter in objective.trained().items()}
    had: list[dict[str, float]] = []
    loop._optimizer.register_step_pre_hook(
        lambda made, _, __: had.append({names[id(p)]: g["lr"] for g in made.param_groups for p in g["params"]})
    )

    loop.run({}, total_steps=STEPS)

    shares = {"norm.bias": 0.1, "norm.weight": 1.0, "out.bias": 4.0, "out.weight": 4.0}
    assert len(had) == STEPS
    for step, rates in enumerate(had):
        rate = optim.rate_at(step, of=STEPS)
        assert rates == {name: pytest.approx(rate * share) for name, share in shares.items()}
    assert [row["rate"] for row in rows_of(tmp_path)] == [optim.rate_at(step, of=STEPS) for step in range(1, STEPS, 2)]


def test_a_rate_of_its_own_is_how_far_a_parameter_goes(
    tmp_path: Path, members: list[Member], new_ctc: Callable[[], Ctc]
) -> None:
    before = {name: parameter.detach().clone() for name, parameter in new_ctc().trained().items()}

    plain = train(tmp_path / "plain", new_ctc(), members, OptimConfig(rate=0.02))
    named = train(tmp_path / "named", new_ctc(), members, OptimConfig(rate=0.02, rates={"out": 0.02}))
    still = train(tmp_path / "still", new_ctc(), members, OptimConfig(rate=0.02, rates={"out": 1e-12}))

    assert all(torch.equal(plain[name], named[name]) for name in plain)
    for name in before:
        is_still = torch.allclose(still[name], before[name], atol=1e-9)
        assert is_still == name.startswith("out")


@pytest.mark.parametrize("after", [3, 10])
def test_a_killed_training_goes_on_with_the_same_curve_bit_by_bit(
    tmp_path: Path, members: list[Member], new_ctc: Callable[[], Ctc], after: int
) -> None:
    optim = OptimConfig(rate=0.02, rates={"out": 0.005, "norm.bias": 0.03}, warmup_steps=2, schedule="cosine")
    left = after

    def dying(draws: Sequence[Draw]) -> list[Utterance]:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return drawn_utterances(draws)

    whole = train(tmp_path / "whole", new_ctc(), members, optim)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", new_ctc(), members, optim, dying)
    resumed = train(tmp_path / "killed", new_ctc(), members, optim)

    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    curves = [
        [{name: value for name, value in row.items() if name not in SPEED} for row in rows_of(tmp_path / folder)]
        for folder in ("whole", "killed")
    ]
    assert curves[0] == curves[1]


def test_a_recipe_has_rates_or_is_the_one_it_was() -> None:
    assert '"rates"' not in recipe(optim={"rate": 0.1}).definition
    asked = recipe(optim={"rates": {"out": 0.1, "norm": 0.2}})
    assert asked.id == recipe(optim={"rates": {"norm": 0.2, "out": 0.1}}).id != recipe(optim={}).id
    assert parse_recipe(asked.table(), source="stored") == asked


@pytest.mark.parametrize("rates", [{"out": 0.0}, {"out": -1.0}, {"": 1.0}, {"out": float("inf")}, {"out": "fast"}])
def test_a_rate_is_a_number_above_0(rates: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="rates"):
        recipe(optim={"rates": rates})


def test_a_mistake_is_told_before_anything_is_encoded(produce: Callable[..., Path], tmp_path: Path) -> None:
    corpus = produce(tmp_path, "told", prompts=["good morning", "pay my bill"], speakers=["anna"])

    with pytest.raises(TrainingError, match="'projector' is in the name of nothing that is trained; there are bias"):
        train_on("told", tmp_path, corpus, "small", {"method": "ctc"}, optim={"rates": {"projector": 0.1}})

    assert not list((tmp_path / "features").rglob("*.safetensors"))
