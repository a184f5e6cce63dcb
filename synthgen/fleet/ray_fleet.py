"""Streams, critics and retries on a running Ray, on one machine or a cluster.

Waveforms go from a voice to its critics through Ray's object store and never touch the driver, which only sees FLAC and
scores. Work in flight is bounded, so a slow critic slows the voices down and memory stays flat. A worker that dies is
replaced and its batch is tried again with nothing else on its new worker; a batch that kills that one too is tried item
by item, and an item that twice kills its worker on its own is a `Failure`. Seeds belong to lines, so none of this
changes a sample.
"""

import logging
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from catalogs.errors import EngineError
from catalogs.stage import Crew, Outcome, Stream
from synthgen.fleet.pool import IN_FLIGHT_PER_WORKER, Pool

BATCH_CRASHES = 2
ITEM_CRASHES = 3


@contextmanager
def connected(address: str | None, *, demand_cpus: float, demand_gpus: float = 0.0) -> Iterator[None]:
    """Start Ray here (no address), or join a cluster, for as long as the context lasts.

    A local Ray is given as many logical processors as the crews ask for, so that small machines are shared by the
    operating system rather than left waiting.

    Raises:
        EngineError: if the cluster does not answer.
    """
    already = ray.is_initialized()
    if not already:
        options: dict[str, Any] = (
            {"num_cpus": max(int(demand_cpus + 0.999), os.cpu_count() or 1), "include_dashboard": False}
            if address is None
            else {"address": address}
        )
        try:
            ray.init(logging_level=logging.ERROR, log_to_driver=False, configure_logging=False, **options)
        except (ConnectionError, RayError, RuntimeError, ValueError) as error:
            raise EngineError(f"Ray at {address or 'this machine'} does not answer: {error}") from error
        gpus = _gpus_here()
        if address is None and demand_gpus > gpus:
            ray.shutdown()
            raise EngineError(f"the recipe asks for {demand_gpus:g} GPUs and this machine has {gpus:g}")
    try:
        yield
    finally:
        if not already:
            ray.shutdown()


class Fleet:
    """An executor of `catalogs.stage` on Ray; use it inside `connected`."""

    def __init__(self, *, live_voices: int = 2) -> None:
        self._live_voices = live_voices

    def __call__(self, streams: Sequence[Stream], critics: Sequence[Crew]) -> Iterator[Outcome]:
        """Run all streams, a few head crews at a time, and yield outcomes as they come."""
        waiting = deque(s for s in map(_peeked, streams) if s is not None)
        if not waiting:
            return
        shift = _Shift(critics)
        try:
            while waiting or shift.sources:
                while waiting and len(shift.sources) < self._live_voices:
                    shift.sources.append(_Source(waiting.popleft()))
                yield from shift.turn()
        finally:
            shift.dismiss()


