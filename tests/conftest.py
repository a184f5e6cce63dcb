"""What all tests need: signals that mean what they say, however the tests were started, and a core each."""

import gc
import os
import signal

# A shell's background jobs ignore Ctrl-C, and those of nohup a closed terminal; their children would, too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Tests side by side have a core each; libraries that thread over all of them would wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
