"""An encoder in two parts: what the lower one leaves, the upper one goes on from as the whole would."""

from typing import Any

import pytest
import torch

from catalogs.errors import TrainingError
from training.backbones.encoders import TinyEncoderConfig
from training.backbones.split import upper_part
from training.ctc import Ctc, CtcConfig

ENCODER = TinyEncoderConfig().build()
WHOLE = [torch.sin(torch.arange(32_000) / (7 + n)) for n in range(2)]
"""Waves that fill the window of tiny Whisper, so that nothing of it is padding."""


@pytest.mark.parametrize("split", [0, 1, 2, 3])
def test_the_upper_part_of_the_lower_part_is_the_whole(split: int) -> None:
    low = torch.stack([found[0] for found in ENCODER.encode(WHOLE, layers=(split,))])

    high = upper_part(ENCODER, split)(low, torch.tensor([100, 100]))

    expected = torch.stack([found[0] for found in ENCODER.encode(WHOLE, layers=(-1,))])
    torch.testing.assert_close(high, expected)


def test_the_frames_of_an_utterance_do_not_depend_on_its_batch() -> None:
    upper = upper_part(ENCODER, 1)
    latents = torch.randn(2, 50, ENCODER.width)

    together = upper(latents, torch.tensor([50, 20]))
    alone = upper(latents[1:, :20], torch.tensor([20]))

    torch.testing.assert_close(together[1, :20], alone[0])


def test_tuning_the_upper_part_leaves_the_encoder_as_it_is() -> None:
    objective = CtcConfig(split=2).build(ENCODER, num_layers=1, seed=0)
    before = {name: value.clone() for name, value in ENCODER.module.state_dict().items()}

    optimiser = torch.optim.SGD(objective.trained().values(), lr=0.1)
    objective.module(torch.randn(1, 9, ENCODER.width), torch.tensor([9]))[..., 0].sum().backward()
    optimiser.step()

    assert {name.partition(".")[0] for name in objective.trained()} == {"norm", "out", "upper"}
    assert all(parameter.grad is not None for parameter in objective.trained().values())
    assert all(torch.equal(value, before[name]) for name, value in ENCODER.module.state_dict().items())
    assert not any(parameter.requires_grad for parameter in ENCODER.module.parameters())


@pytest.mark.parametrize(
    ("kind", "split", "message"),
    [("whisper", 4, "expected 0 to 3"), ("whisper", -1, "expected the number of a layer"), ("wavlm-base", 1, "only")],
)
def test_a_split_that_cannot_be_made_is_refused(kind: Any, split: int, message: str) -> None:
    encoder = TinyEncoderConfig(kind=kind).build()

    with pytest.raises((TrainingError, ValueError), match=message):
        CtcConfig(split=split).build(encoder, num_layers=1, seed=0)


def test_a_head_alone_is_named_as_it_always_was() -> None:
    assert sorted(Ctc(12, CtcConfig()).trained()) == ["norm.bias", "norm.weight", "out.bias", "out.weight"]
