"""The actors of one crew: who is starting, who is ready and how busy, and replacements for the dead."""

import logging
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from catalogs.errors import EngineError, SynthgenError
from catalogs.stage import Crew, Outcome

log = logging.getLogger(__name__)

IN_FLIGHT_PER_WORKER = 2
STARTS = 3


@ray.remote
class Actor:
    """One process with one worker, which is built by `ready`, so that its error reaches the driver."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._worker: Any = None

    def ready(self) -> bool:
        """Build the worker."""
        self._worker = self._crew.build()
        return True

    def make(self, items: Sequence[Any]) -> tuple[Any, Any]:
        """A head's work: clips, which stay in the object store, and the outcome, which goes to the driver."""
        clips, outcome = self._worker.work(items)
        return clips, outcome

    def listen(self, clips: Sequence[Any]) -> Outcome:
        """A critic's work."""
        outcome: Outcome = self._worker.work(clips) if clips else Outcome()
        return outcome


class Pool:
    """The actors of one crew: who is starting, who is ready and how busy, and replacements for the dead."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.starting: dict[Any, Any] = {}
        self._load: dict[Any, int] = {}
        self._failed_starts = 0
        for _ in range(crew.workers):
            self._hire()

    def started(self, ref: Any) -> None:
        """An actor is ready, or has failed to start.

        Raises:
            EngineError: if its engine is not to be had, or its process keeps dying.
        """
        actor = self.starting.pop(ref)
        try:
            ray.get(ref)
        except RayTaskError as error:
            if isinstance(error.cause, SynthgenError):
                raise error.cause from error
            raise EngineError(f"{self.crew.name} does not start: {error.cause}") from error
        except RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= STARTS * self.crew.workers:
                raise EngineError(f"{self.crew.name}: its workers die as they start: {error}") from error
            self._hire()
            return
        self._load[actor] = 0

    def free(self, *, alone: bool) -> Any | None:
        """The least busy actor with room; ``alone`` asks for one with nothing to do."""
        room = 1 if alone else IN_FLIGHT_PER_WORKER
        ready = [actor for actor, load in self._load.items() if load < room]
        return min(ready, key=self._load.__getitem__) if ready else None

    def take(self, actor: Any, *, alone: bool) -> None:
        """Note that an actor has one more call, or one that wants it alone."""
        self._load[actor] += IN_FLIGHT_PER_WORKER if alone else 1

    def give_back(self, actor: Any, *, alone: bool) -> None:
        """Note that a call has come back."""
        if actor in self._load:
            self._load[actor] -= IN_FLIGHT_PER_WORKER if alone else 1

    def lost(self, actor: Any) -> None:
        """Replace a dead actor; its other calls come back as errors, too."""
        if self._load.pop(actor, None) is not None:
            log.warning("a worker of %s died and is replaced", self.crew.name)
            self._hire()

    def dismiss(self) -> None:
        """Stop all actors."""
        for actor in (*self._load, *self.starting.values()):
            ray.kill(actor)
        self._load, self.starting = {}, {}

    def _hire(self) -> None:
        crew = self.crew
        options: dict[str, Any] = {"num_cpus": crew.num_cpus, "num_gpus": crew.num_gpus, "max_restarts": 0}
        if crew.runtime_env:
            options["runtime_env"] = dict(crew.runtime_env)
        actor = Actor.options(**options).remote(crew)  # type: ignore[attr-defined]  # ray's decorator
        self.starting[actor.ready.remote()] = actor
