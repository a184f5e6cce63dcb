"""Doubt: what a cheap look at a clip must not be believed. It is judged by that clip alone."""

from collections.abc import Sequence

from curation.recogniser import Transcript

_LEAST_LOGPROB = -0.4
_SHORTEST_PHRASE = 3
"""Tokens that, said twice running, are a phrase; fewer must be said three times to be a loop."""


def is_doubtful(transcript: Transcript, tokens: Sequence[int], *, most_tokens: int) -> bool:
    """Whether a transcript must be made again with more care.

    So it is if nothing was heard, if it is improbable, if it did not end within ``most_tokens``, or if it repeats
    itself.
    """
    if transcript.avg_logprob is None or transcript.avg_logprob < _LEAST_LOGPROB:
        return True
    return len(tokens) >= most_tokens or repeats_itself(tokens)


def repeats_itself(tokens: Sequence[int]) -> bool:
    """Whether some tokens are said twice running, or thrice if they are fewer than three."""
    return any(
        _runs(tokens, at, length=length, times=2 if length >= _SHORTEST_PHRASE else 3)
        for length in range(1, len(tokens) // 2 + 1)
        for at in range(len(tokens) - 2 * length + 1)
    )


def _runs(tokens: Sequence[int], at: int, *, length: int, times: int) -> bool:
    """Whether ``length`` tokens from ``at`` on stand there ``times`` times running."""
    stretch = tokens[at : at + times * length]
    return len(stretch) == times * length and all(
        stretch[i] == stretch[i % length] for i in range(length, len(stretch))
    )
