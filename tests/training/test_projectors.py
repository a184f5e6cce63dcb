"""Projectors: their sizes are the published ones, their lengths exact, and padding is not heard."""

import itertools

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import RecipeError, TrainingError
from training.projectors import LayerMix, Projector, ProjectorConfig, Widths

KINDS = [
    ProjectorConfig(hidden=16),
    ProjectorConfig(hidden=16, norm=True),
    ProjectorConfig(hidden=16, mix=True),
    ProjectorConfig(kind="conv", hidden=16),
    ProjectorConfig(kind="conv", hidden=16, kernel=5, frames=4),
    ProjectorConfig(kind="conv", hidden=16, kernel=8, mix=True, norm=True),
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


def test_a_convolution_hears_the_neighbours_of_a_slot() -> None:
    features = torch.randn(1, 1, 30, 6)
    changed = features.clone()
    changed[:, :, 10:15] += 1  # the frames of slot 2

    moved = {}
    for kind in ("concat_linear", "conv"):
        projector = build(ProjectorConfig(kind=kind, hidden=16))  # type: ignore[arg-type]  # a name of the two
        before, after = (projector(f, torch.tensor([30]))[0] for f in (features, changed))
        moved[kind] = [n for n in range(6) if not torch.allclose(before[n], after[n])]

    assert moved == {"concat_linear": [2], "conv": [1, 2, 3]}


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


def test_a_seed_decides_the_weights_and_disturbs_nobody_else() -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)

    first, again, other = (build(ProjectorConfig(hidden=16), seed=seed).out.weight for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(1), expected)


def test_several_layers_need_a_mix() -> None:
    with pytest.raises(TrainingError, match=r"projector.mix"):
        build(ProjectorConfig(hidden=16), layers=2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "qformer"}, "kind = 'qformer': expected 'concat_linear' or 'conv'"),
        ({"frames": 0}, "at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"kernel": 9}, "belongs to conv"),
        ({"kind": "conv", "kernel": 4}, r"at least projector.frames \(5\)"),
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