class _Source:
    """One stream at work: its head crew, what is to be tried again, and how many batches are open."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.pool = Pool(stream.crew)
        self.again: deque[_Task] = deque()
        self.open = 0
        self.exhausted = False

    @property
    def finished(self) -> bool:
        return self.exhausted and not self.open

    def next_task(self, limit: int) -> "_Task | None":
        """The next batch to be tried again, or a fresh one if fewer than ``limit`` are open."""
        if self.again:
            return self.again.popleft()
        if self.exhausted or self.open >= limit:
            return None
        items = next(self.stream.batches, None)
        if items is None:
            self.exhausted = True
            return None
        self.open += 1
        return _Task(self, items)


@dataclass(eq=False)
class _Task:
    """One try at a batch: on its way through the head and then all critics."""

    source: _Source
    items: Sequence[Any]
    crashes: int = 0
    clips: Any = None
    outcome: Outcome | None = None
    critics_left: int = 0
    given_up: bool = False

    @property
    def alone(self) -> bool:
        return self.crashes > 0


@dataclass(frozen=True)
class _Call:
    task: _Task
    pool: Pool
    actor: Any


class _Shift:
    """All that is under way: sources, critics, and the calls in flight."""

    def __init__(self, critics: Sequence[Crew]) -> None:
        self.sources: list[_Source] = []
        self._critics = [Pool(crew) for crew in critics]
        self._to_hear: dict[Pool, deque[_Task]] = {pool: deque() for pool in self._critics}
        self._calls: dict[Any, _Call] = {}

    def turn(self) -> Iterator[Outcome]:
        """Hand out work, wait for the next thing to happen, and deal with it."""
        for pool, queue in self._to_hear.items():
            self._hand_to_critic(pool, queue)
        for source in self.sources:
            self._hand_to_head(source)
        starting = {ref: pool for pool in self._pools() for ref in pool.starting}
        waiting = [*self._calls, *starting]
        if waiting:
            for ref in ray.wait(waiting, num_returns=1, timeout=10.0, fetch_local=False)[0]:
                if ref in starting:
                    starting[ref].started(ref)
                else:
                    yield from self._received(ref)
        for source in [s for s in self.sources if s.finished]:
            source.pool.dismiss()
            self.sources.remove(source)

    def dismiss(self) -> None:
        """Stop everything."""
        for pool in self._pools():
            pool.dismiss()

    def _pools(self) -> list[Pool]:
        return [*self._critics, *(s.pool for s in self.sources)]

    def _hand_to_critic(self, pool: Pool, queue: deque[_Task]) -> None:
        while queue:
            task = queue[0]
            actor = None if task.given_up else pool.free(alone=task.alone)
            if actor is None and not task.given_up:
                return
            queue.popleft()
            if actor is not None:
                pool.take(actor, alone=task.alone)
                self._calls[actor.listen.remote(task.clips)] = _Call(task, pool, actor)

    def _hand_to_head(self, source: _Source) -> None:
        limit = IN_FLIGHT_PER_WORKER * (source.pool.crew.workers + sum(p.crew.workers for p in self._critics))
        while (actor := source.pool.free(alone=bool(source.again))) is not None:
            task = source.next_task(limit)
            if task is None:
                return
            task.clips, outcome = actor.make.options(num_returns=2).remote(task.items)
            source.pool.take(actor, alone=task.alone)
            self._calls[outcome] = _Call(task, source.pool, actor)

    def _received(self, ref: Any) -> Iterator[Outcome]:
        call = self._calls.pop(ref)
        try:
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
        if not call.task.given_up:
            yield from self._advance(call, outcome)

    def _advance(self, call: _Call, outcome: Outcome) -> Iterator[Outcome]:
        task = call.task
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
        """A batch whose worker, or whose clips, are gone: try again, then item by item, then give the item up."""
        task, source = call.task, call.task.source
        if isinstance(error, RayActorError):
            call.pool.lost(call.actor)
        else:
            call.pool.give_back(call.actor, alone=task.alone)
        if task.given_up:
            return
        task.given_up, task.clips = True, None
        crashes = task.crashes + 1
        if len(task.items) == 1 and crashes >= ITEM_CRASHES:
            source.open -= 1
            message = f"{call.pool.crew.name} died each time it had only this to do"
            yield Outcome(items=1, failures=[source.stream.lost(task.items[0], message)])
        elif len(task.items) > 1 and crashes >= BATCH_CRASHES:
            source.open += len(task.items) - 1
            source.again.extend(_Task(source, [item], crashes=1) for item in task.items)
        else:
            source.again.append(_Task(source, task.items, crashes=crashes))


def _peeked(stream: Stream) -> Stream | None:
    """The stream, or None if it has nothing to do; no crew is started for nothing."""
    first = next(stream.batches, None)
    if first is None:
        return None
    return Stream(stream.crew, chain([first], stream.batches), stream.lost)


def _gpus_here() -> float:
    return float(ray.cluster_resources().get("GPU", 0))  # type: ignore[no-untyped-call]  # ray is untyped here
