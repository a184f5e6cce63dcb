"""The workers of one crew: who waits for room, who starts, who is ready and how busy; replacements for the dead."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from catalogs.errors import EngineError, SynthgenError
from catalogs.stage import Crew, Outcome

log = logging.getLogger(__name__)

IN_FLIGHT_PER_WORKER = 2
STARTS = 3
SAY_WAITING_S = 30.0
YIELD_AFTER_S = 10.0
# One thread a worker unless the recipe says otherwise: there is a worker for every core.
FEW_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@ray.remote
class Actor:
    """One process with one worker, which is built by `ready`, so that its error reaches the driver."""

    def __init__(self) -> None:
        self._worker: Any = None

    def placed(self) -> None:
        """Answers once the process is there."""

    def ready(self, build: Callable[[], Any]) -> None:
        """Build the worker."""
        self._worker = build()

    def make(self, items: Sequence[Any]) -> tuple[Any, Any]:
        """A head's work: clips, which stay in the object store, and the outcome, which goes to the driver."""
        clips, outcome = self._worker.work(items)
        return clips, outcome

    def listen(self, clips: Sequence[Any]) -> Outcome:
        """A critic's work."""
        outcome: Outcome = self._worker.work(clips) if clips else Outcome()
        return outcome


class Pool:
    """The workers of one crew; ``size`` of them are wanted."""

    def __init__(self, crew: Crew, size: int, *, num_cpus: float, start_within_s: float, batch_within_s: float) -> None:
        self.crew = crew
        self.size = size
        self._num_cpus = num_cpus
        self.starting: dict[Any, Any] = {}
        self._placing: list[Any] = []
        self._load: dict[Any, int] = {}
        self._busy_since: dict[Any, float] = {}
        self._start_within_s, self._batch_within_s = start_within_s, batch_within_s
        self._last_staffed = time.monotonic()
        self._failed_starts = 0
        self._has_said = False

    @property
    def is_short(self) -> bool:
        """Whether it is smaller than it should be, with those that are on their way."""
        return len(self._load) + len(self.starting) < self.size

    @property
    def is_staffed(self) -> bool:
        """Whether it has a worker, or has asked for one."""
        return bool(self._load or self.starting)

    @property
    def starves(self) -> bool:
        """Whether it has had no worker for a while, for want of room."""
        return bool(self._placing) and time.monotonic() - self._last_staffed > YIELD_AFTER_S

    def hire(self) -> None:
        """Ask Ray for one more worker."""
        crew = self.crew
        given = dict(crew.runtime_env or {})
        actor = Actor.options(  # type: ignore[attr-defined]  # ray's decorator
            num_cpus=self._num_cpus,
            num_gpus=crew.num_gpus,
            runtime_env=given | {"env_vars": FEW_THREADS | given.get("env_vars", {})},
        ).remote()
        self._placing.append(actor.placed.remote())
        self.starting[actor.ready.remote(crew.build)] = actor

    def started(self, ref: Any) -> None:
        """A worker is ready, or has failed to start.

        Raises:
            EngineError: if its engine is not to be had, or its process keeps dying.
        """
        actor = self.starting.pop(ref)
        try:
            ray.get(ref)
        except RayTaskError as error:
            if isinstance(error.cause, SynthgenError):
                raise error.cause from error
            raise EngineError(f"{self.crew.name} does not start: {error.cause!r}") from error
        except RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= STARTS * self.size:
                why = str(error).strip().splitlines()[0]
                raise EngineError(f"{self.crew.name}: its workers die as they start: {why}") from error
            return
        self._failed_starts = 0
        self._load[actor] = 0

    def free(self, *, alone: bool) -> Any | None:
        """The least busy worker with room; ``alone`` asks for one with nothing to do."""
        room = 1 if alone else IN_FLIGHT_PER_WORKER
        ready = [actor for actor, load in self._load.items() if load < room]
        return min(ready, key=self._load.__getitem__) if ready else None

    def take(self, actor: Any, *, alone: bool) -> None:
        """Note that a worker has one more call, or one that wants it alone."""
        if not self._load[actor]:
            self._busy_since[actor] = time.monotonic()
        self._load[actor] += IN_FLIGHT_PER_WORKER if alone else 1

    def give_back(self, actor: Any, *, alone: bool) -> None:
        """Note that a call has come back."""
        if actor in self._load:
            self._busy_since[actor] = time.monotonic()
            self._load[actor] -= IN_FLIGHT_PER_WORKER if alone else 1

    def lost(self, actor: Any) -> None:
        """Note that a worker is dead, and so to be replaced; its other calls come back as errors, too."""
        if self._load.pop(actor, None) is not None:
            log.warning("a worker of %s died and is replaced", self.crew.name)
            ray.kill(actor)

    def yield_room(self) -> bool:
        """Let a worker go that has nothing to do, if it is not the last; gives whether there was one."""
        idle = [actor for actor, load in self._load.items() if not load]
        if not idle or len(self._load) == 1:
            return False
        del self._load[idle[0]]
        ray.kill(idle[0])
        return True

    def look_after(self) -> None:
        """Stop workers that hang, and say, once, that some wait for room.

        Raises:
            EngineError: if the crew has been without a worker for too long.
        """
        now = time.monotonic()
        for actor, load in self._load.items():
            if load and now - self._busy_since[actor] > self._batch_within_s:
                log.warning("a worker of %s has been at one batch for %.0f s", self.crew.name, self._batch_within_s)
                ray.kill(actor)
        if self._placing:
            self._placing = ray.wait(self._placing, num_returns=len(self._placing), timeout=0)[1]
        if self._load or len(self._placing) < len(self.starting):
            self._last_staffed = now
        waited_s = now - self._last_staffed
        if self._placing and waited_s > self._start_within_s:
            raise EngineError(f"{self._wish()} after {waited_s:.0f} s; lower fleet.workers, or enlarge the cluster")
        if self._placing and waited_s > SAY_WAITING_S and not self._has_said:
            self._has_said = True
            log.warning("%s; it gets them when there are", self._wish())

    def dismiss(self) -> None:
        """Stop all workers."""
        for actor in (*self._load, *self.starting.values()):
            ray.kill(actor)
        self._load, self.starting, self._placing = {}, {}, []

    def _wish(self) -> str:
        needs = f"{self._num_cpus:g} CPU" + (f" and {self.crew.num_gpus:g} GPU" if self.crew.num_gpus else "")
        return f"{len(self._placing)} of {self.size} workers of {self.crew.name} wait for room, {needs} each"
