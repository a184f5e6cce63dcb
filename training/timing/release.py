"""The words of a release timed by a recogniser: the same command times only what is missing."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalogs.catalog import Catalog
from catalogs.errors import ReleaseError, TrainingError
from catalogs.ids import Id
from catalogs.progress import Progress
from catalogs.records import Failure, MetricCard, Release, Score
from catalogs.release import release_named
from catalogs.rescoring import rescore
from catalogs.stage import Outcome, batched, one_by_one
from training.evaluation.naming import checkpoint_folder
from training.members import Member, members_in
from training.timing.scores import State, declared_card, score_of, states_of
from training.timing.timer import CtcTimer, Timed, timer_of
from training.timing.words import spell

STAGE = "time"
BATCH = 32
FLUSH_S = 15.0


@dataclass(frozen=True, slots=True)
class TimingRequest:
    """What to time: a release, or one split of it; ``again`` also what was timed, but not by the take's own voice."""

    corpus: Path
    release: str
    split: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class TimingReport:
    """What came of it.

    ``aligned`` takes have got times, ``unaligned`` ones none, by the reason; ``kept`` of these keep those they had.
    ``tried_before`` takes the same recogniser could not align another time.
    ``timed_by`` counts the takes that have times now, by whose they are, and ``untimed`` the others. ``awaiting`` of
    these have times of their voice, which `synthgen measure` writes down.
    """

    release: str
    release_id: Id
    split: str | None
    recogniser: str
    timer_id: Id
    num_takes: int
    aligned: int
    unaligned: Mapping[str, int]
    kept: int
    tried_before: int
    timed_by: Mapping[str, int]
    untimed: int
    awaiting: int
    failures: tuple[Failure, ...]


@dataclass(slots=True)
class _Found:
    aligned: int = 0
    kept: int = 0
    unaligned: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


def time_release(by: str, request: TimingRequest, *, progress: Progress) -> TimingReport:
    """Time what has no word times yet; a take whose audio is gone is a failure, and is tried again next time.

    Raises:
        CorpusMissing: if there is no such corpus.
        ReleaseError: if there is no such release, or nothing in the split.
        TrainingError: if ``by`` names no CTC recogniser, or one that knows no letter of the release.
        EngineError: if a model that it was trained with is not to be had.
    """
    release, members = _members(request)
    timer = _timer(by)
    _check_letters(timer, members, request)
    with Catalog.create(request.corpus) as catalog, catalog.job("synthgen time"):
        run_id = catalog.begin_run(None, f"synthgen time {request.release} --by {by}")
        card = declared_card(catalog)
        states = states_of(catalog, release, card, split=request.split)
        asked = [member for member in members if _is_asked(member, states[member.take_id], timer, request)]
        writing = _Writing(catalog, card, timer, states)
        timer.prepare(asked, progress)
        progress.start(f"{timer.name} times", len(asked))
        for batch in batched(asked, BATCH):
            found, failures = one_by_one(timer.times, batch, stage=STAGE, subject=lambda member: member.take_id)
            writing.receive(found, failures)
            progress.receive(Outcome(items=len(batch), failures=failures))
        writing.flush()
        catalog.add(writing.found.failures)
        progress.finish()
        catalog.tidy()
        catalog.end_run(run_id, "done")
        states = states_of(catalog, release, card, split=request.split)
    return _report(release, request, timer=timer, members=members, states=states, found=writing.found)


class _Writing:
    """Rows on their way into the corpus, some seconds of work at a time."""

    def __init__(self, catalog: Catalog, card: MetricCard, timer: CtcTimer, states: Mapping[Id, State]) -> None:
        self._catalog, self._card, self._timer, self._states = catalog, card, timer, states
        self._scores: list[Score] = []
        self._since = time.monotonic()
        self.found = _Found()

    def receive(self, found: Sequence[tuple[Member, Timed]], failures: Sequence[Failure]) -> None:
        """Take in a batch; times that a take has are not given up for none."""
        self.found.failures += failures
        for member, timed in found:
            if timed.why is not None:
                self.found.unaligned[timed.why] += 1
                if self._states[member.take_id].is_timed:
                    self.found.kept += 1
                    continue
            self.found.aligned += timed.why is None
            self._scores.append(score_of(self._card, member.take_id, timed, timer_id=self._timer.id))
        if time.monotonic() - self._since > FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write down what has come together."""
        rescore(self._catalog.lake, self._card, self._scores)
        self._scores, self._since = [], time.monotonic()


def _members(request: TimingRequest) -> tuple[Release, list[Member]]:
    with Catalog.open(request.corpus) as catalog:  # there must be one
        release = release_named(catalog, request.release, split=request.split)
        members = members_in(catalog, release, split=request.split)
    if not members:
        raise ReleaseError(f"release {request.release!r} in {request.corpus} has no takes: there is nothing to time")
    return release, members


def _timer(by: str) -> CtcTimer:
    folder = checkpoint_folder(by)
    if folder is None:
        raise TrainingError(f"{by} is no recogniser by CTC: expected the folder of a training or a checkpoint of one")
    return timer_of(folder)


def _check_letters(timer: CtcTimer, members: Sequence[Member], request: TimingRequest) -> None:
    """Refuse a recogniser of another script; a text of marks and digits alone says nothing of that."""
    if any(spell(member.spoken, timer.alphabet).tokens for member in members):
        return
    raise TrainingError(
        f"{timer.name} writes {timer.alphabet.characters!r}, and no text of release {request.release!r} has a letter "
        f"of these, such as {members[0].spoken[:60]!r}: time it by a recogniser of its language"
    )


def _is_asked(member: Member, state: State, timer: CtcTimer, request: TimingRequest) -> bool:
    return state.is_open(timer.id, again=request.again) and not state.awaits_measuring(member)


def _report(
    release: Release,
    request: TimingRequest,
    *,
    timer: CtcTimer,
    members: Sequence[Member],
    states: Mapping[Id, State],
    found: _Found,
) -> TimingReport:
    timed = Counter(state.timed_by or "" for state in states.values() if state.is_timed)
    in_vain = sum(state.timer_id == timer.id and not state.is_timed for state in states.values())
    return TimingReport(
        release=release.name,
        release_id=release.id,
        split=request.split,
        recogniser=timer.name,
        timer_id=timer.id,
        num_takes=len(members),
        aligned=found.aligned,
        unaligned=dict(sorted(found.unaligned.items())),
        kept=found.kept,
        tried_before=in_vain - (found.unaligned.total() - found.kept),
        timed_by=dict(sorted(timed.items())),
        untimed=len(members) - timed.total(),
        awaiting=sum(states[member.take_id].awaits_measuring(member) for member in members),
        failures=tuple(found.failures),
    )
