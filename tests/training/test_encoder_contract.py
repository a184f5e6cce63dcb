"""What every encoder must do, whatever its family: the true classes at tiny sizes, and the starter model."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import training.backbones.waves
from catalogs.errors import TrainingError, UsageError
from training.backbones.encoders import Encoder, EncoderConfig, TinyEncoderConfig, WhisperConfig

KINDS = ("whisper", "wavlm-base", "wavlm-large", "hubert-base", "hubert-large")
CONFIGS: dict[str, EncoderConfig] = {f"tiny-{kind}": TinyEncoderConfig(kind=kind, batch=4) for kind in KINDS}
STARTER = WhisperConfig(device="cpu", batch=4)
SECONDS = (0.03, 0.11, 0.6, 1.0, 1.37, 2.0)
TOLERANCE = {"rtol": 1e-4, "atol": 2e-5}


def wave(num_samples: int, seed: int = 0) -> Tensor:
    """Something that is never the same twice: noise under a slow envelope."""
    draws = torch.Generator().manual_seed(seed)
    envelope = torch.linspace(0, 20 + seed, num_samples).sin().abs()
    return torch.randn(num_samples, generator=draws) * 0.1 * envelope


@pytest.fixture(scope="module", params=[*CONFIGS.values(), STARTER], ids=[*CONFIGS, "starter"])
def encoder(request: pytest.FixtureRequest) -> Iterator[Encoder]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield request.param.build()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def waves() -> list[Tensor]:
    return [wave(round(16_000 * seconds), seed) for seed, seconds in enumerate(SECONDS)]


@pytest.fixture(scope="module")
def every_layer(encoder: Encoder) -> tuple[int, ...]:
    return tuple(range(encoder.num_layers + 1))


@pytest.fixture(scope="module")
def encoded(encoder: Encoder, waves: list[Tensor], every_layer: tuple[int, ...]) -> list[Tensor]:
    return encoder.encode(waves, every_layer)


def lengths_of(encoder: Encoder) -> list[int]:
    """Lengths around every edge that a rule could get wrong; few for a model that takes its time."""
    edges = [base + by for base in (0, 160, 320, 400, 640, 720, 1040, 16_000, 31_999) for by in (-1, 0, 1)]
    odd = torch.randint(1, 40_000, (40,), generator=torch.Generator().manual_seed(1)).tolist()
    lengths = [length for length in [*edges, *odd, 32_001, 64_000, 64_001, 70_000] if length >= 0]
    return lengths if encoder.name == "tiny" else [0, 1, 319, 320, 321, 16_001]


def test_features_are_as_long_as_was_said(encoder: Encoder) -> None:
    lengths = lengths_of(encoder)

    found = encoder.encode([wave(length) for length in lengths], (-1,))

    assert [features.shape[1] for features in found] == encoder.output_lengths(lengths)


def test_features_are_float32_by_layer_frame_and_width(
    encoder: Encoder, waves: list[Tensor], encoded: list[Tensor]
) -> None:
    lengths = encoder.output_lengths([len(one) for one in waves])

    for features, length in zip(encoded, lengths, strict=True):
        assert features.shape == (encoder.num_layers + 1, length, encoder.width)
        assert features.dtype == torch.float32
        assert bool(features.isfinite().all())


@pytest.mark.parametrize("kind", ["wavlm-base", "hubert-large"])
def test_a_long_wave_is_heard_in_parts_whose_frames_add_up(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory grows with the square of what is heard at once: ten minutes of WavLM took more than there is."""
    monkeypatch.setattr(training.backbones.waves, "LONGEST_S", 2)
    monkeypatch.setattr(training.backbones.waves, "PART_S", 1)
    encoder = TinyEncoderConfig(kind=kind).build()
    lengths = [32_000, 32_001, 40_079, 40_080, 40_081, 100_000]
    heard: list[int] = []
    layers: Any = encoder.module.encoder
    layers.register_forward_pre_hook(lambda _, args: heard.append(args[0].shape[1]))

    found = encoder.encode([wave(length) for length in lengths], (-1,))

    assert [features.shape[1] for features in found] == encoder.output_lengths(lengths)
    assert max(heard) == encoder.output_lengths([32_000])[0]
    (part,) = encoder.encode([wave(100_000)[: 43 * 320 + 400]], (-1,))
    torch.testing.assert_close(found[-1][:, :44], part, **TOLERANCE)


def test_frames_come_at_the_rate_that_is_told(encoder: Encoder) -> None:
    (length,) = encoder.output_lengths([160_000])

    assert length == pytest.approx(10 * encoder.frame_rate_hz, abs=1)


