"""Answers: what a recogniser heard, and how a method of training offers to answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Protocol, runtime_checkable

from torch import nn

from catalogs.ids import Id
from catalogs.text import Comparison, compare
from training.labels import Labels
from training.objective import Utterance


class Said(Protocol):
    """A text as it is written and as it is spoken ("at 9", "at nine"): that of a take, or of an utterance."""

    @property
    def text(self) -> str:
        """As written."""
        ...

    @property
    def spoken(self) -> str:
        """As spoken."""
        ...

    @property
    def language(self) -> str:
        """Its BCP 47 tag."""
        ...


def nearest_reference(said: Said, *heard: str) -> tuple[str, Comparison]:
    """The text as written or as spoken, whichever has fewer errors over all that was heard; compared with the first."""

    def errors(text: str) -> float:
        return sum(compare(text, each, language=said.language).words.wer for each in heard)

    wanted = min(dict.fromkeys((said.text, said.spoken)), key=errors)
    return wanted, compare(wanted, heard[0], language=said.language)


@dataclass(frozen=True, slots=True)
class DecodingConfig:
    """Settings of decoding.

    ``beams`` 1 is greedy. A sum of log probabilities is divided by the number of tokens to the power of
    ``length_penalty``. An answer ends at the latest after ``spare_tokens`` and ``tokens_per_frame`` for each frame of
    the encoder (0.25 of 50 frames a second: twice the fastest speech), and never has more than ``max_tokens``, EOS
    included.
    """

    beams: int = 4
    length_penalty: float = 1.0
    tokens_per_frame: float = 0.25
    spare_tokens: int = 10
    max_tokens: int = 200

    def __post_init__(self) -> None:
        if self.beams < 1 or self.max_tokens < 1:
            raise ValueError("decoding.beams and decoding.max_tokens must be at least 1")
        if not isfinite(self.length_penalty):
            raise ValueError("decoding.length_penalty must be a finite number")
        if self.spare_tokens < 1 or not (isfinite(self.tokens_per_frame) and self.tokens_per_frame >= 0):
            raise ValueError("decoding.spare_tokens must be at least 1, and decoding.tokens_per_frame not negative")

    def limit(self, num_frames: int) -> int:
        """How many tokens the answer to so many frames may have."""
        return min(self.max_tokens, self.spare_tokens + ceil(self.tokens_per_frame * num_frames))


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard in a take. ``hit_limit``: it was cut at its limit, as it had not come to an end.

    ``labels`` are those of a recogniser that understands what it hears; None is of one that transcribes alone.
    """

    take_id: Id
    text: str
    num_tokens: int
    hit_limit: bool
    labels: Labels | None = None


@runtime_checkable
class Answering(Protocol):
    """An objective that makes a recogniser: once its parameters are restored, it answers. Others only train."""

    @property
    def module(self) -> nn.Module:
        """All of it that runs."""
        ...

    def trained(self) -> Mapping[str, nn.Parameter]:
        """What a checkpoint holds of it, by name."""
        ...

    def answers(self, utterances: Sequence[Utterance], settings: DecodingConfig) -> list[Answer]:
        """The answers to a batch of utterances, in their order; their texts are not looked at.

        Raises:
            TrainingError: for settings that the method does not have, or an utterance that it cannot hear.
        """
        ...
