"""The policy protocol: a voice whose weights can be tuned by what was liked of its own readings.

A voice that makes speech tokens one after another, each with a probability, can tell how likely it was to read a text
as it did. That is all that preference tuning asks of it; `curation.preference` has the loss.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text, how it was read, and the speech tokens of the reading; style None is the voice's own.

    ``tokens`` are those of `catalogs.records.Take.tokens`: the voice's own code, without start and stop.
    """

    text: str
    tokens: tuple[int, ...]
    style: str | None = None


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """The logarithm of each token's probability, B utterances by N tokens, and which of them count.

    What does not count (padding, the text, the prompt) may hold any value, NaN and infinities too.
    """

    values: "torch.Tensor"  # (B, N) float
    counted: "torch.Tensor"  # (B, N) bool


class Policy(Protocol):
    """A tunable voice."""

    def logprob(self, utterances: Sequence[Utterance]) -> TokenLogprobs:
        """How likely the voice is to read each text with these tokens, at temperature 1.

        The stop token counts. A row does not depend on the others, and gradients reach `parameters`.

        Raises:
            UsageError: for a token or a style that the voice does not have.
        """
        ...

    def parameters(self) -> "Iterable[torch.nn.Parameter]":
        """The weights that tuning may change."""
        ...

    def reference(self) -> Self:
        """A frozen copy of the policy as it is now, whose weights need no gradient and never change."""
        ...
