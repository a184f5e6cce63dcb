"""Projectors: their sizes are the published ones, their lengths exact, and padding is not heard."""

import itertools
from typing import Any

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from training.projectors import LayerMix, Projector, ProjectorConfig, Widths
from training.recipe import parse_recipe

KINDS = [
    ProjectorConfig(hidden=16),
    ProjectorConfig(hidden=16, norm=True),
    ProjectorConfig(hidden=16, mix=True),
    ProjectorConfig(kind="conv", hidden=16),
    ProjectorConfig(kind="conv", hidden=16, kernel=5, frames=4),
    ProjectorConfig(kind="conv", hidden=16, kernel=8, mix=True, norm=True),
    ProjectorConfig(kind="q_former", hidden=16),
    ProjectorConfig(kind="q_former", hidden=16, kernel=9, frames=4, layers=1, heads=2),
    ProjectorConfig(kind="q_former", hidden=16, kernel=8, mix=True, norm=True),
]


def build(config: ProjectorConfig, *, layers: int | None = None, seed: int = 0) -> Projector:
    layers = layers or (3 if config.mix else 1)
    return config.build(Widths(layers=layers, frame=6, text=8), seed=seed).eval()


def size(projector: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in projector.parameters())


@pytest.mark.parametrize(
    ("frame", "text", "millions"),
    [(1024, 4096, 18.88), (1280, 4096, 21.50), (768, 4096, 16.26), (1280, 2048, 17.31)],
)
def test_the_linear_projector_has_the_published_number_of_parameters(frame: int, text: int, millions: float) -> None:
    with torch.device("meta"):
        projector = Projector(ProjectorConfig(), Widths(layers=1, frame=frame, text=text))

    assert round(size(projector) / 1e6, 2) == millions


@pytest.mark.parametrize(("hidden", "layers", "kernel"), [(16, 2, None), (32, 3, 9)])
def test_a_q_former_has_as_many_parameters_as_its_parts(hidden: int, layers: int, kernel: int | None) -> None:
    projector = build(ProjectorConfig(kind="q_former", hidden=hidden, layers=layers, kernel=kernel))

    entering = 2 * 6 + 6 * hidden + hidden
    asking = hidden + (kernel or 5) * hidden  # the query, and the places of a window
    attending = 4 * hidden**2 + 3 * hidden  # keys need no bias
    feeding = 8 * hidden**2 + 5 * hidden
    each = attending + feeding + 2 * 2 * hidden
    leaving = 2 * hidden + hidden * 8 + 8
    assert size(projector) == entering + asking + layers * each + leaving


def test_a_layer_mix_adds_a_weight_per_layer_and_a_scale() -> None:
    plain, mixed = ProjectorConfig(hidden=16), ProjectorConfig(hidden=16, mix=True)

    assert size(build(mixed, layers=5)) - size(build(plain)) == 5 + 1


