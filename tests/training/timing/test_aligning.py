"""The path of given characters through the frames of a CTC head, and words around it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.pronunciations import spoken_tokens
from training.alphabet import ENGLISH, Alphabet
from training.timing.aligning import align, frames_needed
from training.timing.words import ANY, REACH_S, spell, with_any, words_of

RATE_HZ = 50.0
LETTERS = Alphabet(ENGLISH, key="ctc.alphabet")


def said(pattern: str, alphabet: Alphabet = LETTERS, *, sure: float = 0.9) -> np.ndarray:
    """Log probabilities of a head that is this sure of a character in each frame; "." is the blank."""
    numbers = [0 if char == "." else 1 + alphabet.characters.index(char) for char in pattern]
    probabilities = np.full((len(pattern), len(alphabet)), (1 - sure) / (len(alphabet) - 1), np.float32)
    probabilities[np.arange(len(pattern)), numbers] = sure
    return np.log(probabilities)


def noise(num_frames: int, size: int, seed: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(0, 2, (num_frames, size)).astype(np.float32)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def test_characters_are_where_they_were_said() -> None:
    numbers = LETTERS.known("see a")
    sure = float(np.log(np.float32(0.9)))

    spans = align(said("..s.ee.e..  .aa."), numbers)

    expected = [(2, 3), (4, 6), (7, 8), (10, 12), (13, 15)]
    assert [(span.start, span.end) for span in spans] == expected
    assert [span.log_prob for span in spans] == pytest.approx([sure * (end - start) for start, end in expected])


def test_two_of_the_same_need_a_blank_between_them() -> None:
    numbers = LETTERS.known("see")

    assert frames_needed(numbers) == 4
    assert [(span.start, span.end) for span in align(said("seee"), numbers)] == [(0, 1), (1, 2), (3, 4)]
    with pytest.raises(ValueError, match="3 characters cannot be aligned with 3 frames"):
        align(said("see"), numbers)
    with pytest.raises(ValueError, match="0 characters"):
        align(said("see"), [])


@settings(deadline=None, max_examples=60)
@given(
    numbers=st.lists(st.integers(1, 4), min_size=1, max_size=12),
    spare=st.integers(0, 20),
    seed=st.integers(0, 2**31),
)
def test_the_path_is_that_of_torchaudio(numbers: list[int], spare: int, seed: int) -> None:
    functional = pytest.importorskip("torchaudio.functional")
    import torch

    log_probs = noise(frames_needed(numbers) + spare, 5, seed)

    spans = align(log_probs, numbers)

    path, scores = functional.forced_align(torch.from_numpy(log_probs)[None], torch.tensor([numbers]), blank=0)
    theirs = functional.merge_tokens(path[0], scores[0])
    assert [(span.start, span.end) for span in spans] == [(span.start, span.end) for span in theirs]
    means = [span.log_prob / (span.end - span.start) for span in spans]
    assert means == pytest.approx([span.score for span in theirs], abs=1e-4)


def test_words_that_are_near_meet_halfway_and_others_have_silence_between_them() -> None:
    pattern = "." * 10 + "hi" + ".. .." + "al" + "." * 30 + "o" + "." * 3
    spelling = spell("Hi, al! O", LETTERS)

    words = words_of(
        spelling, align(said(pattern), spelling.numbers), frame_rate_hz=RATE_HZ, length_s=len(pattern) / RATE_HZ
    )

    reach = REACH_S * RATE_HZ
    frames = [(word.start_s * RATE_HZ, word.end_s * RATE_HZ) for word in words]
    assert [word.text for word in words] == ["Hi,", "al!", "O"]
    assert frames[0] == pytest.approx((10 - reach, 14.5))
    assert frames[1] == pytest.approx((14.5, 19 + reach))
    assert frames[2] == pytest.approx((49 - reach, min(50 + reach, len(pattern))))
    assert words[0].end_s == words[1].start_s


def test_the_confidence_of_a_word_is_that_of_its_letters_alone() -> None:
    spelling = spell("hi al", LETTERS)
    frames = np.concatenate([said("h.ii", sure=0.5), said(". ", sure=0.3), said("a..l", sure=0.9)])

    first, second = words_of(spelling, align(frames, spelling.numbers), frame_rate_hz=RATE_HZ, length_s=0.2)

    assert first.confidence == pytest.approx(np.log(0.5), abs=1e-5)
    assert second.confidence == pytest.approx(np.log(0.9), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "tokens", "read"),
    [
        ("A-T-M, please", ("A-T-M,", "please"), "a t m please"),
        ("pay 42 now", ("pay", "42", "now"), "pay * now"),
        ("42 it is", ("42", "it", "is"), "* it is"),
        ("from 10:30 – 12 h", ("from", "10:30 – 12", "h"), "from * h"),
        ("salt & pepper", ("salt &", "pepper"), "salt* pepper"),
        ("$2.50, the 3rd B2B", ("$2.50,", "the", "3rd", "B2B"), "* the *rd b*b"),
        ("café – olé!", ("café –", "olé!"), "caf ol"),
        ("ask Ольга Петрова 2 times", ("ask", "Ольга Петрова 2", "times"), "ask * times"),
        ("it's 5 '", ("it's", "5 '"), "it's *"),
        ("42 7", (), ""),
        ("…", (), ""),
        ("", (), ""),
    ],
)
def test_every_word_has_letters_of_the_alphabet_or_what_stands_for_any(
    text: str, tokens: tuple[str, ...], read: str
) -> None:
    spelling = spell(text, LETTERS)

    def written(numbers: Sequence[int]) -> str:
        return "".join("*" if number == ANY else ENGLISH[number - 1] for number in numbers)

    assert spelling.tokens == tokens
    assert written(spelling.numbers) == read
    own = [written(spelling.numbers[first:behind]) for first, behind in spelling.stretches]
    assert all(own)
    assert " ".join(own) == read


@pytest.mark.parametrize("pause", [0, 25])
def test_figures_are_where_they_are_said_and_the_words_around_them_where_they_were(pause: int) -> None:
    silence = "." * pause
    frames = said(f"..i.t. .{silence}t.wen.ty. .fi.ve.{silence}. .n.ow.")
    spelled, figures = spell("it twenty five now", LETTERS), spell("it 25 now", LETTERS)
    length_s = len(frames) / RATE_HZ

    expected = words_of(spelled, align(frames, spelled.numbers), frame_rate_hz=RATE_HZ, length_s=length_s)
    found = words_of(figures, align(with_any(frames), figures.numbers), frame_rate_hz=RATE_HZ, length_s=length_s)

    assert [word.text for word in found] == ["it", "25", "now"]
    assert (found[0], found[2]) == (expected[0], expected[3])
    assert (found[1].start_s, found[1].end_s) == (expected[1].start_s, expected[2].end_s)


def test_an_alphabet_without_a_space_has_none_between_words() -> None:
    letters = Alphabet("abc", key="ctc.alphabet")

    spelling = spell("ab c", letters)

    assert spelling.numbers == (1, 2, 3)
    assert spelling.stretches == ((0, 2), (2, 3))


@settings(deadline=None, max_examples=100)
@given(
    text=st.text(alphabet="ab é'5-,ก", max_size=40),
    spare=st.integers(0, 60),
    seed=st.integers(0, 2**31),
    short_s=st.floats(0, 0.019),
)
def test_words_are_in_order_within_the_clip_and_each_there_once(
    text: str, spare: int, seed: int, short_s: float
) -> None:
    spelling = spell(text, LETTERS)
    tokens = list(spoken_tokens(text))
    if not spelling.tokens:
        assert not {*"ab"} & {*text}
        return
    log_probs = noise(frames_needed(spelling.numbers) + spare, len(LETTERS), seed)
    length_s = len(log_probs) / RATE_HZ - short_s

    spans = align(with_any(log_probs), spelling.numbers)

    words = words_of(spelling, spans, frame_rate_hz=RATE_HZ, length_s=length_s)

    assert " ".join(word.text for word in words) == " ".join(tokens)
    assert words[0].start_s >= 0
    assert words[-1].end_s <= length_s
    assert all(word.start_s < word.end_s and word.confidence <= 0 for word in words)
    assert all(earlier.end_s <= later.start_s for earlier, later in pairwise(words))
