"""What lies in a checkpoint, who may read it, and what is said of one that is damaged."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from catalogs.errors import DiskFull, TrainingError
from training import checkpoint
from training.checkpoint import TRAINED, TRAINING, Position
from training.features import FeatureStore
from training.sampling import Draw
from training.tensors import write_tensors

from .conftest import make_features, make_member

Damage = Callable[[Path], None]


@pytest.fixture(params=[0o022, 0o007, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def trained(value: float) -> dict[str, nn.Parameter]:
    return {"weight": nn.Parameter(torch.full((3,), value))}


def stepped(parameters: dict[str, nn.Parameter]) -> torch.optim.Optimizer:
    """An optimiser that has taken a step, and so has moments."""
    optimizer = torch.optim.AdamW(parameters.values())
    parameters["weight"].grad = torch.ones(3)
    optimizer.step()
    return optimizer


def saved(folder: Path) -> checkpoint.Checkpoint:
    parameters = trained(1.0)
    optimizer = stepped(parameters)
    return checkpoint.save(folder, Position(4), trained=parameters, optimizer=optimizer, provenance={})


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


def test_all_files_of_a_checkpoint_are_for_those_whom_the_umask_lets(tmp_path: Path, umask: int) -> None:
    found = saved(tmp_path)

    assert {path.name for path in found.folder.iterdir()} == {TRAINED, TRAINING, checkpoint.ABOUT}
    assert modes(tmp_path) == {0o666 & ~umask}


def test_kept_features_are_too(tmp_path: Path, umask: int) -> None:
    store = FeatureStore(tmp_path, "tiny")

    store.fill([Draw(make_member(0), 0)], lambda draws: [make_features(each) for each in draws])

    assert modes(tmp_path) == {0o666 & ~umask}


def test_what_lies_where_tensors_go_decides_nothing(tmp_path: Path) -> None:
    left = tmp_path / "left.safetensors"
    left.write_bytes(b"of a killed run")
    left.chmod(0o400)

    write_tensors({"weight": torch.ones(2)}, left)
    write_tensors({"weight": torch.ones(2)}, tmp_path / "new.safetensors")

    assert left.stat().st_mode == (tmp_path / "new.safetensors").stat().st_mode


def test_a_disk_without_room_is_one_sentence_and_the_last_checkpoint_stays(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, Position(step=1), trained=trained(1.0), optimizer=None, provenance={})
    large = {"weight": nn.Parameter(torch.zeros(100_000))}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))  # stands for a disk that is full
    try:
        with pytest.raises(DiskFull, match=r"trained\.safetensors: .*; free some space"):
            checkpoint.save(tmp_path, Position(step=2), trained=large, optimizer=None, provenance={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    left = checkpoint.last(tmp_path)
    assert left is not None
    assert left.position.step == 1
    assert checkpoint.save(tmp_path, Position(step=2), trained=large, optimizer=None, provenance={}).trained()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Path.unlink, "is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
    ],
)
def test_moments_that_are_gone_are_told_with_what_to_do(tmp_path: Path, damage: Damage, said: str) -> None:
    found = saved(tmp_path)
    damage(found.folder / TRAINING)
    parameters = trained(0.0)

    told = rf"{TRAINING} {said}.*expected the optimiser's moments.* remove {found.folder}"
    with pytest.raises(TrainingError, match=told):
        checkpoint.restore(found, parameters, torch.optim.AdamW(parameters.values()))

    checkpoint.restore(found, parameters)
    assert torch.equal(parameters["weight"], found.trained()["weight"])
