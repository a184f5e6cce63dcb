"""What the comparison says a model was given: added up over its lineage, merges taking no step of their own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.comparison import Given, given_to, mean_of
from catalogs.ids import content_id
from training import checkpoint
from training.checkpoint import Position
from training.curve import Curve
from training.data import TextsConfig, read_data


def trained(
    folder: Path, texts: Path, *, steps: int, spent_s: float | None, noted_at: int | None = None, **more: Any
) -> Path:
    source, _ = read_data(TextsConfig(str(texts)))
    provenance = {
        "training": content_id("training", folder.name),
        "recipe": {"data": [{"texts": str(texts)}], **more.pop("recipe", {})},
        "releases": [{"id": source.id, "name": source.name}],
        **more,
    }
    at = Position(steps)
    noted = {"loss": 1.0} if spent_s is None else {"loss": 1.0, "spent_s": spent_s}
    curve = Curve(folder, after=0)
    curve.add(Position(noted_at or steps), {"rate": 0.1, **noted})
    curve.close()
    parameters = {"weight": nn.Parameter(torch.zeros(2))}
    checkpoint.save(folder, at, trained=parameters, optimizer=None, provenance=provenance)
    return folder


def test_a_merge_costs_what_its_models_have_cost(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\ntwo\n")
    parts = [trained(tmp_path / name, texts, steps=30, spent_s=60.0) for name in ("real", "synthetic", "target")]
    of = [{"folder": str(part), "training": checkpoint.load(part).provenance["training"]} for part in parts]

    merged = trained(tmp_path / "merged", texts, steps=30, spent_s=60.0, merge={"parts": of})

    given = given_to(merged)
    assert (given.steps, given.spent_s, given.texts) == (90, 180.0, 2)


def test_minutes_are_unknown_where_one_training_did_not_note_them(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\ntwo\n")
    before = trained(tmp_path / "before", texts, steps=10, spent_s=None)

    after = trained(
        tmp_path / "after", texts, steps=5, spent_s=9.0, recipe={"start_from": None, "on_from": str(before)}
    )

    assert (given_to(after).steps, given_to(after).spent_s) == (15, None)


@pytest.mark.parametrize(("noted_at", "spent_s"), [(8, 12.0), (6, 16.0), (5, None)])
def test_steps_behind_the_last_note_are_as_long_as_those_before(
    noted_at: int, spent_s: float | None, tmp_path: Path
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\ntwo\n")

    folder = trained(tmp_path / "one", texts, steps=10, spent_s=9.6, noted_at=noted_at)

    assert given_to(folder).spent_s == pytest.approx(spent_s)


def test_a_last_note_may_be_of_fewer_steps(tmp_path: Path) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("one\ntwo\n")
    folder = trained(tmp_path / "one", texts, steps=9, spent_s=None)
    curve = Curve(folder, after=0)
    for step, spent_s in ((4, 4.0), (8, 4.0), (9, 2.5)):
        curve.add(Position(step), {"loss": 1.0, "spent_s": spent_s})
    curve.close()

    assert given_to(folder).spent_s == 10.5


def test_seeds_are_given_as_much_on_the_mean() -> None:
    one, other = Given(0.5, 2.0, 10, 100, 60.0), Given(0.75, 2.0, 10, 200, 90.0)

    assert mean_of([one, other]) == Given(0.625, 2.0, 10, 150, 75.0)
    assert mean_of([one, Given(spent_s=None)]).spent_s is None
