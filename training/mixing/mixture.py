"""What a training is mixed of, and how its takes are interleaved."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isclose
from pathlib import Path
from typing import Literal

from catalogs.ids import Id, content_id
from training.interleaving.choosing import Choosing
from training.texts import texts_in

KINDS = ("asr", "interleaved", "text")
"""Takes through the template, takes in units of speech and text, and texts alone."""


@dataclass(frozen=True, slots=True)
class MixtureConfig:
    """Shares of the tokens of an epoch, slots of audio included; they add up to 1.

    ``tokens`` is how many an epoch has; None are as many as there are before anything comes a second time.
    ``batch_tokens`` is how many a micro-batch holds. ``texts`` is a UTF-8 file with a text on each line, in
    ``language``. ``alternation`` "both" hears a take's first unit in one pass through the takes, and reads it in the
    next. ``asr_of`` and ``interleaved_of`` name the releases whose takes are used so; None is all of them.

    Interleaved takes are heard as they are, without augmentation, which may move their words.
    """

    asr: float = 0.5
    interleaved: float = 0.5
    text: float = 0.0
    tokens: int | None = None
    batch_tokens: int = 4096
    texts: str | None = None
    language: str = "en"
    alternation: Literal["both", "heard_first", "read_first"] = "both"
    choosing: Choosing = field(default_factory=Choosing)
    asr_of: tuple[str, ...] | None = None
    interleaved_of: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        shares = [self.share(kind) for kind in KINDS]
        if any(share < 0 for share in shares) or not isclose(sum(shares), 1, abs_tol=1e-6):
            raise ValueError("mixture.asr, interleaved and text are shares: expected none below 0, and 1 in all")
        if self.batch_tokens < 1 or (self.tokens is not None and self.tokens < 1):
            raise ValueError("mixture.tokens and mixture.batch_tokens must be at least 1")
        if (self.text > 0) != (self.texts is not None):
            raise ValueError("mixture.text is a share of mixture.texts: expected both or neither")

    def share(self, kind: str) -> float:
        """The share of one of `KINDS`."""
        return {"asr": self.asr, "interleaved": self.interleaved, "text": self.text}[kind]

    def read_texts(self) -> list[str]:
        """The texts of its file, without empty lines; none without a file.

        Raises:
            TrainingError: if the file cannot be read, or holds no text.
        """
        if self.texts is None:
            return []
        return texts_in(Path(self.texts), source="mixture.texts")


def texts_id(texts: Sequence[str]) -> Id:
    """A hash of texts, in their order."""
    return content_id("texts", list(texts))
