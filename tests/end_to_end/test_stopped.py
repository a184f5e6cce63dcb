"""A job that is told to stop stops within a batch, says how to go on, and goes on when told so."""

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Studio

TEXTS = [f"slow text number {n}" for n in range(24)]
SLOW_S = 0.2
BATCH = 4


def tables(studio: "Studio") -> dict[str, object]:
    voice = {"engine": "mischief", "slow_s": SLOW_S, "batch": BATCH}
    metric = {"family": "mischief", "diary": str(studio.folder / "diary")}
    return {"texts": TEXTS, "voices": [voice], "metrics": [metric]}


def stop(studio: "Studio", number: int, *, on: str) -> tuple[int, str, float]:
    """Stop a job as a terminal or a cluster does, when it has measured a batch: code, last words, seconds it took."""
    process = subprocess.Popen(
        studio.command("run", studio.recipe(**tables(studio)), "--on", on),
        env=studio.environment(),
        cwd=studio.folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(diary(studio)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    os.killpg(process.pid, number)
    _, words = process.communicate(timeout=60)
    return process.returncode, words, time.monotonic() - began


def diary(studio: "Studio") -> list[str]:
    path = studio.folder / "diary"
    return path.read_text().splitlines() if path.exists() else []


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("number", "code", "on"),
    [
        pytest.param(signal.SIGINT, 130, "inline", id="Ctrl-C here"),
        pytest.param(signal.SIGTERM, 143, "ray", id="SIGTERM on Ray"),
        pytest.param(signal.SIGINT, 130, "ray", id="Ctrl-C on Ray", marks=SLOW),
        pytest.param(signal.SIGTERM, 143, "inline", id="SIGTERM here", marks=SLOW),
        pytest.param(signal.SIGHUP, 129, "inline", id="a closed terminal", marks=SLOW),
    ],
)
def test_a_job_stops_in_good_order_and_goes_on(studio: "Studio", number: int, code: int, on: str) -> None:
    ended, words, _ = stop(studio, number, on=on)
    recorded_by_then = studio.rows("SELECT count(*) FROM take")[0][0]
    run = studio.rows("SELECT outcome FROM run")
    studio.check_sound()
    second = studio.run("run", studio.recipe(**tables(studio)), "--on", "inline")

    assert ended == code, words
    assert "Traceback" not in words
    assert f"stopped: {recorded_by_then} of {len(TEXTS)} lines are recorded and kept" in words
    assert f"go on with: synthgen run {studio.folder / 'recipe.toml'} --on {on}" in words
    assert run == [("stopped",)]
    assert 0 < recorded_by_then < len(TEXTS)
    assert second.code == 0, second.err
    studio.check_whole()
