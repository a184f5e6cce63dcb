"""Recipes of trainings: every mistake is one sentence that names its key, and what was right stays what it was."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import RecipeError
from training.recipe import load_recipe, parse_recipe

TABLE: dict[str, Any] = {
    "name": "x",
    "data": [{"corpus": "c", "release": "r"}],
    "encoder": {"name": "tiny"},
    "objective": {"method": "ctc"},
}


def mistakes_of(**changes: Any) -> str:
    """The message that a recipe with these tables is refused with."""
    with pytest.raises(RecipeError) as caught:
        parse_recipe(TABLE | changes, source="x.toml")
    return str(caught.value)


@pytest.mark.parametrize("key", ["features", "augmentation", "sampling", "optim", "loop", "mixture", "validation"])
@pytest.mark.parametrize("given", [5, "much", True, [1]])
def test_a_table_that_is_none_is_told(key: str, given: Any) -> None:
    assert f"{key} = {given!r}: expected a table" in mistakes_of(**{key: given})


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"encoder": "whisper"}, "encoder = 'whisper': expected a table"),
        ({"objective": "ctc"}, "objective = 'ctc': expected a table"),
        ({"objective": ["ctc"]}, "objective = ['ctc']: expected a table"),
        ({"objective": {"method": "ctc", "penalty": 0.1}}, "objective.penalty = 0.1: expected a table"),
        ({"objective": {"method": "ctc", "masking": "some"}}, "objective.masking = 'some': expected a table"),
        ({"objective": {"method": 5}}, "objective: method = 5: expected a text; one of ctc,"),
        ({"data": TABLE["data"][0]}, "data = {'corpus': 'c', 'release': 'r'}: expected tables [[data]]"),
        ({"data": "x"}, "data = 'x': expected tables [[data]]"),
        ({"data": 7}, "data = 7: expected tables [[data]]"),
        ({"data": ["x"]}, "data.0 = 'x': expected a table"),
        ({"data": [TABLE["data"][0], 1]}, "data.1 = 1: expected a table"),
        ({"optim": {"rate": math.nan}}, "optim: rate = nan: input should be a finite number"),
        ({"optim": {"rate": math.inf}}, "optim: rate = inf: input should be a finite number"),
        ({"optim": {"betas": [0.9, 1.0]}}, "optim: optim.betas = [0.9, 1.0]: expected two numbers from 0 to below 1"),
        ({"data": [TABLE["data"][0] | {"max_s": math.inf}]}, "data.0: max_s = inf: input should be a finite number"),
        ({"sampling": {"batch_s": math.inf}}, "sampling: batch_s = inf: input should be a finite number"),
        ({"sampling": {"real": [0, math.nan]}}, "sampling: real.1 = nan: input should be a finite number"),
        ({"objective": {"method": "ctc", "dropout": math.nan}}, "objective: dropout = nan: input should be a finite"),
        ({"objective": {"method": "ctc", "dropout": 2.0}}, "objective: ctc.dropout must be from 0 to below 1"),
        ({"objective": {"method": "ctc", "dropout": 1.0}}, "objective: ctc.dropout must be from 0 to below 1"),
        ({"objective": {"method": "ctc", "dropout": -0.1}}, "objective: ctc.dropout must be from 0 to below 1"),
        ({"features": {"layers": []}}, "features: features.layers is empty: expected at least one"),
        ({"loop": {"threads": -1}}, "loop.threads = -1: expected 0, or how many"),
        ({"loop": {"seed": -1}}, "loop.seed = -1: expected 0 or more"),
        ({"loop": {"seed": 2**63}}, "loop: seed: expected a whole number of 64 bits"),
        ({"loop": {"epochs": True}}, "loop: epochs = true: expected a number"),
        ({"folder": 5}, "folder = 5: expected the folder that checkpoints go to"),
        ({"folder": ""}, "folder = '': expected the folder that checkpoints go to"),
        ({"name": [5]}, "name = [5]: expected a text"),
        ({"name": 5}, "name = 5: expected a text"),
        ({"name": "../x/y"}, "name = '../x/y': expected a name without slashes"),
        ({"name": ".."}, "name = '..': expected a name without slashes"),
        ({"start_from": 5}, "start_from = 5: expected the folder of a training"),
    ],
)
def test_a_value_that_cannot_be_is_the_one_mistake_that_is_told(changes: dict[str, Any], wanted: str) -> None:
    message = mistakes_of(**changes)

    assert message.startswith(f"x.toml: {wanted}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("objective", "wanted"),
    [
        ({"method": "lasyn_autoencoder", "split": -1}, "objective.split = -1: expected the number of a layer"),
        ({"method": "lasyn_diffusion", "text_encoder": {"kernel": -1}}, "an odd kernel"),
    ],
)
def test_a_count_below_what_can_be_made_is_refused(objective: dict[str, Any], wanted: str) -> None:
    assert wanted in mistakes_of(objective=objective)


def test_a_misspelt_encoder_is_not_said_to_be_missing() -> None:
    message = mistakes_of(encoder={"name": "tny"}, objective={"method": "slam_asr"})

    assert message == "x.toml: encoder: no encoders named 'tny'; did you mean 'tiny'?"


def test_a_name_with_slashes_may_be_that_of_a_training_in_a_folder() -> None:
    assert parse_recipe(TABLE | {"name": "a/b", "folder": "models/a-b"}, source="x.toml").folder == Path("models/a-b")


def test_a_change_on_the_command_line_is_checked_as_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('name = "x"\ndata = [{ corpus = "c", release = "r" }]\nobjective = { method = "ctc" }\n')

    with pytest.raises(RecipeError, match="encoder = 'tiny': expected a table"):
        load_recipe(str(path), ["encoder=tiny"])
    with pytest.raises(RecipeError, match="encoder is not a table"):
        load_recipe(str(path), ["encoder=tiny", "encoder.name=tiny"])


def test_whole_numbers_mean_the_same_recipe_as_those_with_a_point() -> None:
    whole = {"sampling": {"batch_s": 60, "real": [0, 1]}, "optim": {"rate": 1, "clip": 1}, "loop": {"seed": 2**63 - 1}}
    pointed = json.loads(json.dumps(whole)) | {
        "sampling": {"batch_s": 60.0, "real": [0.0, 1.0]},
        "optim": {"rate": 1.0, "clip": 1.0},
    }

    recipe = parse_recipe(TABLE | whole, source="x.toml")

    assert recipe.id == parse_recipe(TABLE | pointed, source="x.toml").id
    assert recipe.id == parse_recipe(recipe.table(), source="x.toml").id


def test_a_recipe_has_the_id_that_it_has_always_had() -> None:
    table = TABLE | {"sampling": {"batch_s": 60}, "optim": {"rate": 1}, "loop": {"seed": 7}}

    assert parse_recipe(table, source="x.toml").id == "3561a0b4-8df5-7a4f-9f3e-7faf38f31216"
