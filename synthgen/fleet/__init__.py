"""The fleet: the work of `catalogs.stage`, here or on Ray.

    config, at_work    where the work is done, and the executor for it
    sizes              how many workers a crew gets
    connection         Ray on this machine, or a cluster
    ray_fleet          streams, critics and retries on Ray
    tasks              batches on their way, and what is tried again
    pool               the workers of one crew

Nothing imports Ray until there is work for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from catalogs.stage import Crew, Executor, Outcome, Stream, inline

INLINE = "inline"
LOCAL = "ray"


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """Where the work is done: "inline", "ray" (this machine), or a cluster's address ("auto", "ray://host:10001").

    ``workers`` is the size of every crew. None is one worker a core on this machine, if its memory holds them; on a
    cluster, what its GPUs hold for crews that ask for GPUs, and an even share of its processors for the others.
    ``live_voices`` is how many engines speak at once. A crew may wait ``start_within_s`` for room for its first worker
    (a cluster may have to grow), and a worker may take ``batch_within_s`` for a batch before it is taken for dead.
    ``cost_per_hour`` is what the fleet costs, in any currency, for `synthgen plan`.
    """

    on: str = LOCAL
    workers: int | None = None
    live_voices: int = 2
    start_within_s: float = 900.0
    batch_within_s: float = 3600.0
    cost_per_hour: float | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError("workers must be at least 1")
        if self.live_voices < 1:
            raise ValueError("live_voices must be at least 1")
        if self.start_within_s <= 0 or self.batch_within_s <= 0:
            raise ValueError("start_within_s and batch_within_s must be positive")


def at_work(config: FleetConfig) -> Executor:
    """The executor for this configuration; nothing starts before it has its first batch.

    Ray, once started or joined, stays until the process ends, so that the next stage need not wait for it again. The
    executor raises `EngineError` if a cluster does not answer, or if there is no room for a crew.
    """
    return inline if config.on == INLINE else _OnRay(config)


class _OnRay:
    """Work on Ray, if there is any."""

    def __init__(self, config: FleetConfig) -> None:
        self._config = config

    def __call__(self, streams: Sequence[Stream], critics: Sequence[Crew]) -> Iterator[Outcome]:
        waiting = [stream for stream in map(_peeked, streams) if stream is not None]
        if not waiting:
            return
        from synthgen.fleet.connection import connect
        from synthgen.fleet.ray_fleet import Fleet

        room = connect(None if self._config.on == LOCAL else self._config.on)
        yield from Fleet(self._config, room)(waiting, critics)


def _peeked(stream: Stream) -> Stream | None:
    """The stream, or None if it has nothing to do; no crew is started for nothing."""
    first = next(stream.batches, None)
    if first is None:
        return None
    return Stream(stream.crew, chain([first], stream.batches), stream.lost, stream.unheard)
