"""Adapters are merged as what they stand for: against peft's own products, and against the best there is of a rank."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from catalogs.errors import TrainingError
from training.backbones.language_models import LoraTable, TinyLmConfig
from training.merging.low_rank import best_pair, dense, pairs_in, split
from training.merging.vectors import difference, norm, scaled, total

GAIN = 4.0


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def adapter(seed: int, rank: int = 2) -> dict[str, Tensor]:
    """One adapter of a weight (6, 5), and a parameter beside it."""
    return {
        "q_proj.lora_A.default.weight": random(rank, 5, seed=seed),
        "q_proj.lora_B.default.weight": random(6, rank, seed=seed + 100),
        "projector.out.weight": random(3, 3, seed=seed + 200),
    }


def mean_of_halves(*models: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What must not be done: A and B averaged apart."""
    return scaled(total(list(models)), 1 / len(models))


def test_a_product_is_what_peft_adds_to_a_weight() -> None:
    lm = TinyLmConfig(lora=LoraTable(r=2, alpha=8.0, dropout=0.0)).build()
    for number, (name, parameter) in enumerate(sorted(lm.trained().items())):
        parameter.data = random(*parameter.shape, seed=number)
        assert "lora_" in name
    trained = {name: parameter.detach().clone() for name, parameter in lm.trained().items()}

    products = dense(trained, gain=GAIN)

    module: Any = lm.module
    for name, product in products.items():
        layer = module.get_submodule(name.removesuffix(".weight"))
        torch.testing.assert_close(product, layer.get_delta_weight("default").detach())
    assert len(products) == len(trained) / 2


def test_arithmetic_on_products_is_not_that_on_halves() -> None:
    one, other = adapter(1), adapter(2)

    ours = scaled(total([dense(one, GAIN), dense(other, GAIN)]), 0.5)
    theirs = dense(mean_of_halves(one, other), GAIN)

    assert not torch.allclose(ours["q_proj.weight"], theirs["q_proj.weight"], atol=0.1)
    assert torch.equal(ours["projector.out.weight"], theirs["projector.out.weight"])


def test_ranks_enough_lose_nothing() -> None:
    target, real, synthetic = adapter(1), adapter(2), adapter(3)
    before = dense(target, GAIN)
    vector = difference(dense(real, GAIN), dense(synthetic, GAIN))
    merged = total([before, scaled(vector, 0.5)])

    found = split(merged, target, before=before, rank=5, gain=GAIN)

    assert found.lost < 1e-6
    assert found.weights["q_proj.lora_A.default.weight"].shape == (5, 5)
    torch.testing.assert_close(dense(found.weights, GAIN)["q_proj.weight"], merged["q_proj.weight"])


def test_what_a_rank_loses_is_the_rest_of_the_singular_values() -> None:
    merged = random(6, 5, seed=9)

    found = split(
        {"q_proj.weight": merged}, halves(adapter(1)), before=dense(halves(adapter(1)), GAIN), rank=None, gain=GAIN
    )

    values = torch.linalg.svdvals(merged)
    assert found.lost == pytest.approx(float(values[2:].norm() / values.norm()), rel=1e-5)
    a, b = best_pair(merged, rank=2, gain=GAIN)
    assert norm({"a": a}) == pytest.approx(norm({"b": b}), rel=1e-5)


def test_an_adapter_that_nothing_was_added_to_stays_as_it_is() -> None:
    target = halves(adapter(1))
    before = dense(target, GAIN)

    same = split(before, target, before=before, rank=None, gain=GAIN)
    wider = split(before, target, before=before, rank=4, gain=GAIN)

    assert same.lost < 1e-6
    assert all(torch.equal(same.weights[name], target[name]) for name in target)
    assert torch.equal(wider.weights["q_proj.lora_A.default.weight"][:2], target["q_proj.lora_A.default.weight"])
    torch.testing.assert_close(dense(wider.weights, GAIN), before)


def test_half_an_adapter_is_refused() -> None:
    half = {name: tensor for name, tensor in adapter(1).items() if "lora_B" not in name}

    with pytest.raises(TrainingError, match=r"q_proj\.lora_A\.default\.weight is half of an adapter"):
        pairs_in(half)


def halves(model: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in model.items() if "lora_" in name}
