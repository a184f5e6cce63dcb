"""Validation: on takes that are not learned from, without touching the training; the best checkpoint stays."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from catalogs.errors import RecipeError, ReleaseError, TrainingError
from catalogs.progress import Progress
from training import checkpoint, session
from training.checkpoint import Position
from training.curve import VALIDATION, rows_of
from training.evaluation.leaks import had_by
from training.members import Member
from training.objective import Batch, Loss, Utterance
from training.recipe import parse_recipe
from training.sampling import Draw
from training.session import Trained
from training.validation import Validation, ValidationConfig, best_of

from .conftest import killed_behind_a_checkpoint, make_member

QUIET = Progress(quiet=True)
TEXTS = ("good morning", "see you at nine", "lights off please", "a large tea", "what is due today", "pay my bill")
HELD_OUT = ("good evening", "see you at ten", "a small tea")


@pytest.fixture(scope="module")
def corpus(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases of texts to train on, and of others by another voice."""
    folder = tmp_path_factory.mktemp("validated")
    produce(folder, "told", prompts=TEXTS, speakers=["anna"])
    return produce(folder, "held_out", prompts=HELD_OUT, speakers=["bela"])


@pytest.fixture
def table(corpus: Path, tmp_path: Path) -> dict[str, Any]:
    return {
        "name": "small",
        "folder": str(tmp_path / "small"),
        "data": [{"corpus": str(corpus), "release": "told", "split": None}],
        "encoder": {"name": "tiny"},
        "features": {"folder": str(tmp_path / "features")},
        "objective": {"method": "ctc", "dropout": 0.3},
        "sampling": {"batch_s": 5.0},
        "optim": {"rate": 0.02, "warmup_steps": 2},
        "loop": {"epochs": 4, "steps": 8, "threads": 1, "log_every": 1, "save_every": 2},
    }


def held_out(corpus: Path, **settings: Any) -> dict[str, Any]:
    data = [{"corpus": str(corpus), "release": "held_out", "split": None}]
    return {"validation": {"data": data, "every": 2, **settings}}


def run(table: dict[str, Any]) -> Trained:
    return session.train(parse_recipe(table, source="test"), progress=QUIET)


def test_training_is_the_same_with_it_and_without(table: dict[str, Any], corpus: Path, tmp_path: Path) -> None:
    """Dropout is on in training, off in validation, and draws the same numbers whether or not there is one."""
    plain = run(table)
    held = run(table | held_out(corpus) | {"folder": str(tmp_path / "held")})

    one, other = (checkpoint.last(found.folder) for found in (plain, held))
    assert one is not None
    assert other is not None
    assert all(torch.equal(tensor, other.trained()[name]) for name, tensor in one.trained().items())
    rows = rows_of(held.folder, VALIDATION)
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert not rows_of(plain.folder, VALIDATION)


@pytest.mark.parametrize("by", ["loss", "wer"])
def test_killed_and_gone_on_it_finds_the_same(table: dict[str, Any], corpus: Path, tmp_path: Path, by: str) -> None:
    asked = table | held_out(corpus, by=by)
    whole = run(asked | {"folder": str(tmp_path / "whole")})
    with killed_behind_a_checkpoint():
        run(asked)

    found = run(asked)

    assert (found.folder / VALIDATION).read_bytes() == (whole.folder / VALIDATION).read_bytes()
    assert (found.folder / checkpoint.BEST).read_text() == (whole.folder / checkpoint.BEST).read_text()
    assert by in rows_of(found.folder, VALIDATION)[0]


