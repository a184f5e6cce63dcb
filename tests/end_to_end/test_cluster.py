"""A job on a cluster of two nodes, one of which is killed under it."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ray.cluster_utils import Cluster

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Studio

TEXTS = [f"slow text number {n}" for n in range(60)]


@pytest.fixture
def cluster(studio: "Studio") -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", studio.environment()["PYTHONPATH"])
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
        yield cluster
        cluster.shutdown()


@pytest.mark.slow
def test_a_job_outlives_one_of_two_nodes(studio: "Studio", cluster: Cluster) -> None:
    node = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    diary = studio.folder / "diary"
    voice = {"engine": "mischief", "slow_s": 0.2, "diary": str(diary)}
    recipe = studio.recipe(TEXTS, voices=[voice], metrics=["mischief"])

    job = subprocess.Popen(
        studio.command("run", recipe, "--on", cluster.address),
        env=studio.environment(),
        cwd=studio.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_two_work(diary)
    cluster.remove_node(node, allow_graceful=False)
    _, said = job.communicate(timeout=200)
    here = studio.run("run", recipe, "--on", "inline", "-o", "corpus=here", "-o", f"voices.0.diary={os.devnull}")

    assert job.returncode == here.code == 0, said
    assert "a worker of mischief-0 died and is replaced" in said
    assert studio.rows("SELECT count(*) FROM failure") == [(0,)]
    assert studio.release_id() in here.out
    studio.check_whole()


def wait_until_two_work(diary: Path) -> None:
    """Wait until two processes have read lines."""
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        if diary.exists() and len({line.split()[0] for line in diary.read_text().splitlines()}) > 1:
            return
        time.sleep(0.05)
