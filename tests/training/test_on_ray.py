"""A training on Ray's workers is the training that one process does."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import ray

from catalogs.errors import TrainingError, UsageError
from catalogs.progress import Progress
from training import session
from training.curve import rows_of
from training.on_ray import train_on_ray
from training.recipe import TrainRecipe, parse_recipe

Produce = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Any:
    yield
    ray.shutdown()


@pytest.fixture
def recipe(produce: Produce, tmp_path: Path) -> TrainRecipe:
    corpus = produce(tmp_path, "told", prompts=("good morning", "a large tea"), speakers=["anna", "bela"])
    table = {
        "name": "small",
        "folder": str(tmp_path / "alone"),
        "data": [{"corpus": str(corpus), "release": "told"}],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(tmp_path / "features")},
        "objective": {"method": "ctc"},
        "sampling": {"batch_s": 1.0, "buckets": 1},
        "optim": {"rate": 0.01},
        "loop": {"epochs": 3, "micro_batches": 2, "threads": 1, "log_every": 1, "save_every": 2},
    }
    return parse_recipe(table, source="test")


def test_more_workers_than_micro_batches_are_refused(recipe: TrainRecipe) -> None:
    with pytest.raises(UsageError, match=r"3 processes cannot share the 2 micro-batches .* set loop\.micro_batches"):
        train_on_ray(recipe, address=None, workers=3)


@pytest.mark.slow
def test_two_workers_train_as_one_process_does_and_tell_what_went_wrong(recipe: TrainRecipe, tmp_path: Path) -> None:
    alone = session.train(recipe, progress=Progress(quiet=True))

    together = train_on_ray(replace(recipe, folder=tmp_path / "together"), address=None, workers=2)

    assert together == replace(alone, folder=together.folder, loss=together.loss)
    losses = [[row["loss"] for row in rows_of(folder)] for folder in (alone.folder, together.folder)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    other = replace(recipe, folder=together.folder, name="other")
    with pytest.raises(TrainingError, match="holds another training"):
        train_on_ray(other, address=None, workers=2)
