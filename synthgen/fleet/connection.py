"""Ray on this machine, or a cluster: connecting, and what there is room for."""

import logging
import signal
import socket
import threading
from typing import Any

import ray
from ray.exceptions import RayError

from catalogs.errors import EngineError
from catalogs.stopping import STOPPING, stoppable_elsewhere
from synthgen.fleet.sizes import Room

ANSWER_WITHIN_S = 10.0


def connect(address: str | None) -> Room:
    """Start Ray here (no address), or join a cluster, unless that is done already; it stays until the process ends.

    Raises:
        EngineError: if the cluster does not answer.
    """
    if not ray.is_initialized():
        _initialise(address)
    total = ray.cluster_resources()  # type: ignore[no-untyped-call]  # ray is untyped here
    return Room(
        cpus=float(total.get("CPU", 0)),
        gpus=float(total.get("GPU", 0)),
        memory_gb=float(total.get("memory", 0)) / 1e9,
        is_shared=address is None,
    )


def _initialise(address: str | None) -> None:
    logging.getLogger("ray").setLevel(logging.ERROR)
    # "local" is a Ray of our own; without it, whatever cluster runs on this machine would be joined.
    options: dict[str, Any] = {"address": address} if address else {"address": "local", "include_dashboard": False}
    where = f"the cluster at {address}" if address else "Ray on this machine"
    handlers = {number: signal.getsignal(number) for number in STOPPING}
    try:
        _check_that_somebody_listens(address)
        with stoppable_elsewhere():
            ray.init(logging_level=logging.ERROR, log_to_driver=False, configure_logging=False, **options)
    except (ConnectionError, OSError, RayError, RuntimeError, ValueError) as error:
        raise EngineError(f"{where} does not answer: {str(error).splitlines()[0]}") from error
    finally:
        # Ray answers SIGTERM with an exit of its own, which would leave a job without its last words.
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _check_that_somebody_listens(address: str | None) -> None:
    """Raise `OSError` at once for a wrong address, at which Ray would knock for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_WITHIN_S).close()
