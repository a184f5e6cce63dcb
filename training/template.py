"""Templates: in which order a language model reads audio, prompt and answer, and what each is made of in tokens.

A template is text with placeholders: ``<S>`` the audio, ``<P>`` the prompt, ``<T>`` the answer, ``<BOS>`` and
``<EOS>``. It is part of an objective's configuration, and thus of a checkpoint's recipe: a projector understands no
other.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

PAPER = "<BOS>USER: <S> <P> ASSISTANT: <T><EOS>"
"""The order of the SLAM-ASR paper."""

CODE = "<S><BOS>USER: <P> \n ASSISTANT:<T><EOS>"
"""The order of its reference code, and of the checkpoints that code has made: audio first, before BOS."""

_PLACEHOLDERS = re.compile("(<S>|<T>|<BOS>|<EOS>)")


class Words(Protocol):
    """The tokens of a language model: how it reads and writes text, and what begins and ends one."""

    bos_id: int | None
    eos_id: int

    def tokens(self, text: str) -> list[int]:
        """A text in tokens, with nothing put around it."""
        ...

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones left out."""
        ...


@dataclass(frozen=True, slots=True)
class Template:
    """The order, and the one prompt of every utterance: a prompt that varies makes recognition far worse."""

    order: str = PAPER
    prompt: str = "Transcribe speech to text."

    def __post_init__(self) -> None:
        if self.order.count("<S>") != 1 or self.order.count("<T>") != 1:
            raise ValueError("template.order needs <S> (the audio) and <T> (the answer) once each")
        if not self.order.endswith("<T><EOS>"):
            raise ValueError("template.order must end with <T><EOS>: the answer comes last, and its end is learned")
        if _PLACEHOLDERS.search(self.prompt) or "<P>" in self.prompt:
            raise ValueError("template.prompt must not contain placeholders; write them in template.order")

    def compile(self, words: Words) -> "TokenTemplate":
        """Tokenise all that every utterance shares, piece by piece, so that no token spans two pieces.

        ``<BOS>`` is nothing for a model without one. Spaces before ``<T>`` become part of the answer, as tokenizers
        of subwords join a space to the word that follows it.
        """
        body = self.order.removesuffix("<T><EOS>").replace("<P>", self.prompt)
        context = body.rstrip(" ")
        sides: list[list[int]] = [[]]
        for piece in _PLACEHOLDERS.split(context):
            if piece == "<S>":
                sides.append([])
            elif piece in ("<BOS>", "<EOS>"):
                token = words.bos_id if piece == "<BOS>" else words.eos_id
                sides[-1] += [] if token is None else [token]
            elif piece:
                sides[-1] += words.tokens(piece)
        before, after = sides
        return TokenTemplate(tuple(before), tuple(after), words.eos_id, body[len(context) :], words)


@dataclass(frozen=True, slots=True)
class Filled:
    """One utterance in tokens: a context with room for the audio, and the answer that is to be learned, EOS included.

    ``slots`` is where in the context the audio goes; the tokens that stand there are never read.
    """

    context: Sequence[int]
    slots: range
    answer: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class TokenTemplate:
    """A template in the tokens of one language model; ``space`` is what an answer begins with."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    eos: int
    space: str
    words: Words = field(repr=False)

    def fill(self, num_slots: int, answer: str | None = None) -> Filled:
        """The tokens of an utterance of so many slots; without an answer, those of a question."""
        start = len(self.before)
        context = (*self.before, *[self.eos] * num_slots, *self.after)
        tokens = () if answer is None else (*self.answer(answer), self.eos)
        return Filled(context, range(start, start + num_slots), tokens)

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer without its EOS; none for a text of nothing."""
        text = text.strip()
        return self.words.tokens(self.space + text) if text else []

    def read(self, tokens: Sequence[int]) -> str:
        """The text of an answer's tokens, its EOS and special ones left out."""
        return self.words.text([token for token in tokens if token != self.eos]).strip()
