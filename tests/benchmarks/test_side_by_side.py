"""Parts of an experiment in several processes: what they give, and what is left when one fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks.side_by_side import side_by_side


def told(value: int) -> tuple[int, int, int]:
    return value, torch.get_num_threads(), os.getpid()


def written(path: Path, *, fails: bool) -> Path:
    if fails:
        raise ValueError(f"{path.name} cannot be written")
    time.sleep(0.1)  # as long as it takes to tell the others
    path.touch()
    return path


def waits(folder: Path) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(120)


def waits_twice(folder: Path) -> None:
    """Two processes that wait, as an experiment has them."""
    side_by_side([partial(waits, folder)] * 2, jobs=2, threads=1)


def in_time(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_processes_end_with_the_one_that_began_them(how: signal.Signals, tmp_path: Path) -> None:
    code = f"from pathlib import Path; from {__name__} import waits_twice; waits_twice(Path({str(tmp_path)!r}))"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}) as begun:
        assert in_time(lambda: len(list(tmp_path.iterdir())) == 2)
        pids = [int(path.name) for path in tmp_path.iterdir()]
        assert all(map(is_alive, pids))

        begun.send_signal(how)

        assert in_time(lambda: not any(map(is_alive, pids)), 20.0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_come_in_their_order_with_threads_of_their_own(jobs: int) -> None:
    before = torch.get_num_threads()
    try:
        found = side_by_side([partial(told, number) for number in range(5)], jobs=jobs, threads=1)
    finally:
        torch.set_num_threads(before)

    assert [value for value, _, _ in found] == [0, 1, 2, 3, 4]
    assert {threads for _, threads, _ in found} == {1}
    assert ({pid for _, _, pid in found} == {os.getpid()}) == (jobs == 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_part_that_fails_ends_all_of_it_with_its_own_error(jobs: int, tmp_path: Path) -> None:
    parts = [partial(written, tmp_path / str(number), fails=number == 1) for number in range(40)]

    with pytest.raises(ValueError, match="1 cannot be written"):
        side_by_side(parts, jobs=jobs, threads=1)

    done = {int(path.name) for path in tmp_path.iterdir()}
    assert 0 in done
    assert 1 not in done
    assert 39 not in done, "parts that had not begun are not begun"
