from pathlib import Path

import pytest
import torch

from catalogs.config import parse
from catalogs.errors import EngineError, RecipeError, UsageError
from training.backbones.causal_lm import LanguageModel
from training.backbones.language_models import CausalLmConfig, LoraTable, SmolLm2Config, TinyLmConfig

TEXT = "turn on the light, naïve café 🙂  1984\n"
LORA = LoraTable(r=4, alpha=8, dropout=0.0, targets=("q_proj", "v_proj"))


@pytest.fixture(scope="module")
def tiny() -> LanguageModel:
    return TinyLmConfig().build()


@pytest.fixture(scope="module")
def smollm2() -> LanguageModel:
    return SmolLm2Config(device="cpu").build()


def logits(model: LanguageModel, text: str = TEXT) -> torch.Tensor:
    with torch.no_grad():
        return model.module(inputs_embeds=model.embed(torch.tensor([model.tokens(text)]))).logits


def perplexity(model: LanguageModel, text: str) -> float:
    """How surprised a model is by a text, per token after the first."""
    ids = torch.tensor([model.tokens(text)])
    with torch.no_grad():
        return float(model.module(input_ids=ids, labels=ids).loss.exp())


def test_any_text_is_read_and_written_back(tiny: LanguageModel) -> None:
    assert tiny.text(tiny.tokens(TEXT)) == TEXT
    assert len(tiny.tokens(TEXT)) == len(TEXT.encode())
    assert tiny.tokens("") == []


def test_a_text_holds_no_beginning_and_no_end(tiny: LanguageModel) -> None:
    special = {tiny.bos_id, tiny.eos_id}

    assert not special & set(tiny.tokens("turn it off"))
    assert not special & set(tiny.tokens("say <eos> or <bos>"))
    assert tiny.text([tiny.bos_id, *tiny.tokens("hello"), tiny.eos_id]) == "hello"


def test_embeddings_stand_for_tokens(tiny: LanguageModel) -> None:
    ids = torch.tensor([tiny.tokens(TEXT)])

    embedded = tiny.embed(ids)

    assert embedded.shape == (*ids.shape, tiny.width)
    torch.testing.assert_close(tiny.module(input_ids=ids).logits, logits(tiny))


def test_it_is_frozen_yet_passes_gradients_on(tiny: LanguageModel) -> None:
    heard = torch.randn(1, 5, tiny.width, requires_grad=True)

    tiny.module(inputs_embeds=heard).logits.square().sum().backward()

    assert heard.grad is not None
    assert float(heard.grad.abs().sum()) > 0
    assert tiny.trained() == {}
    assert all(parameter.grad is None for parameter in tiny.module.parameters())
    assert not any(part.training for part in tiny.module.modules())


def test_adapters_add_nothing_at_first_and_are_all_that_is_trained(tiny: LanguageModel) -> None:
    model = TinyLmConfig(lora=LORA).build()

    torch.testing.assert_close(logits(model), logits(tiny))
    model.module(inputs_embeds=model.embed(torch.tensor([[1, 2, 3]]))).logits.square().sum().backward()

    assert len(model.trained()) == 2 * 2 * model.num_layers
    assert all("lora_" in name and parameter.grad is not None for name, parameter in model.trained().items())
    assert model.id == tiny.id


@pytest.mark.parametrize(("first", "last", "band"), [(1, 1, {1}), (None, 0, {0}), (1, None, {1, 2})])
def test_adapters_keep_to_their_band_of_layers(first: int | None, last: int | None, band: set[int]) -> None:
    lora = LoraTable(r=2, targets=("q_proj",), first_layer=first, last_layer=last)

    model = TinyLmConfig(lora=lora).build()

    assert {int(name.split("layers.")[1].split(".")[0]) for name in model.trained()} == band


def test_adapters_start_from_their_seed() -> None:
    first, again, other = (TinyLmConfig(lora=LoraTable(r=2, seed=seed)).build().trained() for seed in (0, 0, 1))

    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    assert not all(torch.equal(weight, other[name]) for name, weight in first.items())