def test_killed_behind_its_last_checkpoint_the_best_is_known(
    table: dict[str, Any], corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = table | held_out(corpus, every=8)
    save = checkpoint.save

    def dying(folder: Path, at: Position, **what: Any) -> None:
        save(folder, at, **what)
        if at.step == asked["loop"]["steps"]:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", dying)
    with pytest.raises(KeyboardInterrupt):
        run(asked)
    found = run(asked)

    assert (found.folder / checkpoint.BEST).read_text() == "step-00000008\n"


def test_the_best_checkpoint_stays_and_is_what_the_folder_stands_for(tmp_path: Path) -> None:
    weight = {"weight": nn.Parameter(torch.zeros(1))}
    for step in (1, 2, 3, 4):
        checkpoint.save(tmp_path, Position(step), trained=weight, optimizer=None, provenance={})
        if step == 2:
            checkpoint.mark_best(tmp_path, step)
        checkpoint.keep(tmp_path, 1)

    last = checkpoint.last(tmp_path)
    assert checkpoint.load(tmp_path).position.step == 2
    assert last is not None
    assert last.position.step == 4
    assert sorted(path.name for path in tmp_path.glob("step-*")) == ["step-00000002", "step-00000004"]


def test_the_lowest_figure_is_the_best_and_of_equal_ones_the_first() -> None:
    rows = [{"step": 2, "loss": 2.0}, {"step": 4, "loss": 1.0, "wer": 0.5}, {"step": 6, "loss": 1.0, "wer": 0.4}]

    assert (best_of(rows, "loss"), best_of(rows, "wer"), best_of([], "loss")) == (4, 6, None)


class Counting:
    """An objective whose loss is the number of letters, and which sees in which mode it runs."""

    def __init__(self) -> None:
        self.module = nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)).train()
        self.modes: list[bool] = []

    def trained(self) -> dict[str, nn.Parameter]:
        return dict(self.module.named_parameters())

    def collate(self, utterances: Sequence[Utterance]) -> Batch:
        letters = torch.tensor([float(len(utterance.text)) for utterance in utterances])
        return Batch({"letters": letters}, num_targets=len(utterances))

    def loss(self, batch: Batch) -> Loss:
        self.modes.append(self.module.training)
        return Loss(batch.tensors["letters"].sum(), {"correct": torch.tensor(float(batch.num_targets))})


def told(draws: Sequence[Draw]) -> list[Utterance]:
    return [Utterance(d.member.take_id, d.member.text, d.member.text, "en", is_synthetic=True) for d in draws]


@pytest.mark.parametrize("batch_s", [0.1, 2.0, 100.0])
def test_figures_are_per_target_however_it_is_cut_into_batches(batch_s: float) -> None:
    members: list[Member] = [replace(make_member(number), text="x" * (number + 1)) for number in range(7)]
    objective = Counting()
    config = ValidationConfig(data=({"corpus": "any", "release": "any"},), batch_s=batch_s)

    found = Validation(config, members, objective, told).measure(Accelerator(cpu=True))

    assert found == {"loss": pytest.approx(4.0), "correct": pytest.approx(1.0)}
    assert not any(objective.modes)
    assert objective.module.training


def test_a_word_error_rate_needs_something_that_writes() -> None:
    config = ValidationConfig(data=({"corpus": "any", "release": "any"},), by="wer")

    with pytest.raises(TrainingError, match="writes nothing down"):
        Validation(config, [], Counting(), told)


def test_what_is_trained_on_is_no_validation(table: dict[str, Any], corpus: Path) -> None:
    same = {"data": [{"corpus": str(corpus), "release": "told", "split": None}], "every": 2}

    with pytest.raises(TrainingError, match=r"6 of the 6 takes of validation\.data"):
        run(table | {"validation": same})


def test_a_split_without_takes_is_nothing_to_be_held_against(table: dict[str, Any], corpus: Path) -> None:
    of_dev = {"data": [{"corpus": str(corpus), "release": "held_out"}], "every": 2}

    with pytest.raises(
        ReleaseError, match=r"validation\.data: release 'held_out' in .* has no takes of split 'dev'; known: train"
    ):
        run(table | {"validation": of_dev})


def test_a_text_that_cannot_be_written_is_told_before_training(table: dict[str, Any], corpus: Path) -> None:
    without = {"method": "ctc", "alphabet": " abcdefghijklmnopqrstuwxyz"}

    with pytest.raises(TrainingError, match=r"validation\.data: take .* 'v', which ctc\.alphabet lacks"):
        run(table | held_out(corpus) | {"objective": without})


def test_what_a_checkpoint_was_chosen_by_is_no_evidence(table: dict[str, Any], corpus: Path) -> None:
    found = run(table | held_out(corpus))

    marks = had_by(found.folder)
    assert {"good morning", "good evening"} <= marks["texts"].keys()
    assert len(marks["speakers"]) == 2


def test_a_recipe_says_what_is_wrong_with_it(table: dict[str, Any], corpus: Path) -> None:
    with pytest.raises(RecipeError, match=r"validation\.every = 3 is no multiple of loop\.save_every = 2"):
        parse_recipe(table | held_out(corpus, every=3), source="test")
    with pytest.raises(RecipeError, match=r"validation\.data is empty"):
        parse_recipe(table | {"validation": {"data": []}}, source="test")


def test_it_is_part_of_a_definition_only_where_there_is_one(table: dict[str, Any], corpus: Path) -> None:
    held = parse_recipe(table | held_out(corpus), source="test")

    assert "validation" not in json.loads(parse_recipe(table, source="test").definition)
    assert parse_recipe(held.table() | {"folder": table["folder"]}, source="stored").definition == held.definition
