"""Batches on their way through a head and its critics, and what is tried again after a crash.

A worker that dies takes its calls with it. Each of their batches is tried again, with nothing else on its new worker; a
batch that kills that one too is tried item by item, and an item that twice kills a worker on its own is given up.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalogs.stage import Outcome, Stream
from synthgen.fleet.pool import Pool

BATCH_CRASHES = 2
ITEM_CRASHES = 3


@dataclass(eq=False)
class Task:
    """One try at a batch. Its clips stay in the object store; its outcome grows until all critics have been heard."""

    source: "Source"
    items: Sequence[Any]
    crashes: int = 0
    clips: Any = None
    outcome: Outcome | None = None
    critics_left: int = 0
    is_void: bool = False

    @property
    def alone(self) -> bool:
        """Whether its workers must have nothing else to do, so that a crash can be blamed on it."""
        return self.crashes > 0

    @property
    def is_hopeless(self) -> bool:
        """Whether one more crash settles that its only item is to blame."""
        return len(self.items) == 1 and self.crashes + 1 >= ITEM_CRASHES


class Source:
    """One stream at work: its head crew, what is to be tried again, and how many batches are open."""

    def __init__(self, stream: Stream, pool: Pool) -> None:
        self.stream = stream
        self.pool = pool
        self.open = 0
        self._again: deque[Task] = deque()
        self._exhausted = False

    @property
    def is_finished(self) -> bool:
        """Whether all of its batches are done."""
        return self._exhausted and not self.open

    @property
    def wants_alone(self) -> bool:
        """Whether the next task needs a worker with nothing else to do."""
        return bool(self._again)

    def next_task(self, most_open: int) -> Task | None:
        """The next batch to be tried again, or a fresh one if fewer than ``most_open`` are open."""
        if self._again:
            return self._again.popleft()
        if self._exhausted or self.open >= most_open:
            return None
        items = next(self.stream.batches, None)
        if items is None:
            self._exhausted = True
            return None
        self.open += 1
        return Task(self, items)

    def try_again(self, task: Task, *, is_to_blame: bool) -> None:
        """Void a task whose worker is gone, and queue its batch, or its items one by one, for another try."""
        task.is_void, task.clips = True, None
        crashes = task.crashes + is_to_blame
        if len(task.items) > 1 and crashes >= BATCH_CRASHES:
            self.open += len(task.items) - 1
            self._again.extend(Task(self, [item], crashes=1) for item in task.items)
        else:
            self._again.append(Task(self, task.items, crashes=crashes))