@pytest.mark.parametrize(
    ("lora", "told"),
    [
        (LoraTable(first_layer=2, last_layer=1), "layers 0 to 2"),
        (LoraTable(last_layer=3), "layers 0 to 2"),
        (LoraTable(targets=("q_proj", "query")), "k_proj"),
    ],
)
def test_adapters_that_fit_nowhere_are_refused(lora: LoraTable, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        TinyLmConfig(lora=lora).build()


def test_adapters_stay_float32_beside_bfloat16() -> None:
    model = TinyLmConfig(dtype="bfloat16", lora=LORA).build()

    assert model.embed(torch.tensor([1])).dtype == torch.bfloat16
    assert {parameter.dtype for parameter in model.trained().values()} == {torch.float32}


def test_recomputing_activations_gives_the_same_gradients() -> None:
    heard = torch.randn(1, 7, 32)
    grads = []
    for checkpointing in (False, True):
        model = TinyLmConfig(lora=LORA, checkpointing=checkpointing).build()
        model.module.train()
        leaf = heard.clone().requires_grad_()
        model.module(inputs_embeds=leaf).logits.square().sum().backward()
        grads.append([leaf.grad, *(parameter.grad for parameter in model.trained().values())])

    for plain, recomputed in zip(*grads, strict=True):
        torch.testing.assert_close(recomputed, plain)


def test_ids_tell_models_apart() -> None:
    tables = [TinyLmConfig(), TinyLmConfig(seed=1), TinyLmConfig(width=16), TinyLmConfig(dtype="bfloat16")]

    ids = [table.build().id for table in tables]

    assert len(set(ids)) == len(ids)
    assert [table.build().id for table in tables] == ids


def test_a_folder_gives_the_model_that_was_saved(tiny: LanguageModel, tmp_path: Path) -> None:
    tiny.module.save_pretrained(tmp_path)
    tiny.tokenizer.save_pretrained(tmp_path)

    model = CausalLmConfig(checkpoint=str(tmp_path), device="cpu").build()
    other_ends = CausalLmConfig(checkpoint=str(tmp_path), device="cpu", bos="<pad>", eos="<bos>").build()

    torch.testing.assert_close(logits(model), logits(tiny))
    assert (model.bos_id, model.eos_id) == (tiny.bos_id, tiny.eos_id)
    assert (other_ends.bos_id, other_ends.eos_id) == (tiny.tokenizer.pad_token_id, tiny.bos_id)
    with pytest.raises(EngineError, match="<stop>"):
        CausalLmConfig(checkpoint=str(tmp_path), device="cpu", eos="<stop>").build()


def test_a_folder_that_is_no_model_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')

    with pytest.raises(EngineError, match=str(tmp_path)):
        CausalLmConfig(checkpoint=str(tmp_path)).build()


def test_a_table_is_strict() -> None:
    table = {"name": "smollm2", "lora": {"r": 16, "targets": ["q_proj"], "last_layer": 9}}

    assert parse(SmolLm2Config, table, source="recipe").lora == LoraTable(r=16, targets=("q_proj",), last_layer=9)
    with pytest.raises(RecipeError, match="rank"):
        parse(SmolLm2Config, {"lora": {"rank": 16}}, source="recipe")
    with pytest.raises(RecipeError, match="r = 0"):
        parse(SmolLm2Config, {"lora": {"r": 0}}, source="recipe")


def test_the_starter_knows_english_from_scrambled_words(smollm2: LanguageModel) -> None:
    sentences = {
        "The doctor said that she should stay in bed.": "she bed doctor that should in said The stay.",
        "Please turn off the light before you leave.": "leave light off before the turn you Please.",
    }

    for sentence, scrambled in sentences.items():
        assert perplexity(smollm2, sentence) < 100
        assert perplexity(smollm2, scrambled) > 10 * perplexity(smollm2, sentence)


def test_the_starter_is_what_its_authors_say(smollm2: LanguageModel) -> None:
    assert (smollm2.width, smollm2.num_layers, len(smollm2.tokenizer)) == (576, 30, 49_152)
    assert sum(parameter.numel() for parameter in smollm2.module.parameters()) == 134_515_008
    assert smollm2.tokenizer.convert_ids_to_tokens([smollm2.bos_id, smollm2.eos_id]) == ["<|im_start|>", "<|im_end|>"]
    assert smollm2.text(smollm2.tokens(TEXT)) == TEXT
    assert [smollm2.text([token]) for token in smollm2.tokens("in 1984")] == ["in", " ", "1", "9", "8", "4"]
    assert {parameter.dtype for parameter in smollm2.module.parameters()} == {torch.float32}


def test_the_starter_goes_on_as_a_reader_would(smollm2: LanguageModel) -> None:
    prompt = torch.tensor([smollm2.tokens("The capital of France is")])

    (spoken,) = smollm2.module.generate(
        inputs_embeds=smollm2.embed(prompt), max_new_tokens=3, do_sample=False, pad_token_id=smollm2.eos_id
    )

    assert "Paris" in smollm2.text(spoken.tolist())
