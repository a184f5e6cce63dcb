import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing

from catalogs.errors import TrainingError, UsageError
from training import checkpoint
from training.checkpoint import Position
from training.ctc import Ctc
from training.curve import SPEED, rows_of
from training.loop import Loop, LoopConfig
from training.members import Member
from training.objective import Batch, Loss, Utterance
from training.optim import OptimConfig
from training.sampling import Draw, Epochs, SamplingConfig

from .conftest import drawn_utterances

NewCtc = Callable[[], Ctc]

CONFIG = LoopConfig(epochs=3, threads=1, log_every=2, save_every=4)
UNEVEN = replace(CONFIG, log_every=4)
"""Its last row is of two steps."""
OPTIM = OptimConfig(rate=0.02, warmup_steps=4)
SAMPLING = SamplingConfig(batch_s=12.0, buckets=3)
STEPS = 30


class Killed(BaseException):
    """What a killed process does not live to see."""


def train(
    folder: Path,
    objective: Ctc,
    members: Sequence[Member],
    *,
    config: LoopConfig = CONFIG,
    load: Callable[[Sequence[Draw]], list[Utterance]] = drawn_utterances,
    steps: int = STEPS,
) -> dict[str, torch.Tensor]:
    epochs = Epochs(members, SAMPLING, seed=config.seed, epochs=config.epochs)
    Loop(objective, epochs, load, config=config, optim=OPTIM, folder=folder).run({"made": "here"}, total_steps=steps)
    return checkpoint.load(folder).trained()


def curve(folder: Path) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name not in SPEED} for row in rows_of(folder)]


def test_training_lowers_the_loss_until_the_texts_are_read(
    tmp_path: Path, members: list[Member], new_ctc: NewCtc
) -> None:
    objective = new_ctc()

    train(tmp_path, objective, members)

    rows = rows_of(tmp_path)
    assert rows[-1]["loss"] < 0.4 * rows[0]["loss"]
    assert rows[-1]["step"] == STEPS
    assert all(row["unfit"] == 0 for row in rows)
    assert [row["rate"] for row in rows][:2] == [pytest.approx(0.01), pytest.approx(0.02)]


def test_what_is_to_be_trained_must_not_be_frozen(tmp_path: Path, members: list[Member], new_ctc: NewCtc) -> None:
    objective = new_ctc()
    objective.module.out.bias.requires_grad_(requires_grad=False)

    with pytest.raises(TrainingError, match=r"1 parameters that are to be trained are frozen, out\.bias first"):
        train(tmp_path, objective, members)


@pytest.mark.parametrize(("after", "config"), [*((after, CONFIG) for after in (1, 4, 7, 13, 26)), (29, UNEVEN)])
def test_a_killed_training_goes_on_with_the_same_curve_bit_by_bit(
    tmp_path: Path, members: list[Member], new_ctc: NewCtc, after: int, config: LoopConfig
) -> None:
    whole = train(tmp_path / "whole", new_ctc(), members, config=config)
    left = after

    def dying(draws: Sequence[Draw]) -> list[Utterance]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return drawn_utterances(draws)

    with pytest.raises(Killed):
        train(tmp_path / "killed", new_ctc(), members, config=config, load=dying)
    resumed = train(tmp_path / "killed", new_ctc(), members, config=config)

    assert resumed.keys() == whole.keys()
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")


def test_a_training_that_is_killed_at_its_last_checkpoint_has_one_last_row(
    tmp_path: Path, members: list[Member], new_ctc: NewCtc, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "whole", new_ctc(), members, config=UNEVEN)
    save = checkpoint.save

    def dying(folder: Path, at: Position, **more: Any) -> checkpoint.Checkpoint:
        if at.step == STEPS:
            raise Killed
        return save(folder, at, **more)

    monkeypatch.setattr(checkpoint, "save", dying)
    with pytest.raises(Killed):
        train(tmp_path / "killed", new_ctc(), members, config=UNEVEN)
    monkeypatch.undo()
    train(tmp_path / "killed", new_ctc(), members, config=UNEVEN)

    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")


