"""Randomness that belongs to lines: whatever the batch, the same line draws the same."""

import numpy as np
import pytest
import torch

from synthgen.voices.neural.noise import LineNoise
from synthgen.voices.neural.running import RowwiseDecoder, read_in_batches, repeatable


def test_noise_does_not_depend_on_neighbours_or_padding() -> None:
    with LineNoise([5]):
        alone = torch.randn(1, 2, 30), torch.randn_like(torch.zeros(1, 4, 20))

    with LineNoise([9, 5]):
        together = torch.randn(2, 2, 50), torch.randn_like(torch.zeros(2, 4, 80))

    torch.testing.assert_close(together[0][1:, :, :30], alone[0], rtol=0, atol=0)
    torch.testing.assert_close(together[1][1:, :, :20], alone[1], rtol=0, atol=0)


def test_two_draws_of_one_line_differ() -> None:
    with LineNoise([5]):
        first, second = torch.randn(1, 2, 30), torch.randn(1, 2, 30)

    assert not torch.equal(first, second)


def test_noise_is_normal_and_scaled_by_line() -> None:
    with LineNoise([1, 2], scales=[1.0, 0.0]):
        noise = torch.randn((2, 8, 5000))

    assert noise[0].std().item() == pytest.approx(1.0, abs=0.02)
    assert noise[0].mean().item() == pytest.approx(0.0, abs=0.02)
    assert noise[1].abs().max().item() == 0.0


def test_noise_has_the_type_of_what_it_is_like() -> None:
    with LineNoise([1]):
        assert torch.randn_like(torch.zeros(1, 2, 3, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_choices_follow_the_weights() -> None:
    weights = torch.tensor([[0.0, 1.0, 0.0, 3.0, 0.0]])

    with LineNoise([3]):
        chosen = np.array([torch.multinomial(weights, num_samples=1).item() for _ in range(2000)])

    assert set(chosen) == {1, 3}
    assert (chosen == 3).mean() == pytest.approx(0.75, abs=0.03)


def test_a_choice_does_not_depend_on_neighbours() -> None:
    weights = torch.rand(3, 40, generator=torch.Generator().manual_seed(0))

    with LineNoise([7]):
        alone = [torch.multinomial(weights[2:], 1).item() for _ in range(10)]
    with LineNoise([5, 6, 7]):
        together = [torch.multinomial(weights, 1)[2].item() for _ in range(10)]

    assert together == alone


def test_outside_its_block_torch_draws_as_ever() -> None:
    torch.manual_seed(0)
    before = torch.randn(3)

    with LineNoise([1]):
        torch.randn(1, 3)
    torch.manual_seed(0)

    assert torch.equal(torch.randn(3), before)


def test_a_draw_that_is_not_one_row_per_line_is_a_bug() -> None:
    with LineNoise([1, 2]), pytest.raises(RuntimeError, match="one row for each of 2 lines"):
        torch.randn(3, 4)


def test_padding_is_not_decoded() -> None:
    decoder = torch.nn.ConvTranspose1d(2, 1, kernel_size=8, stride=4)
    latents = torch.randn(2, 2, 9)
    latents[1, :, 5:] = 0.0
    whole = RowwiseDecoder(Conditioned(decoder))

    waves = whole(latents)

    torch.testing.assert_close(waves[1:, :, : waves.shape[2] - 16], decoder(latents[1:, :, :5]))
    assert waves[1, :, decoder(latents[1:, :, :5]).shape[2] :].abs().max() == 0


class Conditioned(torch.nn.Module):
    """A decoder that takes a condition, and ignores it."""

    def __init__(self, decoder: torch.nn.Module) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latents: torch.Tensor, _: torch.Tensor | None) -> torch.Tensor:
        return self.decoder(latents)


def test_threads_are_given_back_and_memory_errors_pass_through() -> None:
    before = torch.get_num_threads()

    with pytest.raises(torch.OutOfMemoryError, match=f"full, with {before + 1} threads"), repeatable(before + 1):
        raise torch.OutOfMemoryError(f"the device is full, with {torch.get_num_threads()} threads")

    assert torch.get_num_threads() == before


def test_no_lines_make_no_batch() -> None:
    assert read_in_batches([], lambda _: [], batch=4, empty=None) == []
