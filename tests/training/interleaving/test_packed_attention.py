"""Packed rows, attended to sequence by sequence: what a mask gives, without computing what it leaves out."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from training.backbones import packed_attention
from training.backbones.language_models import LoraTable, TinyLmConfig
from training.backbones.packed_attention import NAME, attend_in_sequences, sequences_in
from training.backbones.tiny_lm import tiny_language_model
from training.interleaving.packing import Packable, inputs, pack

LENGTHS = (5, 9, 3, 1, 12, 7)


@pytest.fixture
def rows() -> dict[str, Tensor]:
    """Two rows of unlike sequences, the second with padding at its end."""
    random = torch.Generator().manual_seed(0)
    packed = []
    for length in LENGTHS:
        ids = torch.randint(0, 256, (length,), generator=random).tolist()
        packed.append(Packable(ids, [-1] * length, ids))
    return pack(packed, 24)


def logits_of(module: Any, rows: dict[str, Tensor], *, by_mask: bool) -> Tensor:
    text = module.get_input_embeddings()(rows["ids"])
    given = inputs(module, rows, text, text.new_zeros(0, text.shape[-1]))
    if by_mask:
        given.pop("sequences", None)
    logits: Tensor = module(**given, use_cache=False).logits
    return logits[rows["owners"] >= 0]


@pytest.mark.parametrize("checkpointing", [False, True])
def test_sequences_give_what_the_mask_gives_and_gradients_too(rows: dict[str, Tensor], checkpointing: bool) -> None:
    lora = LoraTable(r=2, dropout=0.0, targets=("q_proj", "k_proj", "v_proj"))
    lm = tiny_language_model(TinyLmConfig(lora=lora, checkpointing=checkpointing))
    module: Any = lm.module.train(checkpointing)
    random = torch.Generator().manual_seed(1)
    for parameter in lm.trained().values():
        torch.nn.init.normal_(parameter, std=0.1, generator=random)
    found = []
    for by_mask in (True, False):
        logits = logits_of(module, rows, by_mask=by_mask)
        logits.square().sum().backward()
        found.append((logits.detach(), [parameter.grad for parameter in lm.trained().values()]))
        module.zero_grad()

    (masked, its_gradients), (apart, gradients) = found
    torch.testing.assert_close(apart, masked, rtol=1e-4, atol=1e-4)
    assert any(gradient.abs().max() > 1e-3 for gradient in gradients)
    torch.testing.assert_close(gradients, its_gradients, rtol=1e-3, atol=1e-3)


def test_each_sequence_is_attended_to_by_itself(rows: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    lm = tiny_language_model(TinyLmConfig())
    seen: list[tuple[int, int]] = []
    attend = packed_attention.sdpa_attention_forward

    def watched(module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **rest: Any) -> Any:
        assert mask is None
        seen.append((query.shape[2], key.shape[2]))
        return attend(module, query, key, value, mask, **rest)

    monkeypatch.setattr(packed_attention, "sdpa_attention_forward", watched)
    logits_of(lm.module, rows, by_mask=False)

    padding = rows["owners"].numel() - sum(LENGTHS)
    assert sorted(seen) == sorted([(length, length) for length in (*LENGTHS, padding)] * lm.num_layers)


def test_what_is_not_packed_is_attended_to_as_before() -> None:
    plain = LlamaForCausalLM(llama()).eval()
    ours = LlamaForCausalLM(llama()).eval()
    ours.load_state_dict(plain.state_dict())
    attend_in_sequences(ours)
    ids, attention = torch.arange(12).view(2, 6), torch.tensor([[1] * 6, [0, 0, 1, 1, 1, 1]])

    first, second = (model(ids, attention_mask=attention).logits[attention == 1] for model in (plain, ours))
    answers = [
        model.generate(ids, attention_mask=attention, max_new_tokens=5, do_sample=False) for model in (plain, ours)
    ]

    assert torch.equal(first, second)
    assert torch.equal(*answers)


@pytest.mark.parametrize(
    ("make", "attention"),
    [
        (lambda: LlamaForCausalLM(llama()), "eager"),
        (lambda: GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=256)), "eager"),
    ],
    ids=["llama", "gpt2"],
)
def test_a_model_that_attends_otherwise_goes_by_the_mask(
    make: Callable[[], Any], attention: str, rows: dict[str, Tensor]
) -> None:
    model = make().eval()
    model.set_attn_implementation(attention)
    attend_in_sequences(model)

    assert model.config._attn_implementation == attention != NAME
    assert sequences_in(model, rows["owners"]) == {}
    assert logits_of(model, rows, by_mask=False).isfinite().all()


def llama() -> LlamaConfig:
    return LlamaConfig(
        vocab_size=256, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, eos_token_id=1, pad_token_id=0, bos_token_id=2,
    )  # fmt: skip
