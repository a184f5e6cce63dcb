"""EDM against closed formulas: preconditioning, weights, the flow of a Gaussian, guidance."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.lasyn.edm import (
    NoiseConfig,
    SamplerConfig,
    drawn_levels,
    guided,
    noise_levels,
    precondition,
    preconditioning,
    sample,
    squared_errors,
    weights,
)

PAPER = SamplerConfig(steps=18, highest=80, lowest=0.002)
LEVELS = st.floats(0.002, 80.0)
DATA = st.floats(0.1, 3.0)


@given(level=LEVELS, data=DATA)
def test_inputs_and_targets_of_the_network_have_variance_one(level: float, data: float) -> None:
    scales = preconditioning(torch.tensor([level], dtype=torch.float64), data=data)

    total = level**2 + data**2
    assert float(scales.inside) ** 2 * total == pytest.approx(1)
    target = (1 - float(scales.skip)) ** 2 * data**2 + float(scales.skip) ** 2 * level**2
    assert target / float(scales.out) ** 2 == pytest.approx(1)
    assert float(weights(torch.tensor([level], dtype=torch.float64), data=data)) * float(scales.out) ** 2 == (
        pytest.approx(1)
    )
    assert float(scales.noise.mul(4).exp()) == pytest.approx(level)


def test_a_network_that_says_nothing_loses_one_at_every_level() -> None:
    torch.manual_seed(0)
    clean, levels = torch.randn(2000, 50), torch.tensor([0.02, 0.5, 1.0, 20.0]).repeat(500)
    denoise = precondition(lambda noisy, noise: torch.zeros_like(noisy), data=1.0)

    errors = squared_errors(denoise, clean, levels, data=1.0).mean(dim=1)

    for level in levels[:4]:
        assert float(errors[levels == level].mean()) == pytest.approx(1, abs=0.03)


def test_levels_are_drawn_as_they_were_asked_for() -> None:
    torch.manual_seed(0)

    logs = drawn_levels(20_000, NoiseConfig(mean=-0.5, spread=0.7)).log()

    assert float(logs.mean()) == pytest.approx(-0.5, abs=0.02)
    assert float(logs.std()) == pytest.approx(0.7, abs=0.02)


def test_levels_of_a_sampler_are_those_of_the_paper() -> None:
    levels = noise_levels(PAPER)

    assert levels[0] == pytest.approx(80)
    assert levels[-2] == pytest.approx(0.002)
    assert levels[-1] == 0
    assert len(levels) == 19
    assert all(levels[n] > levels[n + 1] for n in range(18))
    middle = (80 ** (1 / 7) + 9 / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    assert levels[9] == pytest.approx(middle)


@pytest.mark.parametrize(("steps", "tolerance"), [(12, 0.07), (32, 0.02)])
def test_the_sampler_recovers_a_gaussian(steps: int, tolerance: float) -> None:
    mean, spread = torch.tensor([1.5, -0.5]), torch.tensor([0.4, 1.2])

    def best(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        share = spread**2 / (spread**2 + levels[:, None] ** 2)
        return mean + share * (noisy - mean)

    torch.manual_seed(0)
    found = sample(best, torch.randn(20_000, 2), noise_levels(SamplerConfig(steps=steps)))

    torch.testing.assert_close(found.mean(dim=0), mean, atol=0.05, rtol=0)
    torch.testing.assert_close(found.std(dim=0), spread, atol=0, rtol=tolerance)


def test_heun_is_of_second_order() -> None:
    def best(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        return noisy / (1 + levels[:, None] ** 2)

    noise = torch.ones(1, 1, dtype=torch.float64)
    exact = 80 / (1 + 80**2) ** 0.5
    levels = [noise_levels(replace(PAPER, steps=steps)) for steps in (16, 32, 64)]
    errors = [abs(float(sample(best, noise, each)) - exact) for each in levels]

    assert errors[0] / errors[1] > 3
    assert errors[1] / errors[2] > 3


def test_guidance_goes_from_untold_to_told_and_beyond() -> None:
    def told(noisy: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return noisy + 2

    def untold(noisy: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return noisy + 1

    noisy, levels = torch.zeros(1, 1), torch.ones(1)
    found = [float(guided(told, untold, guidance=scale)(noisy, levels)) for scale in (0.0, 1.0, 3.0)]

    assert found == [1.0, 2.0, 4.0]
    assert guided(told, untold, guidance=1) is told


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"lowest": 0.0}, {"lowest": 90.0}, {"guidance": -1.0}])
def test_a_sampler_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sampler"):
        SamplerConfig(**wrong)  # type: ignore[arg-type]
