"""Streams, critics and retries on Ray, on one machine or a cluster.

Waveforms go from a voice to its critics through Ray's object store and never touch the driver, which only sees FLAC and
scores. Work in flight is bounded, so a slow critic slows the voices down and memory stays flat. Seeds belong to lines,
so it does not matter for a sample which worker reads it, when, or how often it had to be tried.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from catalogs.errors import EngineError
from catalogs.stage import Crew, Outcome, Stream
from catalogs.stopping import stoppable_elsewhere
from synthgen.fleet import FleetConfig
from synthgen.fleet.pool import IN_FLIGHT_PER_WORKER, YIELD_AFTER_S, Pool
from synthgen.fleet.sizes import Room, crew_sizes
from synthgen.fleet.tasks import Source, Task

HEARTBEAT_S = 5.0
_NODE_DIED = "its node has died"


class Fleet:
    """An executor of `catalogs.stage` on a Ray that is connected."""

    def __init__(self, config: FleetConfig, room: Room) -> None:
        self._config = config
        self._room = room

    def __call__(self, streams: Sequence[Stream], critics: Sequence[Crew]) -> Iterator[Outcome]:
        """Run all streams, a few head crews at a time, and yield outcomes as they come.

        Raises:
            EngineError: if this machine lacks the GPUs that a crew asks for, or a crew does not start.
        """
        heads = [stream.crew for stream in streams]
        self._check_gpus([*heads, *critics])
        sizes = crew_sizes(heads, critics, live=self._config.live_voices, room=self._room)
        waiting = deque(zip(streams, sizes, strict=False))
        listening = [self._pool(crew, size) for crew, size in zip(critics, sizes[len(heads) :], strict=True)]
        shift = _Shift(listening, heartbeat_s=min(HEARTBEAT_S, self._config.batch_within_s))
        try:
            while waiting or shift.sources:
                while waiting and len(shift.sources) < self._config.live_voices:
                    stream, size = waiting.popleft()
                    shift.sources.append(Source(stream, self._pool(stream.crew, size)))
                shift.hire()
                yield from shift.turn()
        finally:
            shift.dismiss()

    def _pool(self, crew: Crew, size: int) -> Pool:
        return Pool(
            crew,
            size,
            # The system shares the cores of one machine, where no crew must wait for one to be free.
            num_cpus=0.0 if self._room.is_shared else crew.num_cpus,
            start_within_s=self._config.start_within_s,
            batch_within_s=self._config.batch_within_s,
        )

    def _check_gpus(self, crews: Sequence[Crew]) -> None:
        for crew in crews if self._room.is_shared else ():
            if crew.num_gpus * (crew.workers or 1) > self._room.gpus:
                raise EngineError(
                    f"{crew.name} asks for {crew.num_gpus:g} GPU for each of {crew.workers or 1} workers, and this "
                    f"machine has {self._room.gpus:g}; lower num_gpus or fleet.workers, or use --on with a cluster"
                )


@dataclass(frozen=True)
class _Call:
    task: Task
    pool: Pool
    actor: Any


class _Shift:
    """All that is under way: sources, critics, and the calls in flight."""

    def __init__(self, critics: Sequence[Pool], *, heartbeat_s: float) -> None:
        self._heartbeat_s = heartbeat_s
        self.sources: list[Source] = []
        self._critics = critics
        self._to_hear: dict[Pool, deque[Task]] = {pool: deque() for pool in critics}
        self._calls: dict[Any, _Call] = {}
        self._made_room = time.monotonic()

    def hire(self) -> None:
        """Hire who is missing, one worker a pool in turn, so that scarce room is shared.

        A pool without any worker, as when a cluster has lost a node, is helped first: others let idle workers go.
        """
        pools = self._pools()
        starving = [pool for pool in pools if pool.starves]
        if starving:
            self._make_room(starving[0])
        while short := [pool for pool in pools if pool.is_short and not (starving and pool.is_staffed)]:
            for pool in short:
                pool.hire()

    def turn(self) -> Iterator[Outcome]:
        """Hand out work, wait for something to happen, and deal with all that has."""
        for pool, queue in self._to_hear.items():
            self._hand_to_critic(pool, queue)
        for source in self.sources:
            self._hand_to_head(source)
        starting = {ref: pool for pool in self._pools() for ref in pool.starting}
        waiting = [*self._calls, *starting]
        for ref in _happened(waiting, within_s=self._heartbeat_s):
            if ref in starting:
                starting[ref].started(ref)
            else:
                yield from self._received(ref)
        for pool in self._pools():
            pool.look_after()
        for source in [s for s in self.sources if s.is_finished]:
            source.pool.dismiss()
            self.sources.remove(source)

    def dismiss(self) -> None:
        """Stop everything."""
        for pool in self._pools():
            pool.dismiss()
        self._calls = {}

    def _make_room(self, starving: Pool) -> None:
        if time.monotonic() - self._made_room < YIELD_AFTER_S:
            return
        self._made_room = time.monotonic()
        for pool in sorted(self._pools(), key=lambda pool: pool.size, reverse=True):
            if (pool.crew.num_gpus or not starving.crew.num_gpus) and pool.yield_room():
                return

    def _pools(self) -> list[Pool]:
        return [*self._critics, *(source.pool for source in self.sources)]

    def _hand_to_critic(self, pool: Pool, queue: deque[Task]) -> None:
        while queue:
            task = queue[0]
            actor = None if task.is_void else pool.free(alone=task.alone)
            if actor is None and not task.is_void:
                return
            queue.popleft()
            if actor is not None:
                pool.take(actor, alone=task.alone)
                self._calls[actor.listen.remote(task.clips)] = _Call(task, pool, actor)

    def _hand_to_head(self, source: Source) -> None:
        most_open = IN_FLIGHT_PER_WORKER * (source.pool.size + sum(pool.size for pool in self._critics))
        while (actor := source.pool.free(alone=source.wants_alone)) is not None:
            task = source.next_task(most_open)
            if task is None:
                return
            task.clips, outcome = actor.make.options(num_returns=2).remote(task.items)
            source.pool.take(actor, alone=task.alone)
            self._calls[outcome] = _Call(task, source.pool, actor)

    def _received(self, ref: Any) -> Iterator[Outcome]:
        call = self._calls.pop(ref)
        try:
            with stoppable_elsewhere():
                outcome: Outcome = ray.get(ref)
        except RayTaskError as error:
            if isinstance(error.cause, Exception) and not isinstance(error.cause, RayError):
                raise error.cause from error
            yield from self._crashed(call, error)
            return
        except RayError as error:
            yield from self._crashed(call, error)
            return
        call.pool.give_back(call.actor, alone=call.task.alone)
        if not call.task.is_void:
            yield from self._advance(call.task, outcome)

    def _advance(self, task: Task, outcome: Outcome) -> Iterator[Outcome]:
        if task.outcome is None:
            task.outcome = outcome
            task.critics_left = len(self._critics)
            for queue in self._to_hear.values():
                queue.append(task)
        else:
            task.outcome.add(outcome)
            task.critics_left -= 1
        if task.critics_left == 0:
            task.clips = None
            task.source.open -= 1
            yield task.outcome

    def _crashed(self, call: _Call, error: RayError) -> Iterator[Outcome]:
        """A call whose worker, or whose clips, are gone: try its batch again, or give its only item up."""
        task, stream = call.task, call.task.source.stream
        if isinstance(error, RayActorError):
            call.pool.lost(call.actor)
        else:
            call.pool.give_back(call.actor, alone=task.alone)
        if task.is_void:
            return
        if not task.is_hopeless:
            task.source.try_again(task, is_to_blame=_NODE_DIED not in str(error))
            return
        message = f"{call.pool.crew.name} died each time it had only this to do"
        if task.outcome is not None:
            yield from self._advance(task, Outcome(failures=[stream.unheard(task.items[0], message)]))
            return
        task.source.open -= 1
        yield Outcome(items=1, failures=[stream.lost(task.items[0], message)])


def _happened(waiting: list[Any], *, within_s: float) -> list[Any]:
    """What has come back of what is waited for; nothing, if nothing has for so long."""
    if not waiting:
        return []
    with stoppable_elsewhere():
        first, _ = ray.wait(waiting, num_returns=1, timeout=within_s, fetch_local=False)
        return ray.wait(waiting, num_returns=len(waiting), timeout=0, fetch_local=False)[0] if first else []
