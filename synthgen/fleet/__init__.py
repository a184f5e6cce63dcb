"""The fleet: the work of `catalogs.stage`, here or on Ray.

    config, at_work    where the work is done, and the executor for it
    ray_fleet          streams, critics and retries on a running Ray
    pool               the actors of one crew

Nothing imports Ray until there is work for it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from catalogs.stage import Crew, Executor, Stream, inline

INLINE = "inline"
LOCAL = "ray"


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """Where the work is done: "inline", "ray" (this machine), or a cluster's address ("auto", "ray://host:10001").

    ``cost_per_hour`` is what the fleet costs, in any currency, for `synthgen plan`.
    ``workers`` is the size of every crew; None means one per core here, and one per GPU or core of a cluster.
    """

    on: str = LOCAL
    workers: int | None = None
    live_voices: int = 2
    cost_per_hour: float | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError("workers must be at least 1")
        if self.live_voices < 1:
            raise ValueError("live_voices must be at least 1")

    def crew_size(self) -> int:
        """How many workers a crew has."""
        return self.workers or os.cpu_count() or 1


@contextmanager
def at_work(config: FleetConfig, streams: Sequence[Stream], critics: Sequence[Crew]) -> Iterator[Executor]:
    """An executor for these crews; Ray is started, or a cluster joined, for as long as the context lasts.

    Raises:
        EngineError: if the cluster does not answer, or this machine lacks the GPUs that are asked for.
    """
    if config.on == INLINE:
        yield inline
        return
    from synthgen.fleet.ray_fleet import Fleet, connected

    crews = [*critics, *(stream.crew for stream in streams)]
    address = None if config.on == LOCAL else config.on
    with connected(
        address,
        demand_cpus=sum(c.workers * c.num_cpus for c in crews),
        demand_gpus=max((c.workers * c.num_gpus for c in crews), default=0.0),
    ):
        yield Fleet(live_voices=config.live_voices)
