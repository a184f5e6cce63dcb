"""Workers that die under a job on Ray: nothing is lost, and only the item at fault is a failure."""

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Studio

SLOW = [f"slow text number {n}" for n in range(60)]
POISONED = [f"text number {n}" for n in range(20)]
POISONED[3], POISONED[8], POISONED[13], POISONED[18] = "crash here", "deafen them", "raise this", "confuse them"


def workers(driver: psutil.Process) -> list[psutil.Process]:
    """The processes of the actors of a job, heads and critics."""
    return [p for p in driver.children(recursive=True) if p.name().startswith("ray::Actor")]


@pytest.mark.slow
def test_workers_killed_at_random_cost_nothing(studio: "Studio") -> None:
    generator = np.random.default_rng(5)
    voice = {"engine": "mischief", "slow_s": 0.2, "diary": str(studio.folder / "diary")}
    recipe = studio.recipe(SLOW, voices=[voice], metrics=["mischief"])
    elsewhere = ("-o", "corpus=undisturbed", "-o", "voices.0.diary=elsewhere", "-o", "voices.0.slow_s=0.0")
    undisturbed = studio.run("run", recipe, "--on", "inline", *elsewhere)

    job = subprocess.Popen(studio.command("run", recipe), env=studio.environment(), cwd=studio.folder)
    for share in (0.2, 0.4, 0.6):
        wait_for_lines(studio, share * len(SLOW))
        victim = generator.choice(sorted(p.pid for p in workers(psutil.Process(job.pid))))
        os.kill(victim, signal.SIGKILL)
    code = job.wait(timeout=120)

    assert undisturbed.code == code == 0
    assert studio.rows("SELECT count(*) FROM failure") == [(0,)]
    studio.check_whole()
    assert f"{studio.release_id()}" in undisturbed.out


@pytest.mark.slow
def test_a_killed_driver_leaves_no_process_behind(studio: "Studio") -> None:
    voice = {"engine": "mischief", "slow_s": 0.2, "diary": str(studio.folder / "diary")}
    recipe = studio.recipe(SLOW, voices=[voice], metrics=["mischief"])

    job = subprocess.Popen(studio.command("run", recipe), env=studio.environment(), cwd=studio.folder)
    wait_for_lines(studio, 8)
    family = psutil.Process(job.pid).children(recursive=True)
    job.kill()
    job.wait()
    _, alive = psutil.wait_procs(family, timeout=120)  # Ray's own agents take their time
    ended = studio.run("run", recipe, "--on", "inline")

    assert len(family) > 4
    assert alive == []
    assert ended.code == 0, ended.err
    studio.check_whole()


def wait_for_lines(studio: "Studio", count: float) -> None:
    """Wait until so many lines have been given to the voice."""
    diary, deadline = studio.folder / "diary", time.monotonic() + 60
    while time.monotonic() < deadline:
        if diary.exists() and sum(int(entry.split()[1]) for entry in diary.read_text().splitlines()) >= count:
            return
        time.sleep(0.05)


def test_every_poison_line_is_one_failure_and_the_job_goes_on(studio: "Studio") -> None:
    recipe = studio.recipe(POISONED, voices=[{"engine": "mischief"}], metrics=["mischief"], fleet={"workers": 1})

    first = studio.run("run", recipe, timeout_s=250)  # each line that kills starts a worker anew
    failures = studio.rows("SELECT stage, error FROM failure ORDER BY ALL")
    second = studio.run("run", recipe)

    assert first.code == second.code == 5, first.err
    assert "2 lines not recorded, 2 takes not measured in full" in first.err
    assert failures == [
        ("measure", "WorkerCrashed"),
        ("measure:mischief", "ValueError"),
        ("record", "ValueError"),
        ("record", "WorkerCrashed"),
    ]
    assert studio.rows("SELECT count(*) FROM take") == [(18,)]
    assert studio.rows("SELECT count(*) FROM score_mischief") == [(16,)]
    studio.check_whole()
