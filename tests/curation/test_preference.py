import copy
import math
from collections.abc import Iterable, Sequence
from typing import Self

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from curation.preference import IGNORED, Pair, PreferenceLoss, compare, token_logprobs
from synthgen.policy import Policy, TokenLogprobs, Utterance

CODES, STOP, WIDTH = 6, 6, 24


def one(values: Sequence[float], counted: Sequence[bool] | None = None) -> TokenLogprobs:
    row = torch.tensor([list(values)], dtype=torch.float64)
    kept = torch.ones_like(row, dtype=torch.bool) if counted is None else torch.tensor([list(counted)])
    return TokenLogprobs(row, kept)


def loss_of(loss: PreferenceLoss, winner: Sequence[float], loser: Sequence[float]) -> float:
    """The loss of a policy that says this of a winner and a loser of which the reference says -1 a token."""
    reference = Pair(one([-1.0] * len(winner)), one([-1.0] * len(loser)))
    return float(loss(Pair(one(winner), one(loser)), reference).loss)


@settings(deadline=None)
@given(values=st.lists(st.floats(-20, 0), min_size=1, max_size=8), beta=st.floats(0.01, 2))
def test_at_the_start_dpo_is_ln_2_and_ipo_the_square_of_its_aim(values: list[float], beta: float) -> None:
    same = Pair(one(values), one(values[::-1]))

    assert float(PreferenceLoss(beta)(same, same).loss) == pytest.approx(math.log(2))
    assert float(PreferenceLoss(beta, label_smoothing=0.2)(same, same).loss) == pytest.approx(math.log(2))
    assert float(PreferenceLoss(beta, kind="ipo")(same, same).loss) == pytest.approx(1 / (4 * beta**2))


@pytest.mark.parametrize("loss", [PreferenceLoss(), PreferenceLoss(by_length=True), PreferenceLoss(kind="ipo")])
def test_a_likelier_winner_lowers_the_loss_and_a_likelier_loser_raises_it(loss: PreferenceLoss) -> None:
    before = loss_of(loss, [-1, -1], [-1, -1, -1])

    assert loss_of(loss, [-1, -0.5], [-1, -1, -1]) < before
    assert loss_of(loss, [-1, -1], [-1, -0.5, -1]) > before


def test_dpo_wants_an_ever_larger_margin_and_ipo_a_margin_of_its_aim() -> None:
    beta = 0.25

    assert loss_of(PreferenceLoss(beta), [5.0], [-5.0]) < loss_of(PreferenceLoss(beta), [1.0], [-1.0])
    assert loss_of(PreferenceLoss(beta, kind="ipo"), [1.0], [-1.0]) == pytest.approx(0.0)
    assert loss_of(PreferenceLoss(beta, kind="ipo"), [5.0], [-5.0]) > 1


def test_smoothed_labels_punish_too_sure_a_policy() -> None:
    smooth = PreferenceLoss(beta=1.0, label_smoothing=0.1)

    assert loss_of(smooth, [9.0], [-9.0]) > loss_of(smooth, [0.0], [-2.0])


@pytest.mark.parametrize("odd", [0.0, 1e9, -math.inf, math.nan])
@pytest.mark.parametrize("by_length", [False, True])
def test_positions_that_do_not_count_change_neither_loss_nor_gradient(odd: float, by_length: bool) -> None:
    loss = PreferenceLoss(cross_entropy=0.5, by_length=by_length)
    reference = Pair(one([-1, -2]), one([-1]))
    plain = torch.tensor([[-0.5, -1.0]], dtype=torch.float64, requires_grad=True)
    padded = torch.tensor([[odd, -0.5, -1.0, odd]], dtype=torch.float64, requires_grad=True)
    counted = torch.tensor([[False, True, True, False]])

    short = loss(Pair(TokenLogprobs(plain, torch.ones_like(plain, dtype=torch.bool)), one([-2])), reference).loss.sum()
    long = loss(Pair(TokenLogprobs(padded, counted), one([-2])), reference).loss.sum()
    short.backward()
    long.backward()

    assert float(long) == pytest.approx(float(short))
    assert padded.grad is not None
    assert plain.grad is not None
    assert padded.grad.tolist() == [[0.0, *plain.grad[0].tolist(), 0.0]]


def test_ignored_targets_are_those_that_do_not_count() -> None:
    logits = torch.randn(1, 3, CODES)

    found = token_logprobs(logits, torch.tensor([[2, IGNORED, 0]]))

    assert found.counted.tolist() == [[True, False, True]]
    assert float(found.values[0, 2]) == pytest.approx(float(logits[0, 2].log_softmax(-1)[0]))


def test_by_length_a_long_reading_weighs_no_more_than_a_short_one() -> None:
    by_length = PreferenceLoss(by_length=True)

    assert loss_of(by_length, [-0.5], [-1]) == pytest.approx(loss_of(by_length, [-0.5] * 7, [-1]))
    assert loss_of(PreferenceLoss(), [-0.5], [-1]) > loss_of(PreferenceLoss(), [-0.5] * 7, [-1])


def test_cross_entropy_is_added_for_the_winner_alone() -> None:
    plain, held = PreferenceLoss(), PreferenceLoss(cross_entropy=2.0)

    assert loss_of(held, [-1, -3], [-1]) - loss_of(plain, [-1, -3], [-1]) == pytest.approx(2.0 * 2.0)


