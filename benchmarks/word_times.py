"""Word times: how far a CTC recogniser's, and those of the search of `timing`, are from what voices say themselves.

    python -m benchmarks.word_times CHECKPOINT CORPUS RELEASE

RELEASE has takes of voices that know how long their sounds last, measured by `timing`, and that the recogniser was not
trained on. The last rows are the same alignments with another reach; see `training.timing.words`.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from catalogs.catalog import Catalog
from catalogs.progress import Progress
from catalogs.release import release_named
from curation.recognisers.timing import Timer
from training.interleaving.timings import timings_of
from training.interleaving.words import Timings, Word
from training.members import Member, members_in, waves_of
from training.timing import words
from training.timing.timer import timer_of

REACHES_S = (0.0, 0.02, 0.04, 0.08, 0.12, 0.2)

_BY_VOICE = "SELECT take_id::VARCHAR FROM takes WHERE timed_by = 'voice' ORDER BY take_id"

Times = Callable[[Member], Sequence[Word]]


def measure(checkpoint: Path, corpus: Path, name: str) -> str:
    """The table, as Markdown: milliseconds by which words begin and end earlier or later than the voices say."""
    with Catalog.open(corpus) as catalog:
        release = release_named(catalog, name)
        by_voice = {take_id for (take_id,) in catalog.lake.rows(_BY_VOICE)}
        own = {take_id: times for take_id, times in timings_of(catalog, release).items() if take_id in by_voice}
        members = [member for member in members_in(catalog, release, split=None) if member.take_id in own]
    if not members:
        raise SystemExit(f"no take of {name!r} has been timed by its voice: nothing to hold others against")
    timer, search = timer_of(checkpoint), Timer()
    timer.prepare(members, Progress())
    rows = ["| by | words | starts: median, mean, 90 % | ends: median, mean, 90 % |", "|---|---:|---:|---:|"]

    def aligned(member: Member) -> Sequence[Word]:
        return timer.times([member])[0].words

    def searched(member: Member) -> Sequence[Word]:
        if not search.knows(member.language):
            return ()
        found = search.times(waves_of([member])[0], member.spoken) or ()
        return [Word(word.text, word.start_s, word.end_s, word.confidence) for word in found]

    rows.append(_row(f"ctc, {words.REACH_S:g} s", members, own, aligned))
    rows.append(_row("search", members, own, searched))
    for reach_s in REACHES_S:
        words.REACH_S = reach_s
        rows.append(_row(f"ctc, {words.REACH_S:g} s", members, own, aligned))
    return "\n".join(rows)


def _row(by: str, members: Sequence[Member], own: Mapping[str, Timings], times: Times) -> str:
    starts, ends = [], []
    for member in members:
        found, truth = times(member), own[member.take_id]
        if [word.text for word in found] == list(truth.timed_words):
            starts += np.subtract([word.start_s for word in found], truth.word_starts_s).tolist()
            ends += np.subtract([word.end_s for word in found], truth.word_ends_s).tolist()
    return f"| {by} | {len(starts):,} | {_cell(starts)} | {_cell(ends)} |"


def _cell(errors_s: Sequence[float]) -> str:
    if not errors_s:
        return ""
    off = 1000 * np.abs(errors_s)
    return f"{np.median(off):.0f}, {off.mean():.0f}, {np.quantile(off, 0.9):.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for argument in ("checkpoint", "corpus"):
        parser.add_argument(argument, type=Path)
    parser.add_argument("release")
    given = parser.parse_args()
    print(measure(given.checkpoint, given.corpus, given.release))
