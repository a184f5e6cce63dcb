"""A driver that is killed at any moment: the same command goes on, and comes to the very same release."""

import signal
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.conftest import Studio

STATEMENT = "catalogs.lake:Lake._patiently"
FEWEST_STATEMENTS = 30  # of a run, even if it has nothing to do
TABLES = {
    "voices": [{"engine": "tone", "speakers": ["a", "b"], "duration_s_per_char": 0.01}],
    "metrics": ["levels", "pace"],
    "release": {"accepted_takes": 100},
}
NAMED = {
    "in casting": "curation.rounds:Rounds._store#1",
    "between casting and its last row": "curation.rounds:Round#1",
    "between audio and rows": "catalogs.catalog:Catalog.commit#2",
    "between rows and the sealing of their shard": "catalogs.audio:ShardWriter.seal#1",
    "between the sealing of a shard and its row": "catalogs.catalog:Catalog.commit#3",
    "in freezing": "catalogs.release:ReleaseItem#1",
    "between the release and the end": "curation.production:Production.settle#1",
}


def at_random(seed: int) -> str:
    return f"{STATEMENT}#{np.random.default_rng(seed).integers(1, FEWEST_STATEMENTS)}"


@pytest.fixture(scope="module")
def undisturbed(make_studio: "Callable[[str], Studio]") -> "Studio":
    studio = make_studio("undisturbed")
    ended = studio.run(
        "run", studio.recipe(**TABLES), "--on", "inline", COUNT=STATEMENT, COUNT_TO=str(studio.folder / "n")
    )
    assert ended.code == 0, ended.err
    return studio


def check_survives(killed: "Studio", undisturbed: "Studio", *moments: str) -> None:
    recipe = killed.recipe(**TABLES)

    for moment in moments:
        ended = killed.run("run", recipe, "--on", "inline", KILL_AT=moment)
        assert ended.code == -signal.SIGKILL, (moment, ended.out, ended.err)
    ended = killed.run("run", recipe, "--on", "inline")

    assert ended.code == 0, ended.err
    killed.check_whole()
    assert killed.release_id() == undisturbed.release_id()
    assert killed.rows("SELECT count(*) FROM take") == undisturbed.rows("SELECT count(*) FROM take")


def test_a_job_that_is_killed_four_times_comes_to_the_same_release(studio: "Studio", undisturbed: "Studio") -> None:
    moments = [at_random(1), at_random(2), NAMED["between audio and rows"], at_random(3)]

    check_survives(studio, undisturbed, *moments)


@pytest.mark.slow
@pytest.mark.parametrize("moment", sorted(NAMED))
def test_no_moment_is_a_bad_one_to_be_killed_at(studio: "Studio", undisturbed: "Studio", moment: str) -> None:
    check_survives(studio, undisturbed, NAMED[moment])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_no_statement_is_a_bad_one_to_be_killed_at(studio: "Studio", undisturbed: "Studio", seed: int) -> None:
    statements = int((undisturbed.folder / "n").read_text())

    check_survives(studio, undisturbed, f"{STATEMENT}#{np.random.default_rng(seed).integers(1, statements)}")
