"""Choosing: which units of an utterance are heard, and which are read. The last unit is always read.

The paper alternates, in two variants that complement each other: (A1 T2 A3 ... Tn) and (T1 A2 T3 ... Tn). Beyond it,
a unit that is badly timed is never heard, or the less often the worse it is timed, and one that holds an entity is
heard by a probability of its own, in both variants or in neither: with any of these the two may even be the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal

import numpy as np

from catalogs.ids import Id, seed_of
from training.interleaving.units import Segments, Unit, segments, words_as_units
from training.interleaving.words import Word, bare, pieces

Modality = Literal["speech", "text"]


@dataclass(frozen=True, slots=True)
class Part:
    """A unit of an interleaved sequence: the piece of its take from ``start_s`` to ``end_s``, or its text.

    ``first`` and ``last`` are its words, ``of`` is what all units of its sequence are; a text alone may be an answer.
    """

    modality: Modality
    text: str
    start_s: float
    end_s: float
    first: int
    last: int
    of: Literal["words", "segments", "answers"] = "words"


@dataclass(frozen=True, slots=True)
class Choosing:
    """How units and modalities are chosen.

    ``granularity`` "mixed" draws words or segments for each utterance, words with the probability ``word_share``.
    ``entity_heard`` is the probability that a unit that holds an entity is heard; None leaves it to its turn.
    ``least_confidence`` is that below which a unit is read (nats, see the family ``timing``); None hears all.
    ``confidence`` c draws: a unit of k nats, that of its worst word, is heard in its turn with the probability
    exp(c * k), and else read. 1 takes the figure for the probability that it is; None hears all.
    """

    granularity: Literal["word", "segment", "mixed"] = "mixed"
    segments: Segments = field(default_factory=Segments)
    word_share: float = 0.5
    entity_heard: float | None = None
    least_confidence: float | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.word_share <= 1:
            raise ValueError("choosing.word_share must be from 0 to 1")
        if self.entity_heard is not None and not 0 <= self.entity_heard <= 1:
            raise ValueError("choosing.entity_heard must be from 0 to 1")
        if self.least_confidence is not None and not self.least_confidence <= 0:
            raise ValueError("choosing.least_confidence must be at most 0: it is a log probability")
        if self.confidence is not None and not (isfinite(self.confidence) and self.confidence > 0):
            raise ValueError("choosing.confidence must be positive; leave it out to hear all units alike")


def interleave(
    words: Sequence[Word],
    config: Choosing,
    *,
    take_id: Id,
    seed: int,
    heard_first: bool,
    entities: Collection[str] = (),
) -> list[Part]:
    """An utterance as a sequence of speech and text, the same for the same seed; none for no words.

    Both variants of one utterance, ``heard_first`` and not, have the same units, and differ in their modalities, unless
    entities or word times decide them all.

    Args:
        words: the timed words of the text, in order.
        config: how units and modalities are chosen.
        take_id: names the utterance, whose draws are its own.
        seed: of the training or its epoch.
        heard_first: whether the first unit is heard (A1 T2 ...) or read (T1 A2 ...), if nothing else decides.
        entities: words or phrases of the text, as they are written.
    """
    random = np.random.default_rng(seed_of("interleaving", seed, take_id))
    by_word = config.granularity == "word" or (config.granularity == "mixed" and random.random() < config.word_share)
    units = words_as_units(words) if by_word else segments(words, config.segments)
    drawn = random.random(len(units))
    sure = _sure(units, config, random)
    held = _held(words, entities)
    parts = []
    for number, (unit, draw) in enumerate(zip(units, drawn.tolist(), strict=True)):
        is_heard = (number % 2 == 0) == heard_first
        if config.entity_heard is not None and any(index in held for index in range(unit.first, unit.last + 1)):
            is_heard = draw < config.entity_heard
        may_be_heard = number < len(units) - 1 and unit.duration_s > 0 and sure[number]
        modality: Modality = "speech" if is_heard and may_be_heard else "text"
        of: Literal["words", "segments"] = "words" if by_word else "segments"
        parts.append(Part(modality, unit.text, unit.start_s, unit.end_s, unit.first, unit.last, of))
    return parts


def _sure(units: Sequence[Unit], config: Choosing, random: np.random.Generator) -> list[bool]:
    """Which units are timed well enough to be heard; drawn the same for both variants of an utterance."""
    least = -np.inf if config.least_confidence is None else config.least_confidence
    known = np.array([unit.confidence for unit in units])
    drawn = random.random(len(units)) < np.exp(known * (config.confidence or 0.0))
    return [bool(is_sure) for is_sure in drawn & (known >= least)]


def _held(words: Sequence[Word], entities: Collection[str]) -> set[int]:
    """The words that belong to an entity, wherever it stands in the text.

    Whole words count, "ATM" of "A-T-M", as do their pieces, "Anna" of "Anna's".
    """
    held: set[int] = set()
    for read in (_bare, pieces):
        tokens = [(token, index) for index, word in enumerate(words) for token in read(word.text)]
        texts = [text for text, _ in tokens]
        for entity in sorted(entities):
            wanted = read(entity)
            for start in range(len(texts) - len(wanted) + 1 if wanted else 0):
                if texts[start : start + len(wanted)] == wanted:
                    held.update(index for _, index in tokens[start : start + len(wanted)])
    return held


def _bare(text: str) -> list[str]:
    return [bare(token) for token in text.split()]
