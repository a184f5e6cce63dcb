"""Operators on task vectors: what holds for all of them, and what each is known for."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from catalogs.config import parse
from catalogs.errors import RecipeError
from training.merging.operators import OperatorConfig, added, combined, dropped, matched, trimmed
from training.merging.scales import scale_by_name
from training.merging.vectors import grouped, inner_products, kind_of, layer_of, norm

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = st.floats(-4, 4, width=32, allow_subnormal=False)
EVERY = [
    OperatorConfig(),
    OperatorConfig(norms="matched"),
    OperatorConfig("ties", keep=0.5),
    OperatorConfig("dare", drop=0.3, seed=7),
    OperatorConfig("tsv"),
    OperatorConfig("slerp"),
]


@st.composite
def ensembles(draw: Any, most: int = 4) -> dict[str, dict[str, Tensor]]:
    """Vectors of two parameters each, by their keys."""
    number = draw(st.integers(1, most))
    numbers = st.lists(NUMBERS, min_size=8, max_size=8)

    def vector() -> dict[str, Tensor]:
        drawn = torch.tensor(draw(numbers))
        return {"layers.0.weight": drawn[:6].reshape(2, 3), "out.bias": drawn[6:]}

    return {f"key-{n}": vector() for n in range(number)}


def is_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Bit by bit; a zero is another number than a negative one."""
    return one.keys() == other.keys() and all(
        torch.equal(one[name].view(torch.int32), other[name].view(torch.int32)) for name in one
    )


def everywhere(scale: float) -> Callable[[str], float]:
    return lambda _: scale


@pytest.mark.parametrize("config", EVERY, ids=lambda config: f"{config.name}-{config.norms}")
@QUICK
@given(vectors=ensembles())
def test_the_order_of_vectors_makes_no_difference(config: OperatorConfig, vectors: dict[str, Any]) -> None:
    assert is_same(combined(vectors, config), combined(dict(reversed(vectors.items())), config))


@pytest.mark.parametrize(
    "config", [*EVERY[:2], OperatorConfig("ties", keep=1.0), OperatorConfig("dare", drop=0.0), *EVERY[-2:]]
)
@QUICK
@given(vectors=ensembles(most=1))
def test_an_ensemble_of_one_is_that_one(config: OperatorConfig, vectors: dict[str, Any]) -> None:
    found = combined(vectors, config)

    assert all(torch.equal(found[name], tensor) for name, tensor in vectors["key-0"].items())


@pytest.mark.parametrize("config", EVERY, ids=lambda config: f"{config.name}-{config.norms}")
@QUICK
@given(vectors=ensembles(), model=ensembles(most=1))
def test_a_lambda_of_nothing_leaves_every_bit(config: OperatorConfig, vectors: Any, model: Any) -> None:
    target = model["key-0"] | {"out.bias": torch.tensor([-0.0, 1e-42])}

    found = added(target, combined(vectors, config), scale_of=everywhere(0.0), arc=config.name == "slerp")

    assert is_same(found, target)


@pytest.mark.parametrize("arc", [False, True])
@QUICK
@given(vectors=ensembles(most=1), model=ensembles(most=1))
def test_a_lambda_of_one_adds_all_of_it(arc: bool, vectors: Any, model: Any) -> None:
    vector, target = vectors["key-0"], model["key-0"]

    found = added(target, vector, scale_of=everywhere(1.0), arc=arc)

    for name in target:
        torch.testing.assert_close(found[name], target[name] + vector[name], rtol=1e-5, atol=1e-5)


@QUICK
@given(vectors=ensembles())
def test_matched_vectors_keep_their_directions_and_share_a_norm(vectors: dict[str, Any]) -> None:
    before = list(vectors.values())
    after = matched(before)

    mean = sum(map(norm, before)) / len(before)
    for one, other in zip(before, after, strict=True):
        assert norm(other) == pytest.approx(mean if norm(one) else 0.0, rel=1e-5, abs=1e-9)
        inner = sum(products[0, 1] for products in inner_products([one, other]).values())
        assert inner == pytest.approx(norm(one) * norm(other), rel=1e-6, abs=1e-9)


@QUICK
@given(vectors=ensembles(), keep=st.floats(0.1, 1.0))
def test_ties_keeps_the_share_of_largest_entries(vectors: dict[str, Any], keep: float) -> None:
    vector = vectors["key-0"]

    found = trimmed(vector, keep=keep)

    before, after = (torch.cat([t.flatten() for t in v.values()]) for v in (vector, found))
    kept = after != 0
    assert int(kept.sum()) >= min(max(1, round(keep * 8)), int((before != 0).sum()))
    assert torch.equal(after[kept], before[kept])
    assert all(float(x.abs()) <= float(before[kept].abs().min()) for x in before[~kept] if kept.any())


def test_ties_elects_signs_and_averages_those_that_agree() -> None:
    vectors = {
        "a": {"w": torch.tensor([4.0, -1.0, 2.0, 0.0, 5.0])},
        "b": {"w": torch.tensor([2.0, -3.0, -2.0, 0.0, -1.0])},
        "c": {"w": torch.tensor([-1.0, 2.0, 0.0, 0.0, -1.0])},
    }

    found = combined(vectors, OperatorConfig("ties", keep=1.0))

    assert found["w"].tolist() == [3.0, -2.0, 0.0, 0.0, 5.0]  # of the last, two are negative and weigh less


