"""The fleet against one Ray that all tests share; every item is a text that says what becomes of its worker."""

import os
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray

from catalogs.errors import EngineError, ModelMissing
from catalogs.records import Failure
from catalogs.stage import Crew, Outcome, Stream, batched, inline
from catalogs.stopping import Stopped, stoppable
from synthgen.fleet import FleetConfig
from synthgen.fleet.connection import connect
from synthgen.fleet.ray_fleet import Fleet
from synthgen.fleet.sizes import Room

CREWS = Path(__file__).parent / "crews"
sys.path.append(str(CREWS))
import fleet_crews  # noqa: E402

SIZE = 4
ITEMS = [f"item-{n:02d}" for n in range(24)]
MORE_MOMENTS = [pytest.param(victim, seed, marks=pytest.mark.slow) for victim, seed in (("head", 2), ("critic", 4))]


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(CREWS))
        ray.shutdown()  # another file's, if a worker of this run has one
        ray.init(num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
        yield connect(None)
        ray.shutdown()


def stream(items: Sequence[str], *, build: Callable[[], Any] = fleet_crews.Reader, **crew: Any) -> Stream:
    return Stream(
        Crew("reading", build, **{"workers": 2, "num_cpus": 1} | crew),
        batched(items, SIZE),
        lost=lambda item, message: Failure("lost", item, 1, "", message),
        unheard=lambda item, message: Failure("unheard", item, 1, "", message),
    )


LISTENING = Crew("listening", fleet_crews.Listener, workers=1)


def work(room: Room, streams: Sequence[Stream], critics: Sequence[Crew] = (), **config: Any) -> list[Outcome]:
    return list(Fleet(FleetConfig(**config), room)(streams, critics))


def read(outcomes: Sequence[Outcome]) -> list[str]:
    return sorted(recording.line_id for outcome in outcomes for recording in outcome.recordings)


def failed(outcomes: Sequence[Outcome], stage: str) -> list[str]:
    return sorted(f.subject_id for outcome in outcomes for f in outcome.failures if f.stage == stage)


def test_the_fleet_does_what_inline_does(room: Room) -> None:
    here = list(inline([stream(ITEMS), stream(["other"])], [LISTENING]))

    there = work(room, [stream(ITEMS), stream(["other"])], [LISTENING], live_voices=1)

    assert read(there) == read(here) == sorted([*ITEMS, "other"])
    assert failed(there, "heard") == failed(here, "heard") == sorted([*ITEMS, "other"])
    assert sum(outcome.items for outcome in there) == 25


def test_calls_get_batches_of_the_configured_size(room: Room) -> None:
    outcomes = work(room, [stream(ITEMS)])

    assert {recording.voice_id for outcome in outcomes for recording in outcome.recordings} == {str(SIZE)}


def test_an_item_that_kills_its_worker_is_one_failure_and_its_company_is_read(room: Room) -> None:
    items = [*ITEMS[:5], "crash", *ITEMS[5:]]

    outcomes = work(room, [stream(items)], [LISTENING])

    assert read(outcomes) == failed(outcomes, "heard") == ITEMS
    assert failed(outcomes, "lost") == ["crash"]
    assert sum(outcome.items for outcome in outcomes) == len(items)


@pytest.mark.slow
def test_an_item_that_kills_its_critic_is_one_failure_and_is_still_read(room: Room) -> None:
    items = [*ITEMS[:5], "deafen", *ITEMS[5:]]

    outcomes = work(room, [stream(items)], [LISTENING, Crew("also listening", fleet_crews.Listener, workers=1)])

    assert read(outcomes) == sorted(items)
    assert set(failed(outcomes, "heard")) >= set(ITEMS)
    assert failed(outcomes, "unheard") == ["deafen"] * 2


@pytest.mark.parametrize(("victim", "seed"), [("head", 1), ("critic", 3), *MORE_MOMENTS])
def test_a_worker_killed_at_random_costs_nothing(room: Room, victim: str, seed: int) -> None:
    moment = np.random.default_rng(seed).integers(0, 4)
    outcomes: list[Outcome] = []

    for number, outcome in enumerate(Fleet(FleetConfig(), room)([stream(ITEMS)], [LISTENING])):
        outcomes.append(outcome)
        if number == moment:
            pid = outcome.recordings[0].prompt_id if victim == "head" else outcome.failures[0].message
            os.kill(int(pid), signal.SIGKILL)

    assert read(outcomes) == failed(outcomes, "heard") == ITEMS


def test_a_worker_that_hangs_is_taken_for_dead(room: Room) -> None:
    outcomes = work(room, [stream(["a", "hang"], workers=1)], batch_within_s=0.5)

    assert read(outcomes) == ["a"]
    assert failed(outcomes, "lost") == ["hang"]


@pytest.mark.timeout(60)
def test_a_stop_waits_for_no_batch(room: Room) -> None:
    """Ray's own waiting, in compiled code, knows no exception but `KeyboardInterrupt`."""
    threading.Timer(5.0, os.kill, (os.getpid(), signal.SIGTERM)).start()

    with pytest.raises(Stopped), stoppable():
        work(room, [stream(["hang"], workers=1)])


def test_a_bug_in_a_worker_is_raised_here(room: Room) -> None:
    with pytest.raises(ZeroDivisionError, match="a bug"):
        work(room, [stream(["bug"])])


def test_a_crew_that_lacks_its_model_is_an_error(room: Room) -> None:
    with pytest.raises(ModelMissing, match="no such weights"):
        work(room, [stream(ITEMS, build=fleet_crews.without_model)])


def test_a_crew_whose_module_the_workers_lack_is_an_error(room: Room) -> None:
    module = sys.modules["only_here"] = types.ModuleType("only_here")
    module.Reader = type("Reader", (), {"__module__": "only_here"})  # type: ignore[attr-defined]

    with pytest.raises(EngineError, match=r"reading does not start: .*No module named 'only_here'"):
        work(room, [stream(ITEMS, build=module.Reader)])


def test_a_crew_whose_processes_die_as_they_start_is_an_error(room: Room) -> None:
    with pytest.raises(EngineError, match="reading: its workers die as they start"):
        work(room, [stream(ITEMS, build=fleet_crews.dead_on_arrival, workers=1)])


def test_two_workers_share_a_gpu(room: Room) -> None:
    processes: set[str] = set()

    def until_both_have_worked() -> Iterator[list[str]]:
        deadline = time.monotonic() + 30
        while len(processes) < 2 and time.monotonic() < deadline:
            yield ["slow"]

    sharing = stream([], build=fleet_crews.GpuReader, workers=None, num_gpus=0.5)
    for outcome in Fleet(FleetConfig(), room)([replace(sharing, batches=until_both_have_worked())], []):
        processes.add(outcome.recordings[0].prompt_id)
        assert failed([outcome], "0") == ["slow"]

    assert len(processes) == 2


def test_more_gpus_than_this_machine_has_are_refused_at_once(room: Room) -> None:
    with pytest.raises(EngineError, match="asks for 1 GPU for each of 2 workers, and this machine has 1"):
        work(room, [stream(ITEMS, num_gpus=1)])


def test_a_crew_without_room_gives_up_with_a_word_about_it(room: Room) -> None:
    cluster = Room(cpus=2, gpus=1, memory_gb=8, is_shared=False)

    with pytest.raises(EngineError, match="2 of 2 workers of reading wait for room, 99 CPU each"):
        work(cluster, [stream(ITEMS, num_cpus=99)], start_within_s=0.5)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_that_does_not_answer_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    with pytest.raises(EngineError, match=f"the cluster at {address} does not answer: .*refused"):
        connect(address)


def test_a_slow_critic_slows_the_voices_down(room: Room) -> None:
    made = 0

    def batches() -> Iterator[list[str]]:
        nonlocal made
        for number in range(30):
            made += 1
            yield [f"slow-{number}"]

    slow = replace(stream([]), batches=batches())
    ahead = [made - done for done, _ in enumerate(Fleet(FleetConfig(), room)([slow], [LISTENING]), start=1)]

    assert len(ahead) == 30
    assert max(ahead) <= 2 * (2 + 1)


def test_a_worker_has_one_thread_unless_the_recipe_says_otherwise(room: Room) -> None:
    more = {"env_vars": {"OMP_NUM_THREADS": "3"}}

    usual = work(room, [stream(["a"], build=fleet_crews.Threads, workers=1)])
    asked = work(room, [stream(["a"], build=fleet_crews.Threads, workers=1, runtime_env=more)])

    assert failed(usual, "1") == failed(asked, "3") == ["a"]


def test_no_worker_is_left_behind(room: Room) -> None:
    outcomes = work(room, [stream(ITEMS)], [LISTENING])

    pids = {int(recording.prompt_id) for outcome in outcomes for recording in outcome.recordings}
    assert not [pid for pid in pids if _is_alive_after(pid, wait_s=10)]


def _is_alive_after(pid: int, *, wait_s: float) -> bool:
    import psutil

    try:
        psutil.Process(pid).wait(wait_s)
    except psutil.NoSuchProcess:
        return False
    except psutil.TimeoutExpired:
        return True
    return False
