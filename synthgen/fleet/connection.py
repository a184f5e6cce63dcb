"""Ray on this machine, or a cluster: connecting, and what there is room for."""

import logging
import os
import signal
import threading
from typing import Any

import ray
from ray.exceptions import RayError

from catalogs.errors import EngineError
from catalogs.stopping import STOPPING
from synthgen.fleet.sizes import Room

# The cores of one machine are shared by its operating system: a crew must never wait for a processor to be free.
LOCAL_CPUS = 4096


def connect(address: str | None) -> Room:
    """Start Ray here (no address), or join a cluster, unless that is done already; it stays until the process ends.

    Raises:
        EngineError: if the cluster does not answer.
    """
    if not ray.is_initialized():
        _initialise(address)
    total = ray.cluster_resources()  # type: ignore[no-untyped-call]  # ray is untyped here
    gpus = float(total.get("GPU", 0))
    if address is None:
        return Room(cpus=float(os.cpu_count() or 1), gpus=gpus, is_shared=True)
    return Room(cpus=float(total.get("CPU", 0)), gpus=gpus, is_shared=False)


def _initialise(address: str | None) -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    options: dict[str, Any] = {"address": address}
    if address is None:
        # "local" is a Ray of our own; without it, whatever cluster runs on this machine would be joined.
        options = {"address": "local", "num_cpus": LOCAL_CPUS, "include_dashboard": False}
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    try:
        ray.init(logging_level=logging.ERROR, log_to_driver=False, configure_logging=False, **options)
    except (ConnectionError, OSError, RayError, RuntimeError, ValueError) as error:
        where = f"the cluster at {address}" if address else "Ray on this machine"
        raise EngineError(f"{where} does not answer: {str(error).splitlines()[0]}") from error
    finally:
        # Ray answers SIGTERM with an exit of its own, which would leave a job without its last words.
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
