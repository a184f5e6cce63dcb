"""What objectives hear, features or waves, and which recipes say which."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from catalogs.errors import RecipeError
from catalogs.progress import SILENT
from tests.training.test_whisper_asr import tiny
from training import checkpoint, session
from training.augmentation.variants import AugmentationConfig
from training.inputs import FeatureInputs, WaveInputs, loaded
from training.members import members_of, waves_of
from training.recipe import TrainRecipe, parse_recipe
from training.sampling import Draw
from training.whisper_asr import WhisperAsr

from .conftest import killed_behind_a_checkpoint, table_of_three

NOISE = AugmentationConfig(variants=1, steps=({"step": "noise"},))


@dataclass(frozen=True)
class TinyWhisper:
    method: str = "tiny_whisper"

    def build_on_waves(self, *, seed: int) -> WhisperAsr:
        assert seed == 3
        return tiny()


@pytest.fixture(scope="module")
def table(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return table_of_three(produce, tmp_path_factory.mktemp("inputs"), epochs=2, seed=3)


@pytest.fixture
def on_waves(table: dict[str, Any], tmp_path: Path) -> TrainRecipe:
    recipe = replace(parse_recipe(table, source="test"), encoder=None, objective=TinyWhisper())
    return replace(recipe, folder=tmp_path / "waves", augmentation=NOISE)


def draws_of(recipe: TrainRecipe) -> list[Draw]:
    _, members = members_of(recipe.data[0])
    return [Draw(member, variant) for member in members for variant in (0, 1)]


def test_waves_are_those_of_the_takes_and_of_their_variants(on_waves: TrainRecipe) -> None:
    draws = draws_of(on_waves)
    inputs, objective = loaded(on_waves, NOISE.build([draw.member for draw in draws]))

    inputs.prepare(draws, SILENT)
    heard = inputs.utterances(draws)

    assert isinstance(inputs, WaveInputs)
    assert inputs.encoder_id is None
    assert isinstance(objective, WhisperAsr)
    assert [utterance.take_id for utterance in heard] == [draw.member.take_id for draw in draws]
    for take, variant, wave in zip(heard[::2], heard[1::2], waves_of([d.member for d in draws[::2]]), strict=True):
        assert np.array_equal(take.samples, wave)
        assert variant.samples.shape == take.samples.shape
        assert not torch.equal(variant.samples, take.samples)


def test_features_are_kept_and_those_of_a_wave_are_the_same(table: dict[str, Any]) -> None:
    recipe = parse_recipe(table, source="test")
    draws = [draw for draw in draws_of(recipe) if draw.variant == 0]
    inputs, _ = loaded(recipe)

    inputs.prepare(draws, SILENT)
    kept = inputs.utterances(draws)
    heard = inputs.of_waves(dict(zip("abc", waves_of([draw.member for draw in draws]), strict=True)))

    assert isinstance(inputs, FeatureInputs)
    assert inputs.encoder_id
    assert [utterance.take_id for utterance in heard] == ["a", "b", "c"]
    for one, other in zip(kept, heard, strict=True):
        torch.testing.assert_close(one.features, other.features)


def test_an_objective_on_waves_trains_and_goes_on(on_waves: TrainRecipe) -> None:
    with killed_behind_a_checkpoint():
        session.train(on_waves, progress=SILENT)
    first = checkpoint.load(on_waves.folder)
    provenance = first.provenance

    found = session.train(on_waves, progress=SILENT)

    assert first.position.step == 1 < found.steps
    assert provenance["encoder"] is None
    assert "encoder" not in provenance["recipe"]
    assert provenance["recipe"]["objective"] == asdict(TinyWhisper())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objective": {"method": "whisper"}}, r"whisper has an encoder of its own: leave \[encoder\] out"),
        ({"encoder": {}}, "encoder is missing: ctc hears the features of one"),
    ],
)
def test_a_recipe_names_an_encoder_if_its_method_hears_features(table, changes, message) -> None:
    with pytest.raises(RecipeError, match=message):
        parse_recipe(table | changes, source="test")


@pytest.mark.slow
def test_whisper_is_tuned_and_evaluated_by_recipe(table: dict[str, Any], tmp_path: Path) -> None:
    from training.answering import DecodingConfig
    from training.evaluation.trained import recogniser_of

    changes = {"encoder": {}, "objective": {"method": "whisper", "tuned": "decoder"}, "folder": str(tmp_path / "tuned")}
    recipe = parse_recipe(table | changes, source="test")

    found = session.train(recipe, progress=SILENT)
    recogniser = recogniser_of(found.folder, DecodingConfig(beams=1))
    _, members = members_of(recipe.data[0])
    recogniser.prepare(members, SILENT)

    assert [answer.take_id for answer in recogniser.transcribe(members)] == [member.take_id for member in members]
