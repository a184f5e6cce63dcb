"""What cannot be merged is told in a sentence, and leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from catalogs.config import parse
from catalogs.errors import RecipeError, SynthgenError, TrainingError
from catalogs.ids import content_id
from training import checkpoint
from training.checkpoint import Position
from training.merging.merge import Merged, merge
from training.merging.recipe import MergeConfig

Run = Callable[..., Merged]
LORA = {"language_model": {"name": "tiny", "lora": {"r": 2, "alpha": 8.0}}}
ADAPTER = {"layers.0.lora_A.weight": (2, 4), "layers.0.lora_B.weight": (3, 2)}


def write(folder: Path, seed: int, *, shapes: Any = None, dtype: Any = None, objective: Any = None) -> str:
    random = torch.Generator().manual_seed(seed)
    provenance = {
        "training": content_id("training", folder.name), "releases": [], "encoder": "encoder",
        "recipe": {"name": folder.name, "data": [], "objective": {"method": "ctc", **(objective or {})}},
        "base": {"id": "base", "root": "base", "started_from": {}},
    }  # fmt: skip
    shapes = {"layers.0.weight": (3, 4)} if shapes is None else shapes
    trained = {n: nn.Parameter(torch.randn(shape, generator=random).to(dtype)) for n, shape in shapes.items()}
    return str(checkpoint.save(folder, Position(5), trained=trained, optimizer=None, provenance=provenance).folder)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Merge three models of these parameters into a folder."""

    def merged(*, models: Any = None, **changes: Any) -> Merged:
        names = ("target", "real", "synthetic")
        folders = [write(tmp_path / name, seed, **(models or {})) for seed, name in enumerate(names)]
        pair = dict(zip(names[1:], folders[1:], strict=True)) | {"name": "cooking"}
        table = {"name": "merged", "folder": str(tmp_path / "merged"), "target": folders[0], "scale": 0.5}
        return merge(parse(MergeConfig, table | {"sources": [pair]} | changes, source="test"))

    return merged


@pytest.mark.parametrize("operator", ["add", "ties"])
@pytest.mark.parametrize(
    ("models", "scale", "message"),
    [
        ({}, 1e39, r"at scale = 1e\+39 layers.0.weight has numbers beyond 3.403e\+38, the largest that float32 holds"),
        ({"dtype": torch.float16}, 1e6, r"at scale = 1e\+06 .* beyond 6.55e\+04, the largest that float16 holds"),
        ({"shapes": ADAPTER, "objective": LORA}, 1e39, "layers.0.weight has numbers beyond"),
    ],
)
def test_a_lambda_that_no_number_can_hold_is_refused(
    run: Run, tmp_path: Path, operator: str, models: dict[str, Any], scale: float, message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        run(models=models, scale=scale, operator={"name": operator}, vectors=str(tmp_path / "vectors"))

    assert {path.name for path in tmp_path.iterdir()} == {"target", "real", "synthetic"}


def test_a_rank_of_no_adapters_is_refused(run: Run) -> None:
    with pytest.raises(RecipeError, match=r"rank = 4 is that of merged adapters of LoRA, and .*target.* has none"):
        run(rank=4)


@pytest.mark.parametrize("operator", ["add", "ties"])
def test_models_without_parameters_are_refused(run: Run, tmp_path: Path, operator: str) -> None:
    with pytest.raises(TrainingError, match=r"real.* cannot be merged: no parameters were trained in it"):
        run(models={"shapes": {}}, operator={"name": operator})

    assert not (tmp_path / "merged").exists()


def test_models_of_the_same_weights_are_no_source(run: Run, tmp_path: Path) -> None:
    real, again = write(tmp_path / "one", 1), write(tmp_path / "other", 1)

    for synthetic in (real, again):
        with pytest.raises(TrainingError, match=r"source 'one': .* have the same weights, so that their vector is 0"):
            run(sources=[{"name": "one", "real": real, "synthetic": synthetic}])


@pytest.mark.parametrize(
    ("name", "kept", "message"),
    [
        ("trained.safetensors", 40, r"trained.safetensors cannot be read \(.*\): expected the trained parameters"),
        ("trained.safetensors", None, "trained.safetensors is missing: expected the trained parameters; put it back"),
        ("checkpoint.json", 40, r"checkpoint.json cannot be read \(.*\): expected JSON with position and provenance"),
        ("checkpoint.json", 0, r"checkpoint.json cannot be read \(.*\): expected JSON with position and provenance"),
    ],
)
def test_a_damaged_checkpoint_is_told(run: Run, tmp_path: Path, name: str, kept: int | None, message: str) -> None:
    folder = Path(write(tmp_path / "damaged", 7))
    whole = (folder / name).read_bytes()
    (folder / name).unlink() if kept is None else (folder / name).write_bytes(whole[:kept])

    with pytest.raises(SynthgenError, match=message):
        run(target=str(folder))
