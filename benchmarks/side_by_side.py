"""Parts of an experiment that need nothing of each other, in several processes at once."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

import torch

Result = TypeVar("Result")


def num_jobs(text: str) -> int:
    """How many parts are done at once, as an argument of a command.

    Raises:
        ValueError: for less than one.
    """
    if (jobs := int(text)) < 1:
        raise ValueError("at least one part is done at once")
    return jobs


def side_by_side(parts: Sequence[Callable[[], Result]], *, jobs: int, threads: int) -> list[Result]:
    """What each part gives, in their order; with one job, all in this process. ``threads`` are those of a process.

    Parts are functions of modules, not of a script. One that fails ends all of it, once those are done that run or are
    next: the same command goes on. Where this process is killed the others end with it, and hold nothing any more.
    """
    if jobs == 1:
        torch.set_num_threads(threads)
        return [part() for part in parts]
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (threads,)) as pool:
        begun = [pool.submit(part) for part in parts]
        try:
            wait(begun, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return [each.result() for each in begun if not each.cancelled()]


def _begin(threads: int) -> None:
    torch.set_num_threads(threads)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
    os._exit(1)
