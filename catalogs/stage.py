"""How work is done: streams of batches, crews of identical workers, and critics that listen along.

A *head* crew turns items into clips (a voice records lines; a listener reads takes back); every clip then goes to all
*critic* crews. `inline` does this in the process itself; `synthgen.fleet` does the same with Ray actors.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalogs.clip import Clip
from catalogs.ids import Id
from catalogs.records import Failure, MetricCard, Score, WordTime

MEASURE = "measure"
"""The stage of a failure that no family is to measure."""
WORKER_CRASHED = "WorkerCrashed"
"""The error of an item that was given up because its worker died each time."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded line on its way to the store."""

    line_id: Id
    prompt_id: Id
    voice_id: Id
    flac: bytes
    pcm_sha256: str
    sample_rate_hz: int
    num_samples: int
    tokens: tuple[int, ...] | None
    word_times: tuple[WordTime, ...] | None = None


@dataclass(slots=True)
class Outcome:
    """What one batch came to: recordings, scores by family, and failures."""

    items: int = 0
    recordings: list[Recording] = field(default_factory=list)
    scores: dict[MetricCard, list[Score]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        """Take in what another crew made of the same batch."""
        self.items += other.items
        self.recordings += other.recordings
        self.failures += other.failures
        for card, scores in other.scores.items():
            self.scores.setdefault(card, []).extend(scores)


class Head(Protocol):
    """A worker that makes clips."""

    def work(self, items: Sequence[Any]) -> tuple[list[Clip], Outcome]:
        """Turn items into clips, and say what came of it; one bad item is a failure, not an error."""
        ...


class Critic(Protocol):
    """A worker that listens to clips."""

    def work(self, clips: Sequence[Clip]) -> Outcome:
        """Score the clips; one bad clip is a failure, not an error."""
        ...


@dataclass(frozen=True)
class Crew:
    """Identical workers: how to build one (once, where it works), how many there are, what each takes.

    ``workers`` None is as many as there is room for.
    """

    name: str
    build: Callable[[], Any]
    workers: int | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    runtime_env: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Stream:
    """Batches for one head crew, made while they are worked on.

    An item that repeatedly kills a worker which has nothing else to do is given up. ``lost`` says what to write of it
    when that was its head, and ``unheard`` when that was a critic of its clip; both are given the item and the reason.
    """

    crew: Crew
    batches: Iterator[Sequence[Any]]
    lost: Callable[[Any, str], Failure]
    unheard: Callable[[Any, str], Failure]


class Executor(Protocol):
    """Does the work of all streams, and yields outcomes as they come, in any order."""

    def __call__(self, streams: Sequence[Stream], critics: Sequence[Crew]) -> Iterator[Outcome]:
        """Run every batch through its head crew and all critics."""
        ...


def inline(streams: Sequence[Stream], critics: Sequence[Crew]) -> Iterator[Outcome]:
    """Do the work here, one batch after the other, with no Ray at all."""
    listening: list[Critic] | None = None
    for stream in streams:
        head: Head | None = None
        for batch in stream.batches:
            head = head or stream.crew.build()
            listening = listening if listening is not None else [crew.build() for crew in critics]
            clips, outcome = head.work(batch)
            for critic in listening if clips else ():
                outcome.add(critic.work(clips))
            yield outcome


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of up to ``size`` items, in order."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def one_by_one(
    work: Callable[[Sequence[Any]], list[Any]], items: Sequence[Any], *, stage: str, subject: Callable[[Any], Id]
) -> tuple[list[tuple[Any, Any]], list[Failure]]:
    """Do a batch at once, or, if that raises, item by item, so that the one at fault is known.

    This is the process border: whatever an engine or a model throws becomes a `Failure` of the item it threw on.
    """
    try:
        return list(zip(items, work(items), strict=True)), []
    except Exception as error:  # noqa: BLE001
        if len(items) == 1:
            return [], [failure(stage, subject(items[0]), error)]
    done: list[tuple[Any, Any]] = []
    failures: list[Failure] = []
    for item in items:
        more, failed = one_by_one(work, [item], stage=stage, subject=subject)
        done += more
        failures += failed
    return done, failures


def failure(stage: str, subject_id: Id, error: Exception) -> Failure:
    """An exception as a row: its class and its first line."""
    message = (str(error).strip() or type(error).__name__).splitlines()[0][:500]
    return Failure(stage, subject_id, 1, type(error).__name__, message)
