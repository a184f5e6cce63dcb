"""Like with like: sets of takes, or stretches of a job, made comparable before figures of them are compared.

A text of one domain is harder, or livelier, than one of another, and a job reads its sources one after the other. So
the domains of sets are weighted to the same mix, and those that some of them lack are left out; along a job, each voice
and domain is spread evenly over all stretches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalogs.ids import content_id
from catalogs.intervals import FEWEST
from curation.sets.watched import Watched

MOST_WEIGHT = 4.0
"""A domain that would have to weigh more than this in one of the sets counts as lacking there."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Sets in one mix of ``domains``, that of the first; ``left_out`` are domains that not all of them have."""

    sets: tuple[Watched, ...]
    domains: tuple[str, ...]
    left_out: tuple[str, ...]


def alike(sets: Sequence[Watched]) -> Alike | None:
    """Weigh the takes of sets so that the domains that all of them have make up the same parts of each.

    A set has a domain if it has `FEWEST` texts of it and it need not weigh more than `MOST_WEIGHT`. None if all of them
    have none in common.
    """
    parts = [_parts(takes) for takes in sets]
    names = sorted({name for part in parts for name in part})
    domains = tuple(
        name
        for name in names
        if all(
            part.get(name, (0, 0.0))[0] >= FEWEST and parts[0][name][1] <= MOST_WEIGHT * part[name][1] for part in parts
        )
    )
    if not domains:
        return None
    mix = _mix(parts[0], domains)
    left_out = tuple(name for name in names if name not in domains)
    if len(names) == 1:
        return Alike(tuple(sets), domains, left_out)
    return Alike(
        tuple(_weighted(takes, mix, _mix(part, domains)) for takes, part in zip(sets, parts, strict=True)),
        domains,
        left_out,
    )


def spread(takes: Watched, *, parts: int) -> Watched:
    """The takes in their order, with those of each voice and domain spread evenly over it: parts of it are alike.

    Voices and domains with fewer takes than ``parts`` are spread together.
    """
    columns = [takes.labels[name] for name in ("voice", "domain") if name in takes.labels]
    if not columns or len(takes) == 0:
        return takes
    _, kind, sizes = np.unique(np.stack(columns), axis=1, return_inverse=True, return_counts=True)
    kind = np.where(sizes[kind] < parts, len(sizes), kind)
    held, sizes = np.unique(kind, return_counts=True)
    if len(held) == 1:
        return takes
    order = np.argsort(kind, kind="stable")
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = np.empty(len(takes))
    place[order] = (np.arange(len(takes)) - starts + 0.5) / np.repeat(sizes, sizes)
    standard = content_id("spread", sorted(sizes.tolist()))[:8]
    return replace(takes.rows(np.argsort(place, kind="stable")), standard=standard)


def _parts(takes: Watched) -> dict[str, tuple[int, float]]:
    """The texts of each domain, and its share of the takes."""
    of = _domain(takes)
    return {
        takes.domains[number]: (len(np.unique(takes.text[of == number])), float((of == number).mean()))
        for number in np.unique(of).tolist()
    }


def _mix(parts: dict[str, tuple[int, float]], domains: Sequence[str]) -> dict[str, float]:
    total = sum(parts[name][1] for name in domains)
    return {name: parts[name][1] / total for name in domains}


def _weighted(takes: Watched, wanted: dict[str, float], own: dict[str, float]) -> Watched:
    """The takes of the domains ``wanted``, by weights that make up this mix of their ``own``."""
    weights = np.array([wanted[name] / own[name] if name in wanted else 0.0 for name in takes.domains])
    of_take = weights[_domain(takes)]
    standard = content_id("mix", {name: round(share, 6) for name, share in wanted.items()}, takes.standard)[:8]
    return replace(takes, weights=of_take, standard=standard).rows(np.flatnonzero(of_take))


def _domain(takes: Watched) -> NDArray[np.int64]:
    return takes.labels.get("domain", np.zeros(len(takes), np.int64))
