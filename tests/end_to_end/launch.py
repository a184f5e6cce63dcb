"""The command `synthgen`, with a fault: KILL_AT="module:Class.method#7" kills the process at the 7th call of a method.

COUNT="module:Class.method" writes the number of calls to the file COUNT_TO instead, and IMPORTED_TO is a file for the
names of all modules that were imported.
"""

import atexit
import importlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import synthgen.cli


def wrap(target: str, on_call: Callable[[int], None]) -> None:
    """Call ``on_call`` with 1, 2, 3… before each call of "module:Class.method"."""
    module, _, names = target.partition(":")
    *owners, name = names.split(".")
    owner: Any = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    inner, calls = getattr(owner, name), 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        on_call(calls)
        return inner(*args, **kwargs)

    setattr(owner, name, wrapped)


def kill_at(target: str, number: int) -> None:
    wrap(target, lambda call: os.kill(os.getpid(), signal.SIGKILL) if call == number else None)


def count(target: str, to: Path) -> None:
    seen = [0]
    wrap(target, lambda call: seen.__setitem__(0, call))
    atexit.register(lambda: to.write_text(str(seen[0])))


if __name__ == "__main__":
    if "KILL_AT" in os.environ:
        target, _, number = os.environ["KILL_AT"].partition("#")
        kill_at(target, int(number))
    if "COUNT" in os.environ:
        count(os.environ["COUNT"], Path(os.environ["COUNT_TO"]))
    if "IMPORTED_TO" in os.environ:
        atexit.register(lambda: Path(os.environ["IMPORTED_TO"]).write_text("\n".join(sorted(sys.modules))))
    synthgen.cli.main()