@pytest.mark.parametrize("steps", [3, 11, 12])
def test_every_step_is_in_one_row_whatever_the_last_is_of(
    tmp_path: Path, members: list[Member], new_ctc: NewCtc, steps: int
) -> None:
    """So too where a training was ended early, and its rows go on from there."""
    every = replace(CONFIG, log_every=1)
    train(tmp_path / "each", new_ctc(), members, config=every, steps=steps)
    train(tmp_path / "some", new_ctc(), members, config=UNEVEN, steps=steps)
    each, some = curve(tmp_path / "each"), curve(tmp_path / "some")

    assert [row["step"] for row in some] == [*range(4, steps, 4), steps]
    last = each[some[-2]["step"] if len(some) > 1 else 0 :]
    targets = sum(row["targets"] for row in last)
    assert some[-1]["targets"] == targets
    assert some[-1]["loss"] == pytest.approx(sum(row["loss"] * row["targets"] for row in last) / targets)

    train(tmp_path / "each", new_ctc(), members, config=every)
    train(tmp_path / "some", new_ctc(), members, config=UNEVEN)
    assert [row["step"] for row in curve(tmp_path / "some")] == sorted({*range(4, STEPS, 4), steps, STEPS})
    heard = [sum(row["targets"] for row in curve(tmp_path / name)) for name in ("each", "some")]
    assert heard[0] == heard[1]


def test_a_finished_training_has_nothing_to_do(tmp_path: Path, members: list[Member], new_ctc: NewCtc) -> None:
    train(tmp_path, new_ctc(), members)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    train(tmp_path, new_ctc(), members, load=lambda _: pytest.fail("a take was heard again"))

    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_finished_training_needs_no_moments(tmp_path: Path, members: list[Member], new_ctc: NewCtc) -> None:
    whole = train(tmp_path, new_ctc(), members)
    for path in tmp_path.glob(f"step-*/{checkpoint.TRAINING}"):
        path.unlink()

    again = train(tmp_path, new_ctc(), members)

    assert all(torch.equal(again[name], whole[name]) for name in whole)


def test_a_loss_that_is_no_number_names_the_step_and_the_takes(
    tmp_path: Path, members: list[Member], new_ctc: NewCtc
) -> None:
    def broken(draws: Sequence[Draw]) -> list[Utterance]:
        return [replace(u, features=u.features * float("nan")) for u in drawn_utterances(draws)]

    with pytest.raises(TrainingError, match=r"step 1: the loss is nan; its takes begin with take-\d+"):
        train(tmp_path, new_ctc(), members, load=broken)


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_no_number_leaves_the_checkpoints_whole(
    tmp_path: Path, members: list[Member], new_ctc: NewCtc, monkeypatch: pytest.MonkeyPatch, clip: float
) -> None:
    """The root of 0 is a number, and its slope is none."""
    ctc, loss = new_ctc(), Ctc.loss
    losses: list[Loss] = []

    def steep(self: Ctc, batch: Batch) -> Loss:
        losses.append(loss(self, batch))
        total = losses[-1].total
        return losses[-1] if len(losses) < CONFIG.save_every else Loss(total + (0 * total).sqrt())

    monkeypatch.setattr(Ctc, "loss", steep)
    monkeypatch.setattr(f"{__name__}.OPTIM", replace(OPTIM, clip=clip))
    with pytest.raises(TrainingError, match=r"step 4: the gradient is nan; its takes begin with take"):
        train(tmp_path, ctc, members)

    assert all(parameter.isfinite().all() for parameter in ctc.trained().values())
    assert checkpoint.last(tmp_path) is None


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path, members: list[Member], new_ctc: NewCtc) -> None:
    train(tmp_path, new_ctc(), members)
    other = new_ctc()
    other.module.out = torch.nn.Linear(12, 5)

    with pytest.raises(TrainingError, match="another model: 2 parameters differ"):
        train(tmp_path, other, members)


def _process(rank: int, folder: Path, members: list[Member], processes: int) -> None:
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29631", "ACCELERATE_USE_CPU": "true",
    }  # fmt: skip
    torch.manual_seed(3)
    from training.ctc import CtcConfig

    train(folder, Ctc(12, CtcConfig()), members, config=replace(CONFIG, micro_batches=4))
    torch.distributed.destroy_process_group()


def test_two_processes_train_as_one_does(tmp_path: Path, members: list[Member]) -> None:
    from training.ctc import CtcConfig

    torch.manual_seed(3)
    alone = train(tmp_path / "one", Ctc(12, CtcConfig()), members, config=replace(CONFIG, micro_batches=4))
    torch.multiprocessing.spawn(_process, args=(tmp_path / "two", members, 2), nprocs=2)
    together = checkpoint.load(tmp_path / "two").trained()

    losses = [[row["loss"] for row in rows_of(tmp_path / name)] for name in ("one", "two")]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
    assert all(torch.allclose(alone[name], together[name], atol=1e-4) for name in alone)


@pytest.mark.parametrize("processes", [0, 3])
def test_processes_without_a_micro_batch_are_refused(processes: int) -> None:
    config = LoopConfig(micro_batches=2)

    config.check_shared(2)
    with pytest.raises(UsageError, match=f"{processes} processes cannot share the 2 micro-batches"):
        config.check_shared(processes)
