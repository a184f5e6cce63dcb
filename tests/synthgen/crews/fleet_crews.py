"""Workers whose items say what becomes of them: importable by the processes of a fleet."""

import os
import time
from collections.abc import Sequence
from typing import Any

from catalogs.errors import ModelMissing
from catalogs.records import Failure
from catalogs.stage import Outcome, Recording


class Reader:
    """A head: an item "crash" kills it, "hang" keeps it for ever, "slow" a while, "bug" raises; others are read.

    The recording of an item carries the process id and the size of its batch.
    """

    def work(self, items: Sequence[str]) -> tuple[list[Any], Outcome]:
        for item in items:
            _obey(item)
        recordings = [Recording(item, str(os.getpid()), str(len(items)), b"", "", 1, 1, None) for item in items]
        return list(items), Outcome(items=len(items), recordings=recordings)


class Listener:
    """A critic: a clip "deafen" kills it; it leaves a failure for each clip it heard."""

    def work(self, clips: Sequence[str]) -> Outcome:
        for clip in clips:
            _obey(clip.replace("deafen", "crash"))
        return Outcome(failures=[Failure("heard", clip, 1, "", str(os.getpid())) for clip in clips])


class GpuReader(Reader):
    """A head that says which GPU it was given."""

    def work(self, items: Sequence[str]) -> tuple[list[Any], Outcome]:
        clips, outcome = super().work(items)
        gpu = os.environ["CUDA_VISIBLE_DEVICES"]
        return clips, Outcome(outcome.items, outcome.recordings, {}, [Failure(gpu, i, 1, "", "") for i in items])


class Threads(Reader):
    """A head that says how many threads it may use."""

    def work(self, items: Sequence[str]) -> tuple[list[Any], Outcome]:
        return [], Outcome(failures=[Failure(os.environ["OMP_NUM_THREADS"], items[0], 1, "", "")])


def without_model() -> Reader:
    """A worker that cannot be built."""
    raise ModelMissing("no such weights")


def dead_on_arrival() -> Reader:
    """A worker whose process dies as it is built."""
    os._exit(1)


def _obey(item: str) -> None:
    if "crash" in item:
        os._exit(13)
    if "hang" in item:
        time.sleep(600)
    if "slow" in item:
        time.sleep(0.1)
    if "bug" in item:
        raise ZeroDivisionError("a bug")
