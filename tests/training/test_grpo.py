"""GRPO: what an answer is worth decides what becomes likelier, not far from the start, however often it is killed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from catalogs.config import parse
from catalogs.errors import RecipeError
from training import checkpoint
from training.answering import DecodingConfig
from training.backbones.causal_lm import LanguageModel
from training.backbones.language_models import LoraTable, TinyLmConfig
from training.curve import SPEED, rows_of
from training.decoding import decode, sample_batch
from training.evaluation.trained import recogniser_of
from training.grpo import Grpo, GrpoConfig, advantages, divergence, reward
from training.lasyn.listening import listener
from training.methods import GrpoMethod
from training.modes import begin_training
from training.objective import Utterance
from training.penalty import PenaltyConfig
from training.probing.activations import Layer, listener_of
from training.projectors import ProjectorConfig
from training.recipe import parse_recipe
from training.slam_asr import SlamAsr, SlamAsrConfig

from .conftest import MakeUtterances, fit, killed_behind_a_checkpoint, train_on

LM = {"name": "tiny", "lora": {"r": 2, "dropout": 0.0}}
SMALL: dict[str, Any] = {"language_model": LM, "projector": {"hidden": 32}}
GREEDY = DecodingConfig(beams=1)
RIGHT = ("stop", "pay my bill")
WRONG = ("stop stop stop", "turn the light")


@pytest.fixture
def asr(lm: LanguageModel) -> SlamAsr:
    return SlamAsrConfig(projector=ProjectorConfig(hidden=64)).build(lm, layers=1, width=12, seed=0)


@pytest.fixture
def two(make_utterances: MakeUtterances) -> list[Utterance]:
    return make_utterances(RIGHT)


def told(asr: SlamAsr, *texts: str) -> list[list[int]]:
    return [[*asr.template.answer(text), asr.template.eos] for text in texts]


def right_and_wrong(asr: SlamAsr) -> list[list[int]]:
    """For each of two utterances two rollouts, the first one right."""
    return told(asr, *(text for pair in zip(RIGHT, WRONG, strict=True) for text in pair))


def moved(grpo: Grpo, by: float = 0.05) -> None:
    """Train it somewhere else."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in grpo.trained().values():
            parameter += by * torch.randn(parameter.shape, generator=random)


def read_by_hand(asr: SlamAsr, utterance: Utterance, rollout: Sequence[int], *, temperature: float) -> Tensor:
    """Log probabilities of the tokens of one rollout, read alone."""
    tensors = asr.questions([utterance]).tensors
    read = asr.module.inputs(tensors)["inputs_embeds"]
    answer = torch.tensor([rollout])
    embedded = asr.module.lm.get_input_embeddings()(answer)
    logits = asr.module.lm(inputs_embeds=torch.cat([read, embedded], 1)).logits[0, -len(rollout) - 1 : -1]
    return (logits / temperature).log_softmax(-1).gather(1, answer.T)[:, 0]


@given(st.lists(st.lists(st.integers(-20, 4), min_size=4, max_size=4), min_size=1, max_size=5), st.floats(-9, 9))
def test_advantages_have_no_mean_and_depend_on_the_order_and_the_distances_of_rewards_alone(
    groups: list[list[int]], shift: float
) -> None:
    rewards = torch.tensor(groups, dtype=torch.float64) / 4

    found = advantages(rewards)

    torch.testing.assert_close(found.mean(1), torch.zeros(len(groups)).double(), atol=1e-9, rtol=0)
    torch.testing.assert_close(advantages(rewards + shift), found)
    torch.testing.assert_close(advantages(3 * rewards), found, atol=1e-2, rtol=0)
    assert torch.equal(rewards.sort(1).values.diff().sign(), found.sort(1).values.diff().sign())


@given(st.floats(-5, 1), st.integers(2, 9))
def test_a_group_that_is_worth_the_same_gains_nothing(worth: float, size: int) -> None:
    assert not advantages(torch.full((3, size), worth, dtype=torch.float64)).any()


@pytest.mark.parametrize(
    ("text", "worth"),
    [("At 9, please!", 1), ("at nine please", 1), ("at", 1 - 2 / 3), ("", 0), ("at 9 please at 9 please stop", -1 / 3)],
)
def test_an_answer_is_worth_what_it_gets_right_and_every_word_too_many_costs(text: str, worth: float) -> None:
    utterance = Utterance("x", text="at 9 please", spoken="at nine, please", language="en", is_synthetic=True)

    assert reward(utterance, text) == pytest.approx(worth)


