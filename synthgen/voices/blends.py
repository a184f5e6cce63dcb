"""Blends of speakers by name: ``jf_alpha``, ``jf_alpha:0.6+jm_kumo:0.4``, and for prosody ``jf_alpha*0.5``.

    blend = speaker [":" weight] { "+" speaker [":" weight] }
    style = blend [ "*" strength ]

Weights are positive and relative. Strength is 0 (the average of all speakers) to 2 (twice as far from it as
the blend is); without one it is 1, the blend itself. Names are written back in one way only
(sorted, weights in thousandths that sum to 1), so that equal blends are one speaker.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from catalogs.errors import UsageError
from synthgen.voices.speakers import check_speaker

_MAX_STRENGTH = 2.0


@dataclass(frozen=True, slots=True)
class Share:
    """One speaker's part in a blend."""

    speaker: str
    weight: float


@dataclass(frozen=True, slots=True)
class Blend:
    """Speakers with weights that sum to 1, and how strongly their prosody is followed."""

    shares: tuple[Share, ...]
    strength: float = 1.0

    def __str__(self) -> str:
        if len(self.shares) == 1:
            name = self.shares[0].speaker
        else:
            name = "+".join(f"{share.speaker}:{share.weight:g}" for share in self.shares)
        return name if self.strength == 1.0 else f"{name}*{self.strength:g}"


def parse_blend(written: str, known: Collection[str], *, engine: str) -> Blend:
    """Read a blend.

    Raises:
        UsageError: for an unknown speaker, with the nearest one, or a weight that is not a positive number.
    """
    weights: dict[str, float] = {}
    for term in written.split("+"):
        speaker, colon, weight = term.partition(":")
        check_speaker(speaker.strip(), known, engine=engine)
        share = _number(weight, written, engine=engine) if colon else 1.0
        if share <= 0:
            raise UsageError(f"{engine}: the weights of {written!r} must be positive")
        weights[speaker.strip()] = weights.get(speaker.strip(), 0.0) + share
    return Blend(tuple(Share(name, parts / 1000) for name, parts in _thousandths(weights).items()))


def parse_style(written: str, known: Collection[str], *, engine: str) -> Blend:
    """Read a blend with a strength.

    Raises:
        UsageError: as `parse_blend` does, and for a strength that is not a number from 0 to 2.
    """
    blend, star, strength = written.partition("*")
    value = _number(strength, written, engine=engine) if star else 1.0
    if not 0 <= value <= _MAX_STRENGTH:
        raise UsageError(f"{engine}: the strength of {written!r} must be from 0 to {_MAX_STRENGTH:g}")
    return Blend(parse_blend(blend, known, engine=engine).shares, value)


def _thousandths(weights: Mapping[str, float]) -> dict[str, int]:
    """Whole thousandths in proportion to the weights, by name; the largest remainders fill up the 1000."""
    total = sum(weights.values())
    exact = {name: round(1000 * weights[name] / total, 6) for name in sorted(weights)}
    parts = {name: int(value) for name, value in exact.items()}
    missing = 1000 - sum(parts.values())
    for name in sorted(exact, key=lambda name: parts[name] - exact[name])[:missing]:
        parts[name] += 1
    return {name: part for name, part in parts.items() if part}


def _number(written: str, whole: str, *, engine: str) -> float:
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"{engine}: {written!r} in {whole!r} is not a number")
    return value
