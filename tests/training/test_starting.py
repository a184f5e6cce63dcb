"""What a training starts from is put in place, pinned by content, and known to the leak guard."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from catalogs.audio import hash_file
from catalogs.errors import RecipeError, TrainingError
from catalogs.models import artefact, sha256_of_folder
from training import checkpoint
from training.evaluation.leaks import had_by
from training.evaluation.trained import recogniser_of
from training.recipe import parse_recipe
from training.starting import differing, meaning_of, models_in

from .conftest import train_on

CTC = {"method": "ctc"}
TINY = {"rate": 1e-12, "warmup_steps": 0}


@pytest.fixture(scope="module")
def corpus(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("started")
    produce(folder, "told", prompts=["good morning", "see you at nine"], speakers=["anna"])
    return produce(folder, "orders", prompts=["a large tea", "one latte"], speakers=["cora"])


@pytest.fixture
def train(corpus: Path, tmp_path: Path) -> Callable[..., Path]:
    def run(name: str, release: str = "told", objective: dict[str, Any] = CTC, **more: Any) -> Path:
        return train_on(release, tmp_path, corpus, name, objective, **more)

    return run


def base_of(folder: Path) -> dict[str, Any]:
    base: dict[str, Any] = checkpoint.load(folder).provenance["base"]
    return base


def test_a_training_begins_with_what_another_has_learned(train: Callable[..., Path]) -> None:
    first = train("first", optim={"rate": 0.1, "warmup_steps": 0})

    second = train("second", "orders", start_from=str(first), optim=TINY)

    before, after = (checkpoint.load(folder).trained() for folder in (first, second))
    for name in before:
        torch.testing.assert_close(after[name], before[name], rtol=0, atol=1e-6)


def test_provenance_pins_what_it_was_by_content(train: Callable[..., Path]) -> None:
    first = train("first")
    second = train("second", "orders", start_from=str(first))
    third = train("third", "orders", start_from=str(second))

    started = base_of(second)["started_from"]["start_from"]
    assert started["sha256"] == hash_file(checkpoint.load(first).folder / "trained.safetensors")
    assert started["training"] == checkpoint.load(first).provenance["training"]
    assert base_of(third)["root"] == base_of(second)["root"] == base_of(first)["id"] == base_of(first)["root"]
    assert len({base_of(folder)["id"] for folder in (first, second, third)}) == 3


def test_the_base_is_the_seed_and_the_weights_and_not_the_speech(train: Callable[..., Path]) -> None:
    loop = {"epochs": 1, "steps": 1, "threads": 1, "log_every": 1, "save_every": 1, "seed": 5}

    ids = [base_of(folder)["id"] for folder in (train("a"), train("b", "orders"), train("c", loop=loop))]

    assert ids[0] == ids[1] != ids[2]


def test_a_projector_that_was_gone_on_from_is_pinned(train: Callable[..., Path]) -> None:
    small = {"language_model": {"name": "tiny"}, "projector": {"hidden": 16}}
    warm = train("warm", objective=small | {"method": "warm_start"})

    found = train("listener", "orders", small | {"method": "slam_asr", "projector_from": str(warm)})

    (pin,) = base_of(found)["started_from"].items()
    assert pin[0] == "objective.projector_from"
    assert pin[1]["sha256"] == hash_file(checkpoint.load(warm).folder / "trained.safetensors")
    assert base_of(found)["root"] == base_of(found)["id"]


def test_what_it_started_from_is_known_to_the_guard(train: Callable[..., Path]) -> None:
    first = train("first")
    second = train("second", "orders", start_from=str(first))

    assert {"good morning", "a large tea"} <= had_by(second)["texts"].keys()
    assert recogniser_of(second).name == "second@1"


def test_a_training_that_began_from_something_else_does_not_go_on(train: Callable[..., Path]) -> None:
    first = train("first")
    train("second", "orders", start_from=str(first))
    other = train("other", optim={"rate": 0.1, "warmup_steps": 0})
    shutil.copytree(other / "step-00000001", first / "step-00000002")

    with pytest.raises(TrainingError, match="has been trained on; name the step folder"):
        train("second", "orders", start_from=str(first))


@pytest.mark.parametrize(
    ("objective", "more", "message"),
    [
        ({"method": "ctc", "alphabet": " abcdefghijklmnopqrstuvwxyzé"}, {}, "objective.alphabet"),
        (CTC, {"encoder": {"name": "tiny", "seed": 4}}, "hears another encoder"),
    ],
)
def test_a_start_that_means_something_else_is_refused(
    train: Callable[..., Path], objective: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    first = train("first")

    with pytest.raises(TrainingError, match=message):
        train("second", "orders", objective, start_from=str(first), **more)


def test_a_start_that_is_no_name_is_a_mistake_of_the_recipe() -> None:
    with pytest.raises(RecipeError, match="start_from = 3: expected the folder"):
        parse_recipe({"name": "x", "start_from": 3, "data": [], "objective": CTC}, source="test")


def test_a_recipe_without_a_start_is_the_one_it_was() -> None:
    data = [{"corpus": "c", "release": "r"}]
    table = {"name": "x", "data": data, "objective": CTC, "encoder": {"name": "tiny"}}

    found = parse_recipe(table, source="test")
    assert not any(key in found.definition for key in ("start_from", "batch_takes", '"order"'))
    assert '"order":"texts"' in parse_recipe(table | {"sampling": {"order": "texts"}}, source="test").definition


def test_pretrained_models_are_pinned_by_the_hashes_of_their_files(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    table = {
        "name": "smollm2",
        "encoder": {"name": "whisper", "checkpoint": "whisper-tiny-en", "revision": None},
        "objective": {"method": "x", "language_model": {"name": "causal_lm", "checkpoint": str(tmp_path)}},
    }

    found = dict(models_in(table))

    assert found.keys() == {"encoder.checkpoint", "objective.language_model.checkpoint"}
    assert found["encoder.checkpoint"] == artefact("whisper-tiny-en").sha256
    assert found["objective.language_model.checkpoint"] == sha256_of_folder(tmp_path)
    assert dict(models_in({"objective": {"language_model": {"name": "smollm2"}}})) == {
        "objective.language_model.name": artefact("smollm2-135m").sha256
    }


def test_dropout_and_what_it_goes_on_from_are_no_part_of_what_parameters_mean() -> None:
    one = {"objective": {"method": "ctc", "dropout": 0.1, "projector_from": "a"}, "features": {"layers": (-1,)}}
    other = {"objective": {"method": "ctc", "dropout": 0.0}, "features": {"layers": [-1], "dtype": "float32"}}

    assert meaning_of(one) == meaning_of(other)
    assert differing({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b = 1, not 2"