def test_no_gradient_reaches_the_reference() -> None:
    frozen = torch.tensor([[-1.0]], requires_grad=True)
    moving = torch.tensor([[-1.0]], requires_grad=True)
    kept = torch.ones(1, 1, dtype=torch.bool)

    terms = PreferenceLoss()(Pair(TokenLogprobs(moving, kept), one([-1])), Pair(TokenLogprobs(frozen, kept), one([-1])))
    terms.loss.sum().backward()

    assert frozen.grad is None
    assert moving.grad is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"beta": 0.0},
        {"beta": math.nan},
        {"label_smoothing": 0.5},
        {"cross_entropy": -1.0},
        {"kind": "ipo", "label_smoothing": 0.1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"beta|label_smoothing|cross_entropy"):
        PreferenceLoss(**wrong)  # type: ignore[arg-type]


def test_pairs_need_a_loser_for_every_winner() -> None:
    with pytest.raises(ValueError, match="do not make pairs"):
        compare(TinyPolicy(), [Utterance("a", (1,))], [])


class TinyPolicy(nn.Module):
    """A GRU that spells: it reads the last letter of a text, and says codes until it stops."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(128, WIDTH)
        self.codes = nn.Embedding(CODES + 2, WIDTH)  # the last one starts a reading
        self.body = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.head = nn.Linear(WIDTH, CODES + 1)

    def logprob(self, utterances: Sequence[Utterance]) -> TokenLogprobs:
        longest = max(len(u.tokens) for u in utterances) + 1
        heard = torch.full((len(utterances), longest), CODES + 1)
        targets = torch.full((len(utterances), longest), IGNORED)
        for row, utterance in enumerate(utterances):
            said = torch.tensor(utterance.tokens)
            heard[row, 1 : len(said) + 1] = said
            targets[row, : len(said) + 1] = torch.cat([said, torch.tensor([STOP])])
        letters = self.letters(torch.tensor([ord(u.text[-1]) for u in utterances]))
        states, _ = self.body(self.codes(heard), letters[None])
        return token_logprobs(self.head(states), targets)

    def reference(self) -> Self:
        frozen = copy.deepcopy(self).eval()
        for weights in frozen.parameters():
            weights.requires_grad_(False)
        return frozen

    def says(self, text: str, code: int) -> float:
        """The probability that a reading of the text begins with this code."""
        with torch.no_grad():
            return float(self.logprob([Utterance(text, (code,))]).values[0, 0].exp())


def trained(policy: TinyPolicy, readings: Sequence[Utterance], *, steps: int) -> None:
    optimiser = torch.optim.Adam(policy.parameters(), 1e-2)
    for _ in range(steps):
        optimiser.zero_grad()
        given = policy.logprob(readings)
        (-given.values[given.counted].mean()).backward()
        optimiser.step()


def tuned(policy: TinyPolicy, pairs: Sequence[tuple[Utterance, Utterance]], loss: PreferenceLoss) -> torch.Tensor:
    """Tune for a while; gives what the winners gained against the reference, in nats."""
    winners, losers = [w for w, _ in pairs], [x for _, x in pairs]
    reference: Policy = policy.reference()
    with torch.no_grad():
        said = compare(reference, winners, losers)
    parameters: Iterable[nn.Parameter] = policy.parameters()
    optimiser = torch.optim.Adam(parameters, 5e-3)
    for _ in range(120):
        optimiser.zero_grad()
        terms = loss(compare(policy, winners, losers), said)
        terms.loss.mean().backward()
        optimiser.step()
    return terms.winner_gain


@pytest.fixture(scope="module")
def undecided() -> tuple[TinyPolicy, list[tuple[Utterance, Utterance]]]:
    """A policy that reads every letter in two ways, as likely as not, and pairs that prefer the first."""
    torch.manual_seed(0)
    policy = TinyPolicy()
    pairs = [(Utterance(a, (n, n, 4)), Utterance(a, (n + 1, n + 1, 5))) for n, a in enumerate("abc")]
    trained(policy, [u for pair in pairs for u in pair], steps=150)
    return policy, pairs


def test_a_policy_learns_a_preference_without_forgetting_how_to_speak(undecided) -> None:
    before, pairs = undecided
    policy = copy.deepcopy(before)

    gain = tuned(policy, pairs, PreferenceLoss(beta=0.5, cross_entropy=1.0))

    assert 0.3 < before.says("a", 0) < 0.7
    for number, letter in enumerate("abc"):
        assert policy.says(letter, number) > 0.9
    assert gain.min() > 0.3  # two ways were as likely as not: there are ln 2 = 0.69 nats to gain


def test_the_same_pairs_the_other_way_round_teach_the_opposite(undecided) -> None:
    before, pairs = undecided
    policy = copy.deepcopy(before)

    tuned(policy, [(loser, winner) for winner, loser in pairs], PreferenceLoss(beta=0.5, cross_entropy=1.0))

    for number, letter in enumerate("abc"):
        assert policy.says(letter, number) < 0.1


def test_a_row_does_not_depend_on_its_padding(undecided) -> None:
    policy, pairs = undecided
    short, long = pairs[0][0], Utterance("b", (1,) * 9)

    alone = policy.logprob([short])
    padded = policy.logprob([short, long])

    kept = padded.values[0][padded.counted[0]]
    assert torch.allclose(kept, alone.values[0][alone.counted[0]], atol=1e-6)
