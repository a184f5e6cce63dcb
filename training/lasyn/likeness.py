"""The figures of made latents beside those of real ones: what is heard in them, where they lie, how long they are.

N texts, each read once and made once · D width of the encoder
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from catalogs.text import normalise
from training.answering import nearest_reference
from training.evaluation.resampling import Interval, Sums, interval, ratio, replicates
from training.lasyn.distances import distances
from training.lasyn.pairs import Maker, Pair
from training.members import Member
from training.probing.cells import text_folds
from training.probing.classifier import fit_quickly
from training.probing.figures import Resampled
from training.probing.layers import shuffled
from training.probing.pairing import Readings

Of = Literal["made", "real", "rebuilt", "texts", "random"]
"""Latents made of texts that were read, real ones, real ones out of the autoencoder that the synthesiser makes codes
of, those of texts that nobody read; random labels."""


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One figure of one kind of latents, and its 95 % interval over texts, where it has one."""

    figure: str
    of: Of
    value: float
    low: float | None
    high: float | None


def likeness(maker: Maker, pairs: Sequence[Pair], *, groups: int, number: int) -> Iterator[QualityRow]:
    """All figures of pairs; texts are dealt into so many groups, and resampled so many times."""
    members = [pair.member for pair in pairs]
    kinds: dict[Of, list[Tensor]] = {"made": [pair.made for pair in pairs], "real": [pair.real for pair in pairs]}
    heard = kinds | ({"rebuilt": rebuilt} if (rebuilt := maker.rebuilt(kinds["real"])) is not None else {})
    for of, latents in heard.items():
        yield from errors_of(of, members, maker.answers(members, latents), number=number)
    for of, latents in kinds.items():
        lengths = [(len(each), len(member.spoken)) for each, member in zip(latents, members, strict=True)]
        yield from _ratios(of, np.array(lengths, np.float64), ("frames_per_character",), number=number)
    for found in distances(pairs):
        yield QualityRow(found.name, "made", found.made, None, None)
        yield QualityRow(found.name, "real", found.real, None, None)
    yield from separability(pairs, groups=groups, number=number)


def errors_of(of: Of, members: Sequence[Member], heard: Sequence[str], *, number: int) -> Iterator[QualityRow]:
    """Word and character errors of what the guide has heard."""
    counts = []
    for member, text in zip(members, heard, strict=True):
        _, found = nearest_reference(member, text)
        counts.append([each for kind in (found.words, found.characters) for each in (kind.errors, kind.length)])
    yield from _ratios(of, np.array(counts, np.float64), ("wer", "cer"), number=number)


def separability(pairs: Sequence[Pair], *, groups: int, number: int) -> Iterator[QualityRow]:
    """How well a logistic probe of mean latents tells made from real ones, on texts held out; then random labels."""
    members = tuple(pair.member for pair in (*pairs, *pairs))
    readings = Readings(
        members=members,
        texts=tuple(normalise(member.spoken, member.language) for member in members),
        speakers=tuple(member.speaker for member in members),
        is_synthetic=np.repeat([False, True], len(pairs)),
    )
    latents = [*(pair.real for pair in pairs), *(pair.made for pair in pairs)]
    vectors = np.stack([each.mean(dim=0).numpy() for each in latents])  # (2 N, D)
    draws = Resampled.of(readings.text_numbers, number=number)
    kinds: tuple[Of, Of] = ("made", "random")
    for of, labels in zip(kinds, (readings.is_synthetic, shuffled(readings)), strict=True):
        cells = text_folds(readings.texts, labels, groups=groups)
        scores = fit_quickly(vectors, labels, cells).scores(vectors)
        yield _row("auc", of, draws.auc(scores, scores, labels, cells))
        yield _row("accuracy", of, draws.accuracy(scores, labels))


def _ratios(of: Of, sums: Sums, names: Sequence[str], *, number: int) -> Iterator[QualityRow]:
    """Ratios of sums over texts: of the first two columns, of the next two, and so on."""
    drawn = replicates(sums, number=number)
    for place, name in enumerate(names):
        if found := interval(ratio(2 * place, 2 * place + 1), sums, drawn):
            yield _row(name, of, found)


def _row(figure: str, of: Of, found: Interval) -> QualityRow:
    return QualityRow(figure, of, found.value, found.low, found.high)