def test_the_divergence_is_that_of_kullback_and_leibler_on_average_and_pulls_back() -> None:
    logits = torch.randn(2, 7, generator=torch.Generator().manual_seed(0)).requires_grad_()
    ours, theirs = logits.log_softmax(-1)[0], logits.detach().log_softmax(-1)[1]

    found = divergence(ours, theirs)

    expected = (ours.exp() * (ours - theirs)).sum()
    assert found.min() >= 0
    torch.testing.assert_close((ours.exp() * found).sum(), expected)
    (gradient,) = torch.autograd.grad((ours.detach().exp() * found).sum(), logits, retain_graph=True)
    (pulled,) = torch.autograd.grad((theirs.exp() * (theirs - ours)).sum(), logits)
    torch.testing.assert_close(gradient, pulled)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_rollouts_are_drawn_from_all_that_the_language_model_says_at_their_temperature(
    asr: SlamAsr, two: list[Utterance], temperature: float
) -> None:
    batch, settings = asr.questions(two[:1]), DecodingConfig(max_tokens=1)
    logits = asr.module.lm(inputs_embeds=asr.module.inputs(batch.tensors)["inputs_embeds"]).logits[0, -1]
    said = (logits / temperature).log_softmax(-1).detach()
    torch.manual_seed(0)

    found = sample_batch(asr, batch, settings, each=3000, temperature=temperature)

    drawn = said[torch.tensor(found)[:, 0]]
    spread = float(drawn.std()) / 3000**0.5
    assert float(drawn.mean()) == pytest.approx(float((said.exp() * said).sum()), abs=4 * spread)
    assert len({tokens[0] for tokens in found}) > 50


def test_each_rollout_ends_with_its_end_or_at_the_limit_of_its_utterance(
    lm: LanguageModel, asr: SlamAsr, make_utterances: MakeUtterances
) -> None:
    with torch.no_grad():
        lm.module.lm_head.weight[asr.template.eos] *= 2.0
    utterances = make_utterances(["x"] * 4, frames=[5, 40, 77, 160])
    torch.manual_seed(0)

    found = sample_batch(asr, asr.questions(utterances), GREEDY, each=8, temperature=1.0)

    limits = [GREEDY.limit(frames) for frames in (5, 40, 77, 160) for _ in range(8)]
    ended = [tokens[-1] == asr.template.eos for tokens in found]
    assert all(asr.template.eos not in tokens[:-1] for tokens in found)
    assert all(len(tokens) <= limit for tokens, limit in zip(found, limits, strict=True))
    assert all(len(tokens) == limit for tokens, limit, own in zip(found, limits, ended, strict=True) if not own)
    assert set(ended) == {True, False}


def test_the_loss_and_its_gradient_are_those_of_reading_each_rollout_by_hand(
    asr: SlamAsr, two: list[Utterance]
) -> None:
    grpo = Grpo(asr, GrpoConfig(rollouts=2, beta=0.3))
    rollouts, owners = right_and_wrong(asr), [two[0], two[0], two[1], two[1]]
    with torch.no_grad():
        start = [read_by_hand(asr, u, r, temperature=0.8) for u, r in zip(owners, rollouts, strict=True)]
    moved(grpo)

    loss = grpo.learned_from(grpo.collate(two), rollouts)
    loss.total.backward()
    found = {name: parameter.grad for name, parameter in grpo.trained().items()}
    now = [read_by_hand(asr, u, r, temperature=0.8) for u, r in zip(owners, rollouts, strict=True)]
    kl = [divergence(ours, theirs).mean() for ours, theirs in zip(now, start, strict=True)]
    gained = advantages(torch.tensor([[1.0, -1.0], [1.0, 0.0]])).flatten()
    by_hand = sum(0.3 * apart - gain * each.mean() for apart, gain, each in zip(kl, gained, now, strict=True))
    expected = torch.autograd.grad(by_hand, list(grpo.trained().values()))

    assert float(loss.watched["kl"]) == pytest.approx(float(sum(kl)), rel=1e-4)
    assert float(loss.total) == pytest.approx(0.3 * float(sum(kl)), rel=1e-4)
    for name, gradient in zip(grpo.trained(), expected, strict=True):
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-5)


def test_what_is_watched_is_summed_over_rollouts(asr: SlamAsr, two: list[Utterance]) -> None:
    grpo = Grpo(asr, GrpoConfig(rollouts=2, beta=0))
    rollouts = [*told(asr, "stop", "stop stop stop"), *told(asr, "pay my bill")[:1], asr.template.answer("Pay my bill")]

    batch = grpo.collate(two)
    watched = {name: float(value) for name, value in grpo.learned_from(batch, rollouts).watched.items()}

    assert batch.num_targets == 4
    assert watched == {"reward": 2, "wer": 2, "length": sum(map(len, rollouts)), "ended": 3, "tied": 2}


