"""What a training is mixed of, and how its takes are interleaved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isclose
from typing import Literal

from training.interleaving.choosing import Choosing

KINDS = ("asr", "interleaved", "text", "made_asr", "made_interleaved")
"""Takes through the template, takes in units of speech and text, and texts alone.

The last two are texts alone as well, heard as what a synthesiser makes of them in the place of speech.
"""


@dataclass(frozen=True, slots=True)
class MixtureConfig:
    """Shares of the tokens of an epoch, slots of audio included; they add up to 1.

    ``tokens`` is how many an epoch has; None are as many as there are before anything comes a second time.
    ``batch_tokens`` is how many a micro-batch holds. ``text`` is the share of the recipe's data that are texts alone;
    ``made_asr`` and ``made_interleaved`` are theirs where ``objective.made`` makes slots of them.
    ``alternation`` "both" hears a take's first unit in one pass through the takes, and reads it in the next. ``asr_of``
    and ``interleaved_of`` name the releases whose takes are used so; None is all of them. ``asr_shares`` are the shares
    of releases in the tokens of ``asr``, in the place of ``asr_of``, so that a small one is heard beside a large one.

    ``text_as`` "text" reads texts as a language model does, from its beginning; "answer" reads them where answers
    stand, behind the prompt with nothing heard (the paper's zero speech input): there their end is learned too.

    Interleaved takes are heard as they are, without augmentation, which may move their words.
    """

    asr: float = 0.5
    interleaved: float = 0.5
    text: float = 0.0
    made_asr: float = 0.0
    made_interleaved: float = 0.0
    tokens: int | None = None
    batch_tokens: int = 4096
    alternation: Literal["both", "heard_first", "read_first"] = "both"
    choosing: Choosing = field(default_factory=Choosing)
    asr_of: tuple[str, ...] | None = None
    interleaved_of: tuple[str, ...] | None = None
    asr_shares: Mapping[str, float] | None = None
    text_as: Literal["text", "answer"] = "text"

    def __post_init__(self) -> None:
        shares = [self.share(kind) for kind in KINDS]
        if any(share < 0 for share in shares) or not isclose(sum(shares), 1, abs_tol=1e-6):
            raise ValueError(f"mixture.{', '.join(KINDS)} are shares: expected none below 0, and 1 in all")
        if self.asr_shares is not None:
            if self.asr_of is not None:
                raise ValueError("mixture.asr_shares names releases as mixture.asr_of does: leave one of them out")
            of_asr = self.asr_shares.values()
            if any(share < 0 for share in of_asr) or not isclose(sum(of_asr), 1, abs_tol=1e-6):
                raise ValueError("mixture.asr_shares: expected shares by release, none below 0, and 1 in all")
        if self.batch_tokens < 1 or (self.tokens is not None and self.tokens < 1):
            raise ValueError("mixture.tokens and mixture.batch_tokens must be at least 1")

    def share(self, kind: str) -> float:
        """The share of one of `KINDS`, which are keys of this table."""
        share: float = getattr(self, kind)
        return share

    @property
    def asks_for_made(self) -> bool:
        """Whether texts are to be heard."""
        return self.made_asr > 0 or self.made_interleaved > 0
