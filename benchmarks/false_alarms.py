"""How often the monitor of erosion calls a job eroding that is not; a table, as Markdown.

    python -m benchmarks.false_alarms [--jobs 300]

Jobs are simulated: texts differ in their pitch, loudness, length, difficulty and sounds, readings of one text resemble
each other, and domains, where there are several, come one after the other, each flatter and harder than the one before.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalogs.intervals import wilson
from curation.sets.erosion import FALSE_ALARMS, STRETCHES, along, watch
from curation.sets.watched import Watched
from curation.tokenisers.sequences import TokenRows

NUM_CODES, SPOKEN = 100, 60
LOOKS = range(300, 1501, 300)


@dataclass(frozen=True)
class Kind:
    """Jobs of one kind: ``texts``, each read so often, in so many domains, in stretches of ``size`` takes."""

    told: str
    size: int
    texts: int
    readings: int = 1
    domains: int = 1


KINDS = (
    Kind("stretches of 25 takes", 25, 525),
    Kind("stretches of 100 takes", 100, 2100),
    Kind("the same, each text read four times", 100, 525, readings=4),
    Kind("the same, four domains one after the other", 100, 2100, domains=4),
)
GROWING = Kind("grows", 0, LOOKS[-1])


def simulated(kind: Kind, seed: int) -> Watched:
    """A job that does not erode."""
    random = np.random.default_rng(seed)
    text = np.repeat(np.arange(kind.texts), kind.readings)
    domain = (np.arange(kind.texts) * kind.domains // kind.texts)[text]
    of_text = random.normal(size=(kind.texts, 3))[text]
    words = random.integers(4, 16, kind.texts)[text]
    share = np.minimum(random.beta(1, 19, kind.texts)[text] * (1 + domain), 0.9)
    errors = random.binomial(words, share).astype(np.float64)

    def noise() -> NDArray[np.float64]:
        return random.normal(size=len(text))

    figures = {
        "f0_sd_st": np.exp(1.1 + 0.2 * of_text[:, 0] + 0.25 * noise() - 0.1 * domain),
        "energy_sd_db": 9 + of_text[:, 1] + noise() - 0.4 * domain,
        "speaker_similarity": 0.9 + 0.02 * of_text[:, 2] + 0.03 * noise(),
        "token_repetition": np.where(random.random(len(text)) < 0.7, 0, random.exponential(0.03, len(text))),
        "substitutions": errors,
        "insertions": 0 * errors,
        "deletions": 0 * errors,
        "ref_words": words.astype(np.float64),
    }
    of_domain = np.random.default_rng(5).dirichlet(np.full(NUM_CODES, 0.8), size=kind.domains)
    sounds = [random.dirichlet(of_domain[number] * SPOKEN + 1e-3) for number in domain[:: kind.readings]]
    return Watched(
        tuple(f"{seed}-{number}" for number in range(len(text))),
        np.ones(len(text), np.bool_),
        text,
        np.arange(len(text)),
        figures,
        TokenRows.of([random.choice(NUM_CODES, size=SPOKEN, p=sounds[number]) + 1 for number in text]),
        labels={"voice": np.zeros(len(text), np.int64), "domain": domain},
        domains=tuple(map(str, range(kind.domains))),
    )


def measure(jobs: int) -> str:
    """How many of so many jobs of each kind ring, and of jobs that are looked at five times as they grow."""
    lines = [f"| healthy jobs, {FALSE_ALARMS:.0%} promised | of them called eroding |", "|---|---:|"]
    rung = {kind.told: sum(_rings(kind, seed) for seed in range(jobs)) for kind in KINDS}
    lines += [f"| {told} | {_told(count, jobs)} |" for told, count in rung.items()]
    grown = [_looked_at(10_000 + seed) for seed in range(jobs)]
    lines.append(f"| five looks at a growing job, limits that stay | {_told(sum(a for a, _ in grown), jobs)} |")
    lines.append(f"| the same, limits of each look's own | {_told(sum(b for _, b in grown), jobs)} |")
    return "\n".join(lines)


def _rings(kind: Kind, seed: int) -> bool:
    first, *points = along(simulated(kind, seed), size=kind.size)
    return bool(watch(first, points).warnings)


def _looked_at(seed: int) -> tuple[bool, bool]:
    """Whether any of the looks at a growing job rings, by limits for the longest job and by its own."""
    job, stays, own = simulated(GROWING, seed), False, False
    for upto in LOOKS:
        first, *points = along(job.between(0, upto))
        stays |= bool(watch(first, points, of=STRETCHES).warnings)
        own |= bool(watch(first, points).warnings)
    return stays, own


def _told(count: int, total: int) -> str:
    low, high = wilson(count, total)
    return f"{count / total:.1%} ({low:.1%}–{high:.1%})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300, help="of each kind")
    print(measure(parser.parse_args(arguments).jobs))


if __name__ == "__main__":
    main()
