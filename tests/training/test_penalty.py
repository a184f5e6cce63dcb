from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from catalogs.errors import RecipeError, TrainingError
from training.backbones.causal_lm import LanguageModel
from training.ctc import Ctc
from training.objective import Utterance
from training.penalty import Penalised, PenaltyConfig, coral, mmd, pooled
from training.projectors import ProjectorConfig
from training.recipe import TrainRecipe, parse_recipe
from training.slam_asr import SlamAsr, SlamAsrConfig

from .conftest import MakeUtterances

TABLE = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "tiny"}}


@pytest.fixture
def slam_asr(lm: LanguageModel) -> SlamAsr:
    return SlamAsrConfig(projector=ProjectorConfig(hidden=16)).build(lm, layers=1, width=12, seed=0)


@pytest.fixture
def mixed(make_utterances: MakeUtterances) -> list[Utterance]:
    """Every other utterance is real, and its features are twice as large and off to one side."""
    made = make_utterances(width=12)
    return [
        replace(u, is_synthetic=n % 2 == 0, features=u.features if n % 2 == 0 else 2 * u.features + 1)
        for n, u in enumerate(made)
    ]


@pytest.mark.parametrize("compare", [coral, mmd])
def test_equal_sets_are_not_apart_and_others_are(compare: Callable[..., torch.Tensor]) -> None:
    rows = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))

    assert compare(rows, rows.flip(0)).item() == pytest.approx(0, abs=1e-5)
    assert compare(rows, 3 * rows + 2) > 5 * compare(rows[:20], rows[20:]).abs()


def test_coral_is_the_frobenius_norm_of_its_paper() -> None:
    ours, theirs = torch.randn(2, 30, 5, generator=torch.Generator().manual_seed(1))

    norm = torch.linalg.matrix_norm(torch.cov(ours.T) - torch.cov(theirs.T))

    assert coral(ours, theirs).item() == pytest.approx((norm**2 / (4 * 5**2)).item(), rel=1e-4)


def test_slots_beyond_an_utterance_are_not_pooled() -> None:
    slots = torch.tensor([[[1.0], [3.0], [99.0]], [[5.0], [5.0], [5.0]]])

    assert pooled(slots, torch.tensor([2, 3])).tolist() == [[2.0], [5.0]]


@pytest.mark.parametrize("kind", ["coral", "mmd"])
def test_a_penalty_is_added_for_every_target_and_lowered_by_training(
    kind: str, slam_asr: SlamAsr, mixed: list[Utterance]
) -> None:
    penalised = PenaltyConfig(kind=kind, weight=2.0).around(slam_asr)  # type: ignore[arg-type]  # parametrised
    batch = penalised.collate(mixed)
    plain, found = slam_asr.loss(batch), penalised.loss(batch)

    assert found.watched["penalty"] > 0
    assert torch.isclose(found.total, plain.total + 2.0 * found.watched["penalty"])
    assert found.watched.keys() == {*plain.watched, "penalty"}
    assert penalised.trained().keys() == slam_asr.trained().keys()
    assert _after_training(penalised, mixed) < 0.5 * found.watched["penalty"]


def _after_training(penalised: Penalised, utterances: list[Utterance]) -> torch.Tensor:
    """The penalty when nothing but it was trained for a while."""
    optimizer = torch.optim.Adam(penalised.trained().values(), lr=0.01)
    batch = penalised.collate(utterances)
    for _ in range(40):
        optimizer.zero_grad()
        (penalised.loss(batch).total - penalised._objective.loss(batch).total).backward()
        optimizer.step()
    return penalised.loss(batch).watched["penalty"]


@pytest.mark.parametrize("kind", ["coral", "mmd"])
def test_a_penalty_is_that_of_full_precision_whatever_training_runs_in(
    kind: str, slam_asr: SlamAsr, mixed: list[Utterance]
) -> None:
    penalised = PenaltyConfig(kind=kind).around(slam_asr)  # type: ignore[arg-type]  # parametrised
    rows = 100 + torch.randn(8, 16, generator=torch.Generator().manual_seed(0))
    is_synthetic = torch.arange(8) % 2 == 0

    expected = penalised._apart(rows, is_synthetic)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = penalised._apart(rows, is_synthetic)

    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize("real", [0, 1])
def test_a_batch_of_one_kind_has_no_penalty(real: int, slam_asr: SlamAsr, mixed: list[Utterance]) -> None:
    utterances = [replace(u, is_synthetic=n >= real) for n, u in enumerate(mixed)]
    penalised = PenaltyConfig().around(slam_asr)
    batch = penalised.collate(utterances)

    found = penalised.loss(batch)

    assert found.watched["penalty"] == 0
    assert torch.equal(found.total, slam_asr.loss(batch).total)


def test_a_method_without_a_projector_is_refused(new_ctc: Callable[[], Ctc]) -> None:
    with pytest.raises(TrainingError, match="this method has none"):
        PenaltyConfig().around(new_ctc())


def test_a_recipe_names_its_penalty_beside_its_method() -> None:
    def recipe(**objective: Any) -> TrainRecipe:
        return parse_recipe(TABLE | {"objective": {"method": "ctc", **objective}}, source="test")

    assert recipe(penalty={"kind": "mmd"}).penalty == PenaltyConfig("mmd")
    assert recipe().penalty is None
    assert recipe(penalty={"kind": "mmd"}).id != recipe().id
    with pytest.raises(RecipeError, match=r"penalty\.weight"):
        recipe(penalty={"weight": 0})
    with pytest.raises(RecipeError, match="kind"):
        recipe(penalty={"kind": "corl"})
