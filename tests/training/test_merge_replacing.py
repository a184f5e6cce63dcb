"""A merge that is replaced, and killed meanwhile: the same command finishes with the same bytes."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from catalogs.config import parse
from catalogs.errors import CorpusMissing, TrainingError
from catalogs.ids import content_id
from training import checkpoint
from training.checkpoint import Position
from training.merging import composing, identity
from training.merging import merge as merging
from training.merging.choosing import Choice, chosen_of
from training.merging.merge import merge
from training.merging.recipe import MergeConfig

ChooseBy = Callable[[str], list[int]]
DOMAINS = ("cooking", "music")


class Killed(BaseException):
    """What a process does not live to see."""


def write(folder: Path, seed: int) -> str:
    provenance = {
        "training": content_id("training", folder.name), "releases": [], "encoder": "encoder",
        "recipe": {"name": folder.name, "data": [], "objective": {"method": "ctc"}},
        "base": {"id": "base", "root": "base", "started_from": {}},
    }  # fmt: skip
    trained = {"weight": nn.Parameter(torch.randn(3, generator=torch.Generator().manual_seed(seed)))}
    checkpoint.save(folder, Position(5), trained=trained, optimizer=None, provenance=provenance)
    return str(folder)


@pytest.fixture
def config(tmp_path: Path) -> MergeConfig:
    sources = [
        {
            "name": name,
            "real": write(tmp_path / f"{name}-real", seed),
            "synthetic": write(tmp_path / f"{name}-synthetic", seed + 4),
            "dev": {"corpus": "none", "release": name},
        }
        for seed, name in enumerate(DOMAINS)
    ]
    table = {"name": "merged", "target": write(tmp_path / "target", 9), "sources": sources}
    table |= {"folder": str(tmp_path / "to" / "merged"), "choosing": {"grid": [0.0, 0.5]}}
    return parse(MergeConfig, table, source="test")


@pytest.fixture
def choose_by(monkeypatch: pytest.MonkeyPatch) -> ChooseBy:
    """Have lambda chosen by a release of this id; gives a list that is as long as it was chosen often."""
    monkeypatch.setattr(merging, "plot_choosing", lambda choices, scale, to: to.write_text(f"{scale}"))

    def chosen_by(release: str) -> list[int]:
        counts: list[int] = []
        best = 0.5 if release == "then" else 0.0
        rows = [Choice(name, x, abs(x - best), None, None, 2, 4) for name in DOMAINS for x in (0.0, 0.5)]
        for module in (merging, composing, identity):
            monkeypatch.setattr(module, "chosen_by", lambda _: [{"release": release}])
        monkeypatch.setattr(merging, "choose", lambda *_, **__: counts.append(1) or chosen_of(rows))
        return counts

    return chosen_by


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@contextmanager
def killed(after: int) -> Iterator[None]:
    """A process that is killed after so many renamings and removals; files of a folder count one by one."""
    left = iter(range(after))

    def counted(do: Any) -> Any:
        def step(*args: Any, **options: Any) -> Any:
            if next(left, None) is None:
                raise Killed
            return do(*args, **options)

        return step

    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        for name in ("rename", "unlink", "rmdir"):
            patch.setattr(os, name, counted(getattr(os, name)))
        yield


@pytest.mark.parametrize("after", range(9))
def test_whenever_replacing_is_killed_the_same_command_finishes_it(
    config: MergeConfig, choose_by: ChooseBy, after: int
) -> None:
    choose_by("then")
    expected = held(merge(config).folder.parent)
    shutil.rmtree(config.path)
    choose_by("first")
    before = held(merge(config).folder)
    choose_by("then")

    with killed(after):
        merge(config)

    there = {place.name: held(place) for place in config.path.parent.iterdir()}
    is_new = there.get("merged", {}).get("checkpoint.json") == expected["merged/checkpoint.json"]
    assert is_new or before in there.values()
    merge(config)
    assert held(config.path.parent) == expected


@pytest.mark.parametrize("gone", [("recipe.json",), ("trained.safetensors", "checkpoint.json"), ("checkpoint.json",)])
def test_what_an_earlier_version_left_half_removed_is_merged_again(
    config: MergeConfig, choose_by: ChooseBy, gone: tuple[str, ...]
) -> None:
    counts = choose_by("first")
    expected = held(merge(config).folder)
    for name in gone:
        (config.path / name).unlink()

    merge(config)

    assert held(config.path) == expected
    assert len(counts) == 2


def test_half_a_checkpoint_of_a_training_is_not_written_over(config: MergeConfig, choose_by: ChooseBy) -> None:
    counts = choose_by("first")
    step = checkpoint.load(Path(config.target)).folder
    before = held(step)

    with pytest.raises(TrainingError, match="is there, and is no merged checkpoint"):
        merge(replace(config, target=config.sources[0].synthetic or "", folder=str(step)))

    assert (counts, held(step)) == ([], before)


def test_a_folder_with_another_merge_is_refused_before_lambda_is_chosen(
    config: MergeConfig, choose_by: ChooseBy
) -> None:
    counts = choose_by("first")
    merge(replace(config, choosing=None, scale=0.25))

    with pytest.raises(TrainingError, match="holds another merge"):
        merge(config)

    assert not counts


def test_a_corpus_that_is_not_there_is_told_before_lambda_is_chosen(config: MergeConfig, choose_by: ChooseBy) -> None:
    counts = choose_by("first")

    with pytest.raises(CorpusMissing, match="no corpus at nowhere"):
        merge(replace(config, corpus="nowhere"))

    assert not counts
    assert not config.path.parent.exists()