def test_a_better_rollout_becomes_likelier_and_a_worse_one_less_likely(asr: SlamAsr, two: list[Utterance]) -> None:
    grpo = Grpo(asr, GrpoConfig(rollouts=2))
    rollouts = right_and_wrong(asr)

    def likely() -> Tensor:
        with torch.no_grad():
            each = [read_by_hand(asr, two[n // 2], rollout, temperature=1.0) for n, rollout in enumerate(rollouts)]
        return torch.stack([tokens.mean() for tokens in each])

    before = likely()
    grpo.learned_from(grpo.collate(two), rollouts).total.backward()
    torch.optim.SGD(grpo.trained().values(), lr=1e-3).step()

    assert (likely() > before).tolist() == [True, False, True, False]


def test_the_pull_is_nothing_at_the_start_and_leads_back_to_it(asr: SlamAsr, two: list[Utterance]) -> None:
    grpo = Grpo(asr, GrpoConfig(rollouts=2, beta=1.0))
    batch, tied = grpo.collate(two), told(asr, *(text for text in RIGHT for _ in range(2)))
    at_start = grpo.learned_from(batch, tied)
    at_start.total.backward()
    assert float(at_start.watched["kl"]) == pytest.approx(0, abs=1e-6)
    assert all(float(p.grad.abs().max()) < 1e-5 for p in grpo.trained().values() if p.grad is not None)
    moved(grpo)

    optimiser = torch.optim.SGD(grpo.trained().values(), lr=1e-3)
    apart = []
    for _ in range(5):
        optimiser.zero_grad()
        found = grpo.learned_from(batch, tied)
        found.total.backward()
        optimiser.step()
        apart.append(float(found.watched["kl"]))

    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.95 * apart[0]


@pytest.mark.parametrize(("beta", "passes"), [(0.0, 1), (0.04, 2)])
def test_without_a_pull_nothing_is_read_as_at_the_start(
    asr: SlamAsr, two: list[Utterance], beta: float, passes: int
) -> None:
    grpo = Grpo(asr, GrpoConfig(rollouts=2, beta=beta))
    calls: list[bool] = []
    asr.module.lm.register_forward_hook(lambda *_: calls.append(torch.is_grad_enabled()))

    watched = grpo.learned_from(grpo.collate(two), right_and_wrong(asr)).watched

    assert (len(calls), sum(calls)) == (passes, 1)
    assert ("kl" in watched) == (beta > 0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_reach_all_that_is_trained_and_nothing_else(
    make_utterances: MakeUtterances, dtype: Any, autocast: bool
) -> None:
    lm = TinyLmConfig(dtype=dtype, lora=LoraTable(r=2, dropout=0.1)).build()
    asr = SlamAsrConfig(projector=ProjectorConfig(hidden=16)).build(lm, layers=1, width=12, seed=0)
    grpo = Grpo(asr, GrpoConfig())
    begin_training(grpo.module)
    moved(grpo)  # or what LoRA adds is nothing, and half of it learns nothing
    torch.manual_seed(0)

    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        loss = grpo.loss(grpo.collate(make_utterances(RIGHT)))
    loss.total.backward()

    assert loss.total.dtype == torch.float32
    assert any("lora_" in name for name in grpo.trained())
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in grpo.trained().values())
    assert {name for name, p in grpo.module.named_parameters() if p.grad is not None} == set(grpo.trained())
    assert all(not part.training for name, part in grpo.module.named_modules() if name == "lm.model.embed_tokens")


def test_a_penalty_sees_what_is_learned_from(asr: SlamAsr, make_utterances: MakeUtterances) -> None:
    utterances = [replace(each, is_synthetic=n % 2 == 0) for n, each in enumerate(make_utterances())]
    grpo = Grpo(asr, GrpoConfig(rollouts=2, beta=0))
    penalised, plain = PenaltyConfig("mmd").around(grpo), PenaltyConfig("mmd").around(asr)

    def gradient(objective: Any) -> Tensor:
        torch.manual_seed(0)
        total = objective.loss(objective.collate(utterances)).total
        return torch.autograd.grad(total, [asr.module.projector.out.weight])[0]

    added = gradient(penalised) - gradient(grpo)
    of_plain = gradient(plain) - gradient(asr)

    num_tokens = asr.collate(utterances).num_targets
    torch.testing.assert_close(added / (2 * len(utterances)), of_plain / num_tokens, rtol=1e-3, atol=1e-4)
    assert added.abs().max() > 0.01


def test_one_that_runs_on_learns_to_stop(asr: SlamAsr, two: list[Utterance]) -> None:
    run_on = [replace(each, text=f"{each.text} stop stop") for each in two]
    fit(asr, [*two, *run_on], steps=120, rate=5e-3)
    grpo = Grpo(asr, GrpoConfig(rollouts=8))
    batch, optimiser = grpo.collate(two), torch.optim.AdamW(grpo.trained().values(), lr=1e-3)

    def stops() -> Tensor:
        """How probable the end is behind what is right."""
        with torch.no_grad():
            each = [read_by_hand(asr, u, r, temperature=1.0) for u, r in zip(two, told(asr, *RIGHT), strict=True)]
        return torch.stack([tokens[-1].exp() for tokens in each])

    def worth() -> float:
        many = Grpo(asr, GrpoConfig(rollouts=64, beta=0))
        with torch.no_grad():
            return float(many.loss(many.collate(two)).watched["reward"]) / (64 * len(two))

    torch.manual_seed(0)
    before, worth_before = stops(), worth()
    for _ in range(24):
        optimiser.zero_grad()
        (grpo.loss(batch).total / batch.num_targets).backward()
        optimiser.step()

    assert before.max() < 0.5
    assert (stops() - before).min() > 0.15
    assert worth() > worth_before + 0.3
    assert [answer.text for answer in decode(asr, two, GREEDY)] == list(RIGHT)


@pytest.fixture(scope="module")
def corpus(produce: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return produce(tmp_path_factory.mktemp("grpo"), "told", prompts=["tea", "see you at nine"], speakers=["anna"])


@pytest.fixture
def train(corpus: Path, tmp_path: Path) -> Callable[..., Path]:
    def run(name: str, method: str, *, rate: float = 0.02, steps: int = 1, **more: Any) -> Path:
        loop = {"epochs": 4, "steps": steps, "threads": 1, "log_every": 1, "save_every": 2}
        table = {"loop": loop, "optim": {"rate": rate, "warmup_steps": 0}, **more}
        return train_on("told", tmp_path, corpus, name, SMALL | {"method": method}, **table)

    return run


def curve(folder: Path) -> list[dict[str, float]]:
    return [{name: value for name, value in row.items() if name not in SPEED} for row in rows_of(folder)]


def test_killed_it_goes_on_bit_by_bit_and_is_pulled_to_where_it_began(train: Callable[..., Path]) -> None:
    start = {"start_from": str(train("listener", "slam_asr"))}
    whole = train("whole", "grpo", steps=4, **start)

    with killed_behind_a_checkpoint():
        train("killed", "grpo", steps=4, **start)
    killed = train("killed", "grpo", steps=4, **start)

    assert curve(killed) == curve(whole)
    assert curve(whole)[0]["kl"] < 1e-3 < curve(whole)[-1]["kl"]
    ours, theirs = (checkpoint.load(folder).trained() for folder in (killed, whole))
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_a_recogniser_goes_on_from_either_and_is_used_as_the_other(train: Callable[..., Path]) -> None:
    still = {"rate": 1e-12}
    first = train("first", "slam_asr")
    second = train("second", "grpo", start_from=str(first), **still)
    third = train("third", "slam_asr", start_from=str(second), **still)

    held = [checkpoint.load(folder) for folder in (first, second, third)]
    before, *after = (found.trained() for found in held)
    for name in before:
        for each in after:
            torch.testing.assert_close(each[name], before[name], rtol=0, atol=1e-6)
    noise = {"x": torch.randn(16_000, generator=torch.Generator().manual_seed(0)).numpy()}
    said = {recogniser_of(folder).hear(noise)[0].text for folder in (first, second)}
    layers = [listener_of(found).vectors(noise) for found in held[:2]]
    assert len(said) == 1
    assert list(layers[0]) == list(layers[1])
    assert Layer("language_model", 3) in layers[1]
    encoder = parse_recipe(held[1].provenance["recipe"], source="test").encoder
    assert encoder is not None
    assert listener(held[1], encoder.build()).listens_with.named["name"] == "tiny"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rollouts": 1}, "objective.rollouts = 1: expected at least 2"),
        ({"temperature": 0.0}, "objective.temperature = 0.0: expected more than 0"),
        ({"beta": -1.0}, "objective.beta = -1.0: expected 0 or more"),
        ({"language_model": {"name": "tinny"}}, "did you mean 'tiny'"),
    ],
)
def test_mistakes_are_found_in_the_recipe(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        parse(GrpoMethod, SMALL | settings, source="objective")