@pytest.mark.parametrize("config", KINDS)
def test_lengths_are_exact_for_every_length(config: ProjectorConfig) -> None:
    projector = build(config)

    for num_frames in range(config.frames, 90):
        features = torch.randn(1, projector.widths.layers, num_frames, 6)
        slots = projector(features, torch.tensor([num_frames]))
        assert slots.shape == (1, num_frames // config.frames, 8)
        assert projector.output_lengths(num_frames) == slots.shape[1]
    assert projector.output_lengths(torch.arange(90)).tolist() == [n // config.frames for n in range(90)]


@pytest.mark.parametrize("config", KINDS)
@pytest.mark.parametrize("filler", [0.0, 7.0, float("nan")])
def test_what_lies_beyond_the_end_is_not_heard(config: ProjectorConfig, filler: float) -> None:
    projector = build(config)
    lengths = [5, 23, 12, 29]
    rows = [torch.randn(projector.widths.layers, length, 6) for length in lengths]
    batch = torch.full((4, projector.widths.layers, 41, 6), filler)
    for row, features in zip(batch, rows, strict=True):
        row[:, : features.shape[1]] = features

    together = projector(batch, torch.tensor(lengths))

    for slots, features in zip(together, rows, strict=True):
        alone = projector(features[None], torch.tensor([features.shape[1]]))[0]
        torch.testing.assert_close(slots[: alone.shape[0]], alone)


def test_frames_that_are_left_over_are_dropped_and_all_others_heard() -> None:
    projector = build(ProjectorConfig(hidden=16))
    features = torch.randn(1, 1, 13, 6)
    before = projector(features, torch.tensor([13]))

    heard = []
    for frame in range(13):
        changed = features.clone()
        changed[:, :, frame] += 1
        heard.append(not torch.equal(projector(changed, torch.tensor([13])), before))

    assert heard == [True] * 10 + [False] * 3


def test_a_convolution_hears_the_neighbours_of_a_slot_and_a_q_former_does_if_asked() -> None:
    features = torch.randn(1, 1, 30, 6)
    changed = features.clone()
    changed[:, :, 10:15] *= -1  # the frames of slot 2

    moved = {}
    for kind, kernel in (("concat_linear", None), ("conv", None), ("q_former", None), ("q_former", 15)):
        projector = build(ProjectorConfig(kind=kind, hidden=16, kernel=kernel))  # type: ignore[arg-type]  # a name
        before, after = (projector(f, torch.tensor([30]))[0] for f in (features, changed))
        moved[kind, kernel] = [n for n in range(6) if not torch.allclose(before[n], after[n])]

    assert moved == {
        ("concat_linear", None): [2],
        ("conv", None): [1, 2, 3],
        ("q_former", None): [2],
        ("q_former", 15): [1, 2, 3],
    }


def test_a_query_finds_a_mean_of_its_own_frames_weighed_by_how_well_they_fit() -> None:
    projector = build(ProjectorConfig(kind="q_former", hidden=16, frames=3, layers=1, heads=1))
    asking: Any = projector.reduce
    layer = asking.layers[0]
    features = torch.randn(1, 1, 8, 6)

    slots = projector(features, torch.tensor([8]))[0]

    for n, slot in enumerate(slots):
        frames = asking.enter(asking.norm(features[0, 0, 3 * n : 3 * n + 3])) + asking.places
        query = layer.frames.query(layer.norms[0](asking.query))
        weights = (layer.frames.key(frames) @ query / 16**0.5).softmax(0)
        state = asking.query + layer.frames.out(weights @ layer.frames.value(frames))
        state = state + layer.leave(torch.nn.functional.gelu(layer.enter(layer.norms[1](state))))
        torch.testing.assert_close(slot, projector.out(asking.out_norm(state)))


def test_a_q_former_tells_the_order_of_the_frames_of_a_slot() -> None:
    projector = build(ProjectorConfig(kind="q_former", hidden=16))
    features = torch.randn(1, 1, 10, 6)
    turned = torch.cat([features[:, :, :5].flip(2), features[:, :, 5:]], dim=2)

    before, after = (projector(f, torch.tensor([10]))[0] for f in (features, turned))

    assert not torch.allclose(before[0], after[0], atol=1e-5)
    assert torch.equal(before[1], after[1])


@pytest.mark.parametrize("config", KINDS)
def test_every_parameter_is_learned_even_beside_utterances_that_end_early(config: ProjectorConfig) -> None:
    projector = build(config).train()
    features = torch.randn(3, projector.widths.layers, 30, 6)
    features[1:, :, 7:] = 7.0
    lengths = torch.tensor([30, 7, 5])

    slots = projector(features, lengths)
    is_slot = torch.arange(slots.shape[1]) < projector.output_lengths(lengths)[:, None]
    ((slots - 1) * is_slot[..., None]).square().sum().backward()  # type: ignore[no-untyped-call]  # torch

    for name, parameter in projector.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_a_mix_starts_as_the_mean_of_normed_layers_and_can_choose_one() -> None:
    features = 5 * torch.randn(2, 3, 7, 6) + 2
    mix = LayerMix(3)
    normed = torch.nn.functional.layer_norm(features, (6,))
    torch.testing.assert_close(mix(features), normed.mean(1))

    with torch.no_grad():
        mix.weights.copy_(torch.tensor([0.0, 100.0, 0.0]))
        mix.gamma.fill_(2.0)

    torch.testing.assert_close(mix(features), 2 * normed[:, 1])


def test_a_norm_starts_at_the_size_of_text_embeddings() -> None:
    widths = Widths(layers=1, frame=6, text=64, text_rms=0.05)
    projector = ProjectorConfig(hidden=16, norm=True).build(widths, seed=0)

    slots = projector(torch.randn(4, 1, 50, 6), torch.full((4,), 50))

    assert slots.square().mean().sqrt().item() == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize("kind", ["concat_linear", "conv", "q_former"])
def test_a_seed_decides_the_weights_and_disturbs_nobody_else(kind: Any) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)

    first, again, other = (build(ProjectorConfig(kind=kind, hidden=16), seed=seed).state_dict() for seed in (1, 1, 2))

    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["out.weight"], other["out.weight"])
    assert torch.equal(torch.rand(1), expected)


def test_several_layers_need_a_mix() -> None:
    with pytest.raises(TrainingError, match=r"projector.mix"):
        build(ProjectorConfig(hidden=16), layers=2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "qformer"}, "kind = 'qformer': expected 'concat_linear', 'conv' or 'q_former'"),
        ({"frames": 0}, "at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"kernel": 9}, "belongs to conv"),
        ({"kind": "conv", "kernel": 4}, r"at least projector.frames \(5\)"),
        ({"layers": 3}, "layers and heads belong to q_former; concat_linear has none"),
        ({"kind": "conv", "heads": 4}, "belong to q_former; conv has none"),
        ({"kind": "q_former", "layers": 0}, "at least 1"),
        ({"kind": "q_former", "hidden": 20}, "projector.hidden = 20 is to be shared by 8 heads"),
        ({"kind": "q_former", "kernel": 4}, r"at least projector.frames \(5\)"),
        ({"hiden": 9}, "did you mean 'hidden'"),
    ],
)
def test_mistakes_in_a_recipe_are_named(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(ProjectorConfig, table, source="recipe")


def test_half_precision_features_are_projected_in_the_projectors_own() -> None:
    for config, dtype in itertools.product(KINDS, (torch.float16, torch.bfloat16)):
        projector = build(config)
        features = torch.randn(1, projector.widths.layers, 20, 6).to(dtype)

        assert projector(features, torch.tensor([20])).dtype == torch.float32


def test_recipes_of_before_are_the_same_and_others_say_what_they_are_made_of() -> None:
    def definition(**projector: Any) -> str:
        objective = {"method": "slam_asr", "language_model": {"name": "tiny"}, "projector": projector}
        table = {"name": "x", "data": [{"corpus": "c", "release": "r"}], "encoder": {"name": "tiny"}}
        return parse_recipe(table | {"objective": objective}, source="test").definition

    of_before = '"projector":{"dropout":0.0,"frames":5,"hidden":2048,"kernel":null,"kind":"concat_linear"'
    assert of_before + ',"mix":false,"norm":false}' in definition()
    assert '"heads":4' in definition(kind="q_former", heads=4)
    assert definition(kind="q_former", layers=3) != definition(kind="q_former")
