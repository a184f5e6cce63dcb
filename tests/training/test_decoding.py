"""Decoding: in a batch as alone, within limits, and as good as a search by hand."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from catalogs.config import parse
from catalogs.errors import RecipeError
from training.backbones.causal_lm import Ends, LanguageModel
from training.decoding import DecodingConfig, decode
from training.objective import Utterance
from training.projectors import ProjectorConfig
from training.slam_asr import SlamAsr, SlamAsrConfig

GREEDY = DecodingConfig(beams=1)
SETTINGS = [GREEDY, DecodingConfig(), DecodingConfig(beams=3, length_penalty=0.0, max_tokens=15)]


@pytest.fixture
def asr(lm: Any, tokenizer: Any) -> SlamAsr:
    """Untrained, and inclined to stop somewhere: answers of many lengths."""
    with torch.no_grad():
        lm.module.lm_head.weight[tokenizer.eos_token_id] *= 2.0
    return SlamAsrConfig(projector=ProjectorConfig(hidden=64)).build(lm, layers=1, width=12, seed=0)


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_batch_is_decoded_as_its_utterances_are_alone(asr: SlamAsr, make_utterances: Any, settings: Any) -> None:
    utterances = make_utterances(["x"] * 12, frames=[5, 9, 14, 30, 41, 55, 60, 77, 80, 93, 120, 160])

    together = decode(asr, utterances, settings)

    assert together == [decode(asr, [utterance], settings)[0] for utterance in utterances]
    assert len({answer.text for answer in together}) > 6
    assert {answer.hit_limit for answer in together} == {True, False}


@pytest.mark.parametrize("beams", [1, 3])
def test_company_moves_no_position(counting_lm: Any, tokenizer: Any, make_utterances: Any, beams: int) -> None:
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=64)).build(counting_lm, layers=1, width=12, seed=0)
    utterances = make_utterances(["x"] * 4, frames=[5, 40, 77, 160])
    settings = DecodingConfig(beams=beams, max_tokens=15)

    together = decode(asr, utterances, settings)

    assert together == [decode(asr, [utterance], settings)[0] for utterance in utterances]


def test_greedy_decoding_takes_the_likeliest_token_until_the_end(asr: SlamAsr, make_utterances: Any) -> None:
    for utterance in make_utterances():
        tensors = asr.questions([utterance]).tensors
        read, tokens = asr.module.inputs(tensors)["inputs_embeds"], []
        embed = asr.module.lm.get_input_embeddings()
        limit = GREEDY.limit(utterance.features.shape[1])
        while len(tokens) < limit and asr.template.eos not in tokens:
            tokens.append(int(asr.module.lm(inputs_embeds=read).logits[0, -1].argmax()))
            read = torch.cat([read, embed(torch.tensor([[tokens[-1]]]))], 1)

        (answer,) = decode(asr, [utterance], GREEDY)

        assert answer.text == asr.template.read([token for token in tokens if token != asr.template.eos])
        assert answer.num_tokens == len(tokens)
        assert answer.hit_limit == (asr.template.eos not in tokens)


@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_a_search_keeps_the_best_beams_to_the_end(asr: SlamAsr, make_utterances: Any, length_penalty: float) -> None:
    settings = DecodingConfig(beams=3, length_penalty=length_penalty, max_tokens=12)
    utterances = make_utterances(["x"] * 5, frames=[40, 25, 60, 33, 48])

    answers = decode(asr, utterances, settings)

    assert [answer.text for answer in answers] == [searched_by_hand(asr, u, settings) for u in utterances]
    assert answers != decode(asr, utterances, replace(settings, beams=1))


def searched_by_hand(asr: SlamAsr, utterance: Utterance, settings: DecodingConfig) -> str:
    """Beam search without a cache, a batch or tensors of scores."""
    question = asr.module.inputs(asr.questions([utterance]).tensors)["inputs_embeds"].detach()
    embed, eos, beams = asr.module.lm.get_input_embeddings(), asr.template.eos, settings.beams
    running: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    for length in range(1, settings.limit(utterance.features.shape[1]) + 1):
        candidates = []
        for score, tokens in running:
            read = torch.cat([question, embed(torch.tensor([tokens], dtype=torch.long))], 1)
            scores = asr.module.lm(inputs_embeds=read).logits[0, -1].detach().log_softmax(-1)
            candidates += [(score + float(s), [*tokens, token]) for token, s in enumerate(scores)]
        candidates = sorted(candidates, reverse=True)[: 2 * beams]
        is_last = length == settings.limit(utterance.features.shape[1])
        ends = [(s / length**settings.length_penalty, t) for s, t in candidates[:beams] if is_last or t[-1] == eos]
        finished = sorted([*finished, *ends], reverse=True)[:beams]
        running = [(s, t) for s, t in candidates if t[-1] != eos][:beams]
        if len(finished) == beams and running[0][0] / length**settings.length_penalty <= finished[-1][0]:
            break
    return asr.template.read([token for token in finished[0][1] if token != eos])


def test_an_answer_that_does_not_end_is_cut_at_its_own_limit(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=64)).build(lm, layers=1, width=12, seed=0)
    with torch.no_grad():
        lm.module.lm_head.weight[tokenizer.eos_token_id] = 0.0
    settings = DecodingConfig(beams=2, tokens_per_frame=0.5, spare_tokens=3, max_tokens=30)

    answers = decode(asr, make_utterances(["x"] * 3, frames=[10, 21, 400]), settings)

    assert [answer.num_tokens for answer in answers] == [8, 14, 30]
    assert all(answer.hit_limit for answer in answers)


def test_the_language_models_own_settings_are_neither_used_nor_lost(asr: SlamAsr, make_utterances: Any) -> None:
    expected = decode(asr, make_utterances(), GREEDY)
    own = GenerationConfig(do_sample=True, temperature=3.0, repetition_penalty=1.8, no_repeat_ngram_size=1)
    asr.module.lm.generation_config = own

    assert decode(asr, make_utterances(), GREEDY) == expected
    assert asr.module.lm.generation_config is own


def test_dropout_rests_while_decoding_and_training_goes_on(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    config = SlamAsrConfig(projector=ProjectorConfig(hidden=64, dropout=0.5))
    asr = config.build(lm, layers=1, width=12, seed=0)
    asr.module.train()

    first, second = (decode(asr, make_utterances(), GREEDY) for _ in range(2))

    assert first == second
    assert asr.module.projector.training


def test_lora_has_a_say_in_what_is_decoded(lm: Any, tokenizer: Any, make_utterances: Any) -> None:
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(lm.module, peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    adapted = LanguageModel(model, lm.tokenizer, id="adapted", ends=Ends(0, 1))
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=64)).build(adapted, layers=1, width=12, seed=0)
    before = decode(asr, make_utterances(), GREEDY)

    for name, parameter in asr.trained().items():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)

    assert decode(asr, make_utterances(), GREEDY) != before


def test_no_utterances_have_no_answers(asr: SlamAsr) -> None:
    assert decode(asr, [], GREEDY) == []


@pytest.mark.parametrize(
    ("table", "message"),
    [({"beams": 0}, "beams"), ({"spare_tokens": 0}, "spare"), ({"tokens_per_frame": -1}, "negative")],
)
def test_mistakes_in_settings_are_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(DecodingConfig, table, source="recipe")
