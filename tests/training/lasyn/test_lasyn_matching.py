"""Distribution matching: made latents come to lie where real ones lie, which recognisability alone does not ask for."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from catalogs.progress import Progress
from training import session
from training.backbones.encoders import Encoder
from training.lasyn.guided import GuidedSynthesis
from training.lasyn.matching import MatchingConfig, frames_mmd, heard_frames, matched, moments
from training.lasyn.methods import FixedSynthesisMethod
from training.objective import Utterance
from training.penalty import mmd
from training.recipe import parse_recipe
from training.starting import meaning_of

from ..conftest import fit
from .conftest import SPLIT, TOLD, UNTOLD, WIDTH, spoken, written

SMALL = {"filters": 48, "layers": 2, "kernel": 3, "frames_per_phone": 4}
KINDS = ("mmd", "moments")


def synthesis(encoder: Encoder, guide_folder: str, **matching: Any) -> GuidedSynthesis:
    table = {"guide_from": guide_folder, "synthesiser": SMALL, "unknown": "refuse"}
    asked = table | ({"matching": matching} if matching else {})
    return parse(FixedSynthesisMethod, asked, source="objective").build(encoder, num_layers=1, seed=3)


def frames_of(utterances: list[Utterance]) -> torch.Tensor:
    return torch.cat([u.features[-1] for u in utterances if u.features is not None])


def away(objective: GuidedSynthesis, kind: Any) -> float:
    """How far latents that it makes of new texts are from real latents of those texts."""
    batch = objective.collate(written(UNTOLD)).tensors
    with torch.no_grad():
        made = heard_frames(*objective.synthesiser(batch["phones"], batch["num_phones"]))
    return float(matched(made, frames_of(spoken(UNTOLD, seed=5)), MatchingConfig(kind, frames=10_000)))


def lost(objective: GuidedSynthesis) -> float:
    """What the guide loses on what it makes of new texts."""
    batch = objective.collate(written(UNTOLD))
    with torch.no_grad():
        found = objective.loss(batch)
    return float(found.total) / batch.num_targets


def learned(objective: GuidedSynthesis, *, steps: int) -> GuidedSynthesis:
    torch.manual_seed(0)
    fit(objective, [*spoken(TOLD[:12]), *written(TOLD[12:])], steps=steps)
    return objective


@pytest.fixture(scope="module")
def alone(encoder: Encoder, guide_folder: str) -> GuidedSynthesis:
    """A synthesiser that the guide alone has taught."""
    return learned(synthesis(encoder, guide_folder), steps=120)


@pytest.mark.parametrize("kind", KINDS)
def test_matching_brings_latents_of_new_texts_nearer_to_real_ones_and_they_are_heard_as_well(
    kind: str, alone: GuidedSynthesis, encoder: Encoder, guide_folder: str
) -> None:
    pulled = learned(synthesis(encoder, guide_folder, kind=kind, weight=1.0), steps=120)

    assert away(pulled, kind) < 0.5 * away(alone, kind)
    assert lost(pulled) < 1.2 * lost(alone)


def test_neither_the_guide_nor_the_encoder_is_pulled(encoder: Encoder, guide_folder: str) -> None:
    objective = synthesis(encoder, guide_folder, kind="mmd", weight=1.0)
    before = {name: value.clone() for name, value in objective.module["guide"].state_dict().items()}

    learned(objective, steps=2)

    assert all(torch.equal(value, before[name]) for name, value in objective.module["guide"].state_dict().items())
    assert all(p.grad is None for p in (*objective.module["guide"].parameters(), *encoder.module.parameters()))
    assert all(p.grad is not None for p in objective.trained().values())


def test_a_weight_of_nothing_trains_the_same_bits_as_no_matching(encoder: Encoder, guide_folder: str) -> None:
    none = learned(synthesis(encoder, guide_folder), steps=3)
    nothing = learned(synthesis(encoder, guide_folder, kind="mmd", weight=0.0), steps=3)
    some = learned(synthesis(encoder, guide_folder, kind="mmd", weight=1.0), steps=3)

    assert all(torch.equal(value, nothing.trained()[name]) for name, value in none.trained().items())
    assert any(not torch.equal(value, some.trained()[name]) for name, value in none.trained().items())


def test_the_loss_is_that_of_the_guide_and_the_distance_for_every_target(encoder: Encoder, guide_folder: str) -> None:
    unmatched, pulled = synthesis(encoder, guide_folder), synthesis(encoder, guide_folder, kind="mmd", weight=0.5)
    utterances = [*spoken(TOLD[:4]), *written(UNTOLD)]

    plain = unmatched.loss(unmatched.collate(utterances))
    found = pulled.loss(pulled.collate(utterances))

    assert found.watched["matching"] > 0
    torch.testing.assert_close(found.total, plain.total + 0.5 * found.watched["matching"])
    assert found.watched.keys() == {*plain.watched, "matching"}


def test_a_batch_without_real_speech_is_not_matched(encoder: Encoder, guide_folder: str) -> None:
    objective = synthesis(encoder, guide_folder, kind="mmd", weight=1.0)
    synthetic = [replace(utterance, is_synthetic=True) for utterance in spoken(TOLD[:4])]

    for utterances in (written(UNTOLD), synthetic):
        assert objective.loss(objective.collate(utterances)).watched["matching"] == 0


def test_distances_of_frames_are_those_of_the_penalty() -> None:
    ours, theirs = torch.randn(2, 60, WIDTH, generator=torch.Generator().manual_seed(0)) + torch.tensor(
        [[[0.0]], [[1.0]]]
    )

    torch.testing.assert_close(frames_mmd(ours, theirs), mmd(ours, theirs), atol=1e-5, rtol=1e-4)
    assert float(moments(ours, ours)) == pytest.approx(0, abs=1e-6)
    assert float(moments(ours, theirs)) > 0.9


def test_padding_and_the_scale_of_a_channel_do_not_count() -> None:
    latents = torch.randn(2, 9, WIDTH)
    scale = torch.logspace(-2, 2, WIDTH)
    made, real = torch.randn(40, WIDTH), torch.randn(50, WIDTH) + 0.5

    assert torch.equal(heard_frames(latents, torch.tensor([9, 4])), torch.cat([latents[0], latents[1, :4]]))
    torch.testing.assert_close(
        matched(made * scale, real * scale, MatchingConfig()),
        matched(made, real, MatchingConfig()),
        atol=1e-4,
        rtol=1e-3,
    )


def table(guide_folder: str, data: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    objective = {"method": "lasyn_fixed", "guide_from": guide_folder, "matching": {"kind": "mmd"}}
    return {"name": "matched", "data": data, "encoder": {"name": "tiny"}, "objective": objective} | more


def test_a_recipe_without_real_speech_to_match_is_refused(guide_folder: str, tmp_path: Any) -> None:
    (tmp_path / "menu.txt").write_text("a large tea\n")
    recipe = parse_recipe(
        table(guide_folder, [{"texts": str(tmp_path / "menu.txt")}], folder=str(tmp_path / "m")), source="test"
    )

    with pytest.raises(TrainingError, match="data has no real take: add a release of recordings"):
        session.train(recipe, progress=Progress(quiet=True))


def test_latents_of_another_layer_are_not_matched(encoder: Encoder, guide_folder: str) -> None:
    assert synthesis(encoder, guide_folder, kind="mmd").layers == (SPLIT,)
    assert synthesis(encoder, guide_folder).layers is None


def test_matching_is_part_of_what_is_trained_and_of_nothing_that_parameters_mean(guide_folder: str) -> None:
    matching = parse_recipe(table(guide_folder, [{"texts": "menu.txt"}]), source="test")
    objective = {"method": "lasyn_fixed", "guide_from": guide_folder}
    plain = parse_recipe(table(guide_folder, [{"texts": "menu.txt"}]) | {"objective": objective}, source="test")

    assert matching.id != plain.id
    assert "matching" not in plain.table()["objective"]
    assert meaning_of(matching.table()) == meaning_of(plain.table())


@pytest.mark.parametrize("wrong", [{"kind": "coral"}, {"weight": -1.0}, {"weight": float("inf")}, {"frames": 1}])
def test_mistakes_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        parse(FixedSynthesisMethod, {"matching": wrong}, source="recipe")
