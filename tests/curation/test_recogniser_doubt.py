import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.recogniser import Transcript
from curation.recognisers.doubt import is_doubtful, repeats_itself

SURE = Transcript("turn on the light", -0.1, 0.0)


@pytest.mark.parametrize(
    "tokens",
    [[1, 2, 3, 1, 2, 3], [7, 1, 2, 3, 4, 1, 2, 3, 4, 8], [5, 5, 5], [1, 2, 1, 2, 1, 2]],
    ids=["twice", "in the middle", "one word thrice", "two words thrice"],
)
def test_a_loop_is_seen(tokens: list[int]) -> None:
    assert repeats_itself(tokens)


@pytest.mark.parametrize("tokens", [[], [1], [5, 5], [1, 2, 1, 2], [1, 2, 3, 9, 1, 2, 3]])
def test_what_people_say_twice_is_no_loop(tokens: list[int]) -> None:
    assert not repeats_itself(tokens)


@given(
    before=st.lists(st.integers(0, 9)),
    phrase=st.lists(st.integers(0, 9), min_size=3, max_size=8),
    after=st.lists(st.integers(0, 9)),
)
def test_a_phrase_said_again_at_once_is_always_seen(before: list[int], phrase: list[int], after: list[int]) -> None:
    assert repeats_itself([*before, *phrase, *phrase, *after])


@given(st.lists(st.integers(), unique=True, max_size=40))
def test_tokens_that_all_differ_are_no_loop(tokens: list[int]) -> None:
    assert not repeats_itself(tokens)


def test_a_sure_transcript_is_believed() -> None:
    assert not is_doubtful(SURE, [1, 2, 3, 4], most_tokens=50)


@pytest.mark.parametrize(
    ("transcript", "tokens"),
    [
        (Transcript("", None, 0.9), []),
        (Transcript("turn on the light", -1.2, 0.0), [1, 2, 3, 4]),
        (SURE, list(range(50))),
        (SURE, [1, 2, 3, 1, 2, 3]),
    ],
    ids=["nothing heard", "improbable", "without an end", "repeated"],
)
def test_a_transcript_that_looks_wrong_is_doubted(transcript: Transcript, tokens: list[int]) -> None:
    assert is_doubtful(transcript, tokens, most_tokens=50)