def test_dare_keeps_the_vector_on_average_and_knows_no_neighbours() -> None:
    vector = {"w": torch.linspace(-1, 1, 50)}
    config = OperatorConfig("dare", drop=0.5, seed=3)
    seeds = [dropped(vector, key="a", drop=0.5, seed=seed)["w"] for seed in range(2000)]

    alone = combined({"a": vector}, config)["w"]
    beside_nothing = combined({"a": vector, "b": {"w": torch.zeros(50)}}, config)["w"]

    torch.testing.assert_close(torch.stack(seeds).mean(dim=0), vector["w"], atol=0.1, rtol=0)
    assert torch.equal(beside_nothing, alone / 2)
    assert not torch.equal(alone, combined({"b": vector}, config)["w"])
    assert not torch.equal(alone, combined({"a": vector}, OperatorConfig("dare", drop=0.5, seed=4))["w"])


def test_singular_parts_that_do_not_meet_are_summed_and_those_that_do_are_set_apart() -> None:
    one, other = torch.zeros(4, 4), torch.zeros(4, 4)
    one[0, 0], other[1, 1] = 2.0, 3.0
    alike = one + 1e-3 * torch.eye(4)

    apart = combined({"a": {"w": one}, "b": {"w": other}}, OperatorConfig("tsv"))["w"]
    met = combined({"a": {"w": one}, "b": {"w": alike}}, OperatorConfig("tsv"))["w"]

    torch.testing.assert_close(torch.linalg.svdvals(apart)[:2], torch.tensor([3.0, 2.0]))
    assert float(torch.linalg.matrix_norm(met, 2)) < float(torch.linalg.matrix_norm(one + alike, 2))
    bias = combined({"a": {"b": torch.ones(3)}, "b": {"b": torch.zeros(3)}}, OperatorConfig("tsv"))["b"]
    assert bias.tolist() == [0.5, 0.5, 0.5]


def test_slerp_goes_along_an_arc_and_not_through_it() -> None:
    east, to_north = {"w": torch.tensor([1.0, 0.0])}, {"w": torch.tensor([-1.0, 1.0])}

    half = added(east, to_north, scale_of=everywhere(0.5), arc=True)["w"]

    torch.testing.assert_close(half, torch.tensor([sqrt(0.5), sqrt(0.5)]))
    assert added(east, to_north, scale_of=everywhere(0.5), arc=False)["w"].tolist() == [0.5, 0.5]


def test_slerp_stays_on_the_arc_where_an_entry_of_the_vector_is_nothing() -> None:
    start, way = torch.tensor([1.0, 1.0]), torch.tensor([0.0, 1.0])
    end = start + way
    angle = torch.arccos(start @ end / start.norm() / end.norm())

    found = added({"w": start, "b": way}, {"w": way, "b": 0 * way}, scale_of=everywhere(0.5), arc=True)

    torch.testing.assert_close(found["w"], (start + end) * torch.sin(angle / 2) / torch.sin(angle))
    assert torch.equal(found["b"], way)


NAMES = ("model.encoder.layers.0.fc1.weight", "model.decoder.layers.0.self_attn.q_proj.weight", "proj_out.weight")


@pytest.mark.parametrize(
    ("scales", "expected"),
    [
        ({}, [0.4, 0.4, 0.4]),
        ({"0": 0.1}, [0.1, 0.1, 0.4]),
        ({"0": 0.1, "*.decoder.*": 0.2}, [0.1, 0.2, 0.4]),
        ({"*": 0.3, "proj_out.*": 0.0}, [0.3, 0.3, 0.0]),
        ({"model.decoder.layers.0": 0.2, "proj_out": 0.0}, [0.4, 0.2, 0.0]),
    ],
)
def test_layers_have_a_lambda_of_their_own_and_the_last_pattern_counts(scales: Any, expected: list[float]) -> None:
    scale_of = scale_by_name(NAMES, 0.4, scales, source="test")

    assert [scale_of(name) for name in NAMES] == expected


def test_patterns_that_fit_nothing_are_told_together() -> None:
    with pytest.raises(RecipeError, match=r"'7' fits no parameter.*'model.encodr.layers.0' fits no .*did you mean"):
        scale_by_name(NAMES, 0.4, {"7": 0.1, "model.encodr.layers.0": 0.2}, source="test")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "tise"}, "'add', 'ties', 'dare', 'tsv' or 'slerp'"),
        ({"name": "add", "keep": 0.3}, "keep does nothing with 'add'"),
        ({"name": "ties", "keep": 0.0}, "expected a share above 0"),
        ({"name": "dare", "drop": 1.0}, "expected a probability"),
    ],
)
def test_mistakes_in_an_operator_are_told(table: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(OperatorConfig, table, source="operator")


def test_an_operator_says_all_of_its_settings_and_is_read_again() -> None:
    config = OperatorConfig("dare")

    assert (config.drop, config.seed, config.keep) == (0.5, 0, None)
    assert parse(OperatorConfig, {"name": "dare", "drop": 0.5, "seed": 0, "keep": None}, source="test") == config


@pytest.mark.parametrize(
    ("name", "layer", "kind"),
    [
        ("model.encoder.layers.3.self_attn.k_proj.weight", "model.encoder.layers.3", "attention"),
        ("model.decoder.layers.1.encoder_attn_layer_norm.bias", "model.decoder.layers.1", "norm"),
        ("model.decoder.layers.11.fc2.weight", "model.decoder.layers.11", "mlp"),
        ("model.encoder.conv1.weight", "model.encoder.conv1", "convolution"),
        ("model.decoder.embed_tokens.weight", "model.decoder.embed_tokens", "embedding"),
        ("projector.norm.weight", "projector.norm", "projector"),
        ("lm.model.layers.2.mlp.gate_proj.weight", "lm.model.layers.2", "mlp"),
        ("out.bias", "out", "other"),
    ],
)
def test_a_parameter_has_a_layer_and_a_kind(name: str, layer: str, kind: str) -> None:
    assert (layer_of(name), kind_of(name)) == (layer, kind)
    assert grouped([name], "layer") == {layer: [name]}
