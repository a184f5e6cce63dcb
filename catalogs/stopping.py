"""Stopping in good order: Ctrl-C, SIGTERM and a closed terminal end a job between two rows, never within one.

All three raise `Stopped` in the main thread; what must not be torn apart is done `undisturbed`.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

Handler: TypeAlias = Callable[[int, FrameType | None], None]

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody wants this process to end; like `KeyboardInterrupt`, nothing that goes on after an error catches it."""

    def __init__(self, number: int) -> None:
        """Note the signal's number."""
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Let the signals that end a process raise `Stopped`; one that is ignored (``nohup``) stays ignored."""
    numbers = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]
    with _handled(numbers, _stop):
        yield


@contextmanager
def stoppable_elsewhere() -> Iterator[None]:
    """Let compiled code stop that lets `KeyboardInterrupt` alone out of its waiting, as Ray's does: `Stopped` here."""
    seen: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    numbers = [number for number in STOPPING if signal.getsignal(number) is _stop]
    try:
        with _handled(numbers, interrupt):
            yield
    except KeyboardInterrupt:
        if not seen:
            raise
        raise Stopped(seen[0]) from None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold the signals back until the block is done, unless it fails by itself."""
    held: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        held.append(number)

    with _handled(STOPPING, hold):
        yield
    if held:
        signal.raise_signal(held[0])


@contextmanager
def _handled(numbers: Iterable[int], handler: Handler) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)


def _stop(number: int, _: FrameType | None) -> None:
    raise Stopped(number)