def test_a_wave_does_not_hear_its_neighbours(encoder: Encoder, waves: list[Tensor], encoded: list[Tensor]) -> None:
    for index in (0, 1, 3):
        (alone,) = encoder.encode([waves[index]], range(encoder.num_layers + 1))
        torch.testing.assert_close(encoded[index], alone, **TOLERANCE)

    reordered = encoder.encode([wave(32_000, 99), waves[1], waves[0]], range(encoder.num_layers + 1))
    torch.testing.assert_close(reordered[2], encoded[0], **TOLERANCE)


def test_a_wave_is_heard_from_end_to_end(encoder: Encoder, waves: list[Tensor], encoded: list[Tensor]) -> None:
    for cut in (slice(0, 800), slice(-1600, None)):
        changed = waves[2].clone()
        changed[cut] = wave(len(changed[cut]), seed=50)

        (features,) = encoder.encode([changed], (-1,))

        assert features.shape == encoded[2][-1:].shape
        assert (features - encoded[2][-1:]).abs().max() > 100 * TOLERANCE["atol"]


def test_layers_come_in_the_order_asked_for(encoder: Encoder, waves: list[Tensor], encoded: list[Tensor]) -> None:
    (features,) = encoder.encode([waves[1]], (-1, 0, 1, -encoder.num_layers - 1))

    wanted = torch.stack([encoded[1][layer] for layer in (-1, 0, 1, 0)])
    torch.testing.assert_close(features, wanted, **TOLERANCE)
    differences = encoded[1].diff(dim=0).abs().amax(dim=(1, 2))
    assert bool((differences > 1e-3).all())  # no layer is another's copy


@pytest.mark.parametrize("by", [1, -2])
def test_a_layer_that_is_not_there_is_refused(encoder: Encoder, waves: list[Tensor], by: int) -> None:
    layer = encoder.num_layers + by if by > 0 else -encoder.num_layers + by

    with pytest.raises(UsageError, match=f"layers 0 to {encoder.num_layers}"):
        encoder.encode(waves[:1], (layer,))


@pytest.mark.parametrize(
    "bad",
    [torch.zeros(2, 16_000), torch.zeros(16_000, dtype=torch.float64), torch.full((16_000,), float("nan"))],
    ids=["stereo", "float64", "NaN"],
)
def test_what_is_no_wave_is_refused(encoder: Encoder, bad: Tensor) -> None:
    with pytest.raises(TrainingError, match="wave"):
        encoder.encode([bad], (-1,))


def test_nothing_is_trained_unasked(encoder: Encoder, waves: list[Tensor]) -> None:
    before = {name: tensor.clone() for name, tensor in encoder.module.state_dict().items()}

    (features,) = encoder.encode(waves[:1], (-1,))

    assert not any(parameter.requires_grad for parameter in encoder.module.parameters())
    assert not any(part.training for part in encoder.module.modules())
    assert not features.requires_grad
    assert not features.is_inference()
    after = encoder.module.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_a_projector_behind_it_is_trained_and_it_is_not(encoder: Encoder, waves: list[Tensor]) -> None:
    projector = torch.nn.Linear(encoder.width, 4)

    projector(encoder.encode(waves[1:2], (-1,))[0]).square().sum().backward()

    assert projector.weight.grad is not None
    assert all(parameter.grad is None for parameter in encoder.module.parameters())


def test_a_training_loop_does_not_wake_its_dropout(
    encoder: Encoder, waves: list[Tensor], encoded: list[Tensor]
) -> None:
    encoder.module.train()

    try:
        (features,) = encoder.encode([waves[1]], range(encoder.num_layers + 1))
        assert all(part.training for part in encoder.module.modules())
    finally:
        encoder.module.eval()

    torch.testing.assert_close(features, encoded[1], **TOLERANCE)


def test_whoever_tunes_it_gets_gradients_in_every_layer(encoder: Encoder, waves: list[Tensor]) -> None:
    encoder.module.requires_grad_(True)

    try:
        (features,) = encoder.forward(waves[2:3], (0, 1, -1))
        features.square().sum().backward()
        layers = getattr(encoder.module, "encoder", encoder.module).layers
        grads = [max(float(p.grad.abs().max()) for p in layer.parameters() if p.grad is not None) for layer in layers]
    finally:
        encoder.module.requires_grad_(False)
        encoder.module.zero_grad(set_to_none=True)

    assert len(grads) == encoder.num_layers
    assert min(grads) > 0


def test_no_waves_have_no_features(encoder: Encoder) -> None:
    assert encoder.encode([], (-1,)) == []
    assert encoder.output_lengths([]) == []


def test_an_id_is_that_of_what_decides_the_output() -> None:
    ids = [config.build().id for config in (*CONFIGS.values(), TinyEncoderConfig(seed=1), TinyEncoderConfig(width=16))]

    again = [config.build().id for config in CONFIGS.values()]

    assert len(set(ids)) == len(ids)
    assert again == ids[: len(again)]


def test_making_a_tiny_encoder_leaves_the_programs_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)

    torch.manual_seed(3)
    TinyEncoderConfig().build()

    assert torch.equal(torch.rand(4), expected)
