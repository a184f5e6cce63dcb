"""One command at a time trains in a folder, and goes on from nothing but its own checkpoints."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import TrainingBusy, TrainingError
from catalogs.progress import SILENT
from training import checkpoint, session
from training.claiming import LOCK, RECIPE, claimed
from training.curve import rows_of
from training.recipe import TrainRecipe, parse_recipe

from .conftest import killed_behind_a_checkpoint, table_of_three

HOLDER = """
import sys
from pathlib import Path
from types import SimpleNamespace
from training.claiming import claimed

with claimed(SimpleNamespace(folder=Path(sys.argv[1]), definition="{}", id="other")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def told(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return table_of_three(produce, tmp_path_factory.mktemp("claimed"), epochs=3)


@pytest.fixture
def recipe(told: dict[str, Any], tmp_path: Path) -> TrainRecipe:
    return parse_recipe(told | {"folder": str(tmp_path / "small")}, source="test")


def train(recipe: TrainRecipe) -> session.Trained:
    return session.train(recipe, progress=SILENT)


def at_another_rate(recipe: TrainRecipe) -> TrainRecipe:
    return replace(recipe, optim=replace(recipe.optim, rate=2 * recipe.optim.rate))


def held(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for who holds it."""
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file() and p.name != LOCK}


def test_a_second_training_is_told_who_trains_and_the_lock_ends_with_its_process(recipe: TrainRecipe) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, recipe.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    before = held(recipe.folder)

    with pytest.raises(
        TrainingBusy, match=rf"{recipe.folder} is .* by process {holder.pid} on .*, since .*; wait for it"
    ):
        train(recipe)

    assert held(recipe.folder) == before
    holder.kill()
    holder.wait()
    assert train(recipe).steps


@pytest.mark.parametrize("other", [False, True])
def test_a_training_that_is_under_way_is_left_alone(recipe: TrainRecipe, other: bool) -> None:
    with killed_behind_a_checkpoint():
        train(recipe)
    before = held(recipe.folder)

    second = at_another_rate(recipe) if other else recipe
    refused = "holds another training" if other else "process .* wait for it"
    with claimed(recipe), pytest.raises(TrainingError, match=refused):
        train(second)

    assert held(recipe.folder) == before
    assert train(recipe).steps == len(rows_of(recipe.folder)) > 1


def test_a_training_that_ends_while_another_looks_is_looked_at(
    recipe: TrainRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes while the first trains, and has its figures from it."""
    with killed_behind_a_checkpoint():
        train(recipe)
    looked, read = [], session.read_data

    def first_ends(config: Any) -> Any:
        if not looked:
            looked.append("once")
            claim.__exit__(None, None, None)
            looked.append(train(recipe))
        return read(config)

    claim = claimed(recipe)
    claim.__enter__()
    monkeypatch.setattr(session, "read_data", first_ends)

    assert train(recipe) == looked[1]


def test_a_finished_training_is_looked_at_by_several_at_once(recipe: TrainRecipe) -> None:
    first = train(recipe)
    before = held(recipe.folder)

    with claimed(recipe):
        assert train(recipe) == first

    assert held(recipe.folder).keys() == before.keys()


@pytest.mark.parametrize("told_by_recipe", [True, False])
def test_weights_of_another_recipe_are_not_gone_on_from(recipe: TrainRecipe, told_by_recipe: bool) -> None:
    """A folder in which two recipes were trained at once has the recipe of one and the checkpoint of the other."""
    train(at_another_rate(recipe))
    path = recipe.folder / RECIPE
    if told_by_recipe:
        path.write_text(recipe.definition + "\n")
    else:
        path.unlink()
    last = checkpoint.load(recipe.folder).folder

    with pytest.raises(TrainingError, match=rf"{last} was trained by another recipe.*another folder, or remove"):
        train(recipe)

    shutil.rmtree(recipe.folder)
    assert train(recipe).steps


def test_a_folder_whose_recipe_is_gone_gets_it_again(recipe: TrainRecipe) -> None:
    found = train(recipe)
    (recipe.folder / RECIPE).unlink()

    for held_by_another in (claimed(recipe), nullcontext()):
        with held_by_another:
            assert train(recipe) == found
        assert json.loads((recipe.folder / RECIPE).read_text()) == recipe.table()


def test_a_lock_says_nothing_of_a_training_that_has_ended(recipe: TrainRecipe) -> None:
    with claimed(recipe):
        assert json.loads((recipe.folder / LOCK).read_text())["pid"]

    assert (recipe.folder / LOCK).read_text() == ""
