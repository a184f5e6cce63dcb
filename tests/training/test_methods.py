"""Recipe tables of methods: their mistakes are found before anything is encoded, and one goes on from another."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, SynthgenError, TrainingError
from training import checkpoint
from training.backbones.encoders import TinyEncoderConfig
from training.methods import SlamAsrMethod, WarmStartMethod

SMALL = {"language_model": {"name": "tiny"}, "projector": {"hidden": 16}}


def slam_asr(**settings: Any) -> SlamAsrMethod:
    return parse(SlamAsrMethod, SMALL | settings, source="objective")


def warm_start(**settings: Any) -> WarmStartMethod:
    return parse(WarmStartMethod, SMALL | settings, source="objective")


def test_a_recogniser_goes_on_from_a_warm_start(tmp_path: Path) -> None:
    encoder = TinyEncoderConfig().build()
    warm = warm_start().build(encoder, num_layers=1, seed=1)
    optimiser = torch.optim.AdamW(warm.trained().values())
    checkpoint.save(tmp_path, checkpoint.Position(step=3), trained=warm.trained(), optimizer=optimiser, provenance={})

    cold = slam_asr().build(encoder, num_layers=1, seed=2)
    begun = slam_asr(projector_from=str(tmp_path)).build(encoder, num_layers=1, seed=2)

    expected = warm.module.projector.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in begun.module.projector.state_dict().items())
    assert not torch.equal(cold.module.projector.out.weight, warm.module.projector.out.weight)


def test_a_projector_of_another_size_is_refused(tmp_path: Path) -> None:
    encoder = TinyEncoderConfig().build()
    warm = warm_start().build(encoder, num_layers=1, seed=1)
    optimiser = torch.optim.AdamW(warm.trained().values())
    checkpoint.save(tmp_path, checkpoint.Position(step=3), trained=warm.trained(), optimizer=optimiser, provenance={})

    with pytest.raises(TrainingError, match=r"^objective\.projector_from: .* holds another projector"):
        slam_asr(projector={"hidden": 8}, projector_from=str(tmp_path)).build(encoder, num_layers=1, seed=2)


def test_the_tokens_of_a_file_of_texts_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("abc\nbcd\n")

    warm = warm_start(texts=str(tmp_path / "texts.txt")).build(TinyEncoderConfig().build(), num_layers=1, seed=0)

    assert len(warm.module.embeddings) == len({*" abcd"})


def test_texts_that_are_not_there_are_missed() -> None:
    with pytest.raises(TrainingError, match=r"objective.texts: .*nowhere.txt"):
        warm_start(texts="nowhere.txt").build(TinyEncoderConfig().build(), num_layers=1, seed=0)


@pytest.mark.parametrize("kind", [SlamAsrMethod, WarmStartMethod])
def test_a_stored_table_says_all_of_its_language_model_and_is_read_again(kind: Any) -> None:
    config = parse(kind, SMALL, source="objective")

    stored = asdict(config)

    assert stored["language_model"]["dtype"] == "float32"
    assert parse(kind, stored, source="checkpoint") == config


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (slam_asr, {"language_model": {"name": "tiny", "widht": 16}}, "did you mean 'width'"),
        (slam_asr, {"language_model": {"name": "tinny"}}, "did you mean 'tiny'"),
        (slam_asr, {"template": {"order": "<T>"}}, "needs <S>"),
        (warm_start, {"sharpness": 0}, "must be positive"),
    ],
)
def test_mistakes_are_found_in_the_recipe(make: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SynthgenError, match=message) as refused:
        make(**settings)

    assert isinstance(refused.value, RecipeError)
