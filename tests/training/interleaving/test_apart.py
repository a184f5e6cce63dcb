"""Language models that keep the sequences of a row apart, and those that do not; how long a sequence may be."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma3TextConfig, Lfm2Config, LlamaConfig, MambaConfig, MistralConfig

from catalogs.errors import TrainingError
from training import methods
from training.backbones.causal_lm import Ends, LanguageModel
from training.backbones.encoders import TinyEncoderConfig
from training.interleaving.apart import check_apart, room_in
from training.methods import JstipMethod

SIZES: dict[str, Any] = {
    "vocab_size": 340,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "pad_token_id": 1,
}
SLIDES, ATTENDS = "sliding_attention", "full_attention"


def made(config: Any) -> Any:
    """A model of this configuration, with weights large enough that what it reads makes a difference."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = AutoModelForCausalLM.from_config(config)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return module.eval()


def sliding(*layers: str) -> Any:
    return Gemma3TextConfig(**SIZES, sliding_window=16, max_position_embeddings=64, layer_types=list(layers))


def test_attention_keeps_sequences_apart() -> None:
    check_apart(made(LlamaConfig(**SIZES)))
    check_apart(made(sliding(SLIDES, ATTENDS)))


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (Lfm2Config(**SIZES, layer_types=["conv", ATTENDS]), "'lfm2' goes on reading where one sequence of a row ends"),
        (MambaConfig(vocab_size=340, hidden_size=32, num_hidden_layers=1), "'mamba' reads no rows of several"),
    ],
)
def test_a_language_model_that_reads_on_into_the_next_sequence_is_refused(
    config: Any, why: str, lm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads_on = LanguageModel(made(config), lm.tokenizer, id="reads on", ends=Ends(0, 1))
    monkeypatch.setattr(methods, "_loaded", lambda _: reads_on)
    method = JstipMethod(language_model={"name": "tiny"})

    with pytest.raises(TrainingError, match=why):
        method.build(TinyEncoderConfig().build(), num_layers=1, seed=0)


@pytest.mark.parametrize(
    ("config", "room"),
    [
        (LlamaConfig(max_position_embeddings=64), 64),
        (MistralConfig(max_position_embeddings=64, sliding_window=None), 64),
        (MistralConfig(max_position_embeddings=64, sliding_window=16), 16),
        (sliding(SLIDES, ATTENDS), 16),
        (sliding(ATTENDS, ATTENDS), 64),
        (MambaConfig(), None),
    ],
)
def test_a_sequence_is_no_longer_than_the_window_of_a_layer(config: Any, room: int | None) -> None:
    assert room_in(SimpleNamespace(config=config)) == room
