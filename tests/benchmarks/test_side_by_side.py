"""Parts of an experiment in several processes: what they give, and what is left when one fails."""

import os
import time
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
