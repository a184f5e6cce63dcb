"""The loss of a transducer: what walking every alignment one by one comes to, and what others have found."""

from collections.abc import Iterator
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from training.alphabet import BLANK
from training.transducer_loss import transducer_loss


def lattice(seed: int, *, frames: int, characters: int, batch: int = 1, size: int = 4) -> tuple[Tensor, Tensor]:
    """Scores (B, T, U + 1, V) and targets (B, U) at random."""
    random = torch.Generator().manual_seed(seed)
    scores = 2 * torch.randn(batch, frames, characters + 1, size, generator=random)
    return scores, torch.randint(BLANK + 1, size, (batch, characters), generator=random)


def alignments(frames: int, characters: int) -> Iterator[list[bool]]:
    """Every order of characters and blanks in which the last is a blank: whether each is a character."""
    steps = frames + characters - 1
    for written in combinations(range(steps), characters):
        yield [step in written for step in range(steps)] + [False]


def walked(scores: Tensor, targets: Tensor) -> Tensor:
    """The loss of one text, alignment after alignment, in float64."""
    log_probs = scores.double().log_softmax(dim=-1)
    sums = []
    for alignment in alignments(scores.shape[0], len(targets)):
        t = u = 0
        total = log_probs.new_zeros(())
        for writes in alignment:
            total = total + log_probs[t, u, targets[u] if writes else BLANK]
            t, u = t + (not writes), u + writes
        sums.append(total)
    return -torch.stack(sums).logsumexp(dim=0)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), frames=st.integers(1, 4), characters=st.integers(0, 4))
def test_the_loss_and_its_gradient_are_those_of_all_alignments(seed: int, frames: int, characters: int) -> None:
    scores, targets = lattice(seed, frames=frames, characters=characters)
    ours, theirs = (scores.clone().requires_grad_() for _ in range(2))

    (found,) = transducer_loss(ours, targets, torch.tensor([frames]), torch.tensor([characters]))
    expected = walked(theirs[0], targets[0])
    found.backward()
    expected.backward()

    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), shapes=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), min_size=1))
def test_what_stands_behind_an_utterance_makes_no_difference(seed: int, shapes: list[tuple[int, int]]) -> None:
    longest, most = (max(column) for column in zip(*shapes, strict=True))
    scores, targets = lattice(seed, frames=longest, characters=most, batch=len(shapes))
    lengths, numbers = torch.tensor(shapes).unbind(dim=1)
    scores.requires_grad_()

    found = transducer_loss(scores, targets, lengths, numbers)
    found.sum().backward()

    alone = [
        transducer_loss(row[None, :t, : u + 1], target[None, :u], torch.tensor([t]), torch.tensor([u]))
        for row, target, (t, u) in zip(scores, targets, shapes, strict=True)
    ]
    torch.testing.assert_close(found, torch.cat(alone), atol=1e-5, rtol=1e-5)
    assert scores.grad is not None
    assert not any(row[t:].any() or row[:, u + 1 :].any() for row, (t, u) in zip(scores.grad, shapes, strict=True))


def test_it_is_that_of_torchaudio() -> None:
    functional = pytest.importorskip("torchaudio.functional")
    scores, targets = lattice(3, frames=70, characters=40, batch=5, size=29)
    lengths, numbers = torch.tensor([70, 1, 44, 12, 30]), torch.tensor([40, 7, 0, 33, 11])
    ours, theirs = (scores.clone().requires_grad_() for _ in range(2))

    found = transducer_loss(ours, targets, lengths, numbers)
    whole = (targets.int(), lengths.int(), numbers.int())
    expected = functional.rnnt_loss(theirs, *whole, blank=BLANK, reduction="none")
    found.sum().backward()
    expected.sum().backward()

    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-3, rtol=1e-3)


def test_what_is_all_but_impossible_still_has_a_gradient() -> None:
    scores = torch.zeros(1, 300, 201, 3)
    scores[..., 2] = 200.0  # neither the blank nor the character that is asked for
    scores.requires_grad_()

    (found,) = transducer_loss(scores, torch.ones(1, 200, dtype=torch.long), torch.tensor([300]), torch.tensor([200]))
    found.backward()

    assert float(found) == pytest.approx(500 * 200.0, rel=0.01)
    assert scores.grad is not None
    assert float(scores.grad[..., 2].sum()) == pytest.approx(500.0, rel=1e-3)


def test_scores_of_little_precision_are_summed_in_float32() -> None:
    scores, targets = lattice(0, frames=60, characters=20)
    rounded = scores.bfloat16()
    lengths = (torch.tensor([60]), torch.tensor([20]))

    with torch.autocast("cpu", torch.bfloat16):
        found = transducer_loss(rounded, targets, *lengths)

    assert found.dtype == torch.float32
    assert torch.equal(found, transducer_loss(rounded.float(), targets, *lengths))
