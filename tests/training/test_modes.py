"""Dropout, and what else is of training alone: on in training where something is trained, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.training.test_whisper_asr import said, tiny
from tests.training.test_whisper_decoder import heard
from tests.training.test_whisper_decoder import tiny as tiny_decoding
from training.backbones.encoders import Encoder, TinyEncoderConfig
from training.backbones.language_models import LoraTable, TinyLmConfig
from training.backbones.whisper import set_dropout
from training.loop import Loop, LoopConfig
from training.modes import at_rest, begin_training
from training.optim import OptimConfig
from training.sampling import Epochs, SamplingConfig


@pytest.fixture
def halves() -> nn.ModuleDict:
    """One part that is trained and one that is not, each with dropout; as a training finds what it has loaded."""
    parts = {name: nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)) for name in ("trained", "frozen")}
    parts["frozen"].requires_grad_(requires_grad=False)
    return nn.ModuleDict(parts).eval()


def test_what_is_trained_drops_out_and_what_is_frozen_does_not(halves: nn.ModuleDict) -> None:
    begin_training(halves)

    ones = torch.ones(8, 4)
    assert not torch.equal(halves["trained"](ones), halves["trained"](ones))
    assert torch.equal(halves["frozen"](ones), halves["frozen"](ones))


def test_a_rest_leaves_every_part_as_it_was(halves: nn.ModuleDict) -> None:
    begin_training(halves)
    before = {name: part.training for name, part in halves.named_modules()}

    with at_rest(halves):
        assert not any(part.training for part in halves.modules())

    assert {name: part.training for name, part in halves.named_modules()} == before
    assert set(before.values()) == {True, False}


def looped(objective: Any, members: Any, folder: Path) -> None:
    """Put an objective into the loop, as a training does."""
    epochs = Epochs(members, SamplingConfig(batch_s=12.0), seed=0, epochs=1)
    Loop(objective, epochs, lambda _: [], config=LoopConfig(), optim=OptimConfig(), folder=folder)


@pytest.mark.parametrize("tuned", ["all", "decoder"])
def test_whisper_drops_out_where_it_is_tuned(tuned: Any, members: Any, tmp_path: Path) -> None:
    asr = tiny(tuned=tuned)
    set_dropout(asr.module.eval(), 0.5)

    looped(asr, members, tmp_path)

    batch = asr.collate([said("tea")])
    losses = {float(asr.loss(batch).total) for _ in range(2)}
    with at_rest(asr.module):
        whole = {float(asr.loss(batch).total) for _ in range(2)}
    assert (len(losses), len(whole)) == (2, 1)
    assert asr.module.model.encoder.training == (tuned == "all")


def test_a_decoder_on_kept_frames_drops_out_below_and_above_its_split(members: Any, tmp_path: Path) -> None:
    encoder: Encoder = TinyEncoderConfig().build()
    decoding = tiny_decoding(encoder)
    set_dropout(decoding.module.eval(), 0.5)

    looped(decoding, members, tmp_path)

    assert decoding.upper is not None
    assert decoding.upper.layers[0].training
    assert decoding.module.whisper.model.decoder.training
    batch = decoding.collate([heard("tea")])
    assert len({float(decoding.loss(batch).total) for _ in range(2)}) == 2


def test_adapters_drop_out_and_recompute_activations_in_training(members: Any, tmp_path: Path) -> None:
    lora = LoraTable(r=2, dropout=0.5)
    model = TinyLmConfig(lora=lora, checkpointing=True).build()
    assert not any(part.training for part in model.module.modules())

    begin_training(model.module)

    drops = [part for name, part in model.module.named_modules() if name.endswith("lora_dropout.default")]
    layers = [part for part in model.module.modules() if getattr(part, "gradient_checkpointing", False)]
    assert drops
    assert layers
    assert all(part.training for part in (*drops, *layers))


@pytest.mark.parametrize("lora", [None, LoraTable(r=2, first_layer=2, dropout=0.5)])
def test_frozen_layers_recompute_their_activations_too(lora: LoraTable | None) -> None:
    """Gradients of a projector go through all of them."""
    model = TinyLmConfig(lora=lora, checkpointing=True).build()
    begin_training(model.module)
    slots = torch.randn(1, 5, model.width, requires_grad=True)
    entered = []
    for layer in (layers := [part for part in model.module.modules() if type(part).__name__.endswith("DecoderLayer")]):
        layer.self_attn.register_forward_hook(lambda *_: entered.append(1))

    model.module(inputs_embeds=slots, use_cache=False).logits.sum().backward()

    assert len(entered) == 2 * len(layers)
    frozen = [part for part in model.module.modules() if isinstance(part, torch.nn.Linear) and not part.training]
    assert frozen
