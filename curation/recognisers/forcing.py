"""Teacher forcing: from the probabilities of a text's tokens to the likelihood of the text and of its words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.recogniser import Likelihood

_FIRST_MERGE = ["Ġ", "t"]

_LEAST_PROBABILITY = 1e-10
"""A token that the arithmetic rounds to nothing counts as this improbable."""


@dataclass(frozen=True, slots=True)
class ForcedWord:
    """A word of a text that is forced on a recogniser, and how many of its tokens spell it."""

    text: str
    num_tokens: int

    @property
    def is_spoken(self) -> bool:
        """Whether it is more than punctuation, of which nobody hears where it stands."""
        return any(char.isalnum() for char in self.text)


def mended(tokenizer: Any) -> Any:
    """The same tokenizer, of `tokenizers`, with the first merge of Whisper's list if its file has lost it.

    Files made from a list whose heading was taken for a merge, or the reverse, lack it. They decode well, but spell
    " the" as " ", "the", which no decoder expects.
    """
    if len(tokenizer.encode(" the", add_special_tokens=False).ids) == 1:
        return tokenizer
    table = json.loads(tokenizer.to_str())
    table["model"]["merges"].insert(0, _FIRST_MERGE)
    mended: Any = type(tokenizer).from_str(json.dumps(table))
    return mended


def asked(text: str) -> str:
    """A text as recognisers write: after a space, with a capital, and in small letters if it is all in capitals."""
    text = " ".join(text.split())
    if " " in text and text.isupper():
        text = text.lower()
    return f" {text[:1].upper()}{text[1:]}"


def likelihood(words: Sequence[ForcedWord], probabilities: Sequence[float]) -> Likelihood | None:
    """The likelihood of a text of these words; punctuation does not count, and a text of nothing else has none.

    Args:
        words: all words of the text, in order.
        probabilities: of their tokens, each given the tokens before it.
    """
    nats = np.log(np.maximum(np.asarray(probabilities, np.float64), _LEAST_PROBABILITY))
    ends = np.cumsum([word.num_tokens for word in words])
    spoken = [
        (word, nats[end - word.num_tokens : end]) for word, end in zip(words, ends, strict=True) if word.is_spoken
    ]
    if not spoken:
        return None
    least, of_least = min(spoken, key=lambda pair: float(pair[1].mean()))
    return Likelihood(
        avg_logprob=float(np.concatenate([of_word for _, of_word in spoken]).mean()),
        least_word=least.text.strip(),
        least_logprob=float(of_least.mean()),
    )
