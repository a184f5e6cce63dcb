"""What a job does to a corpus: all or nothing, and never twice."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from catalogs.audio import Place
from catalogs.catalog import Catalog, Done
from catalogs.errors import CatalogError
from catalogs.lake import Lake
from catalogs.records import Failure, Job, JobLine, Prompt, Slot
from catalogs.scratch import Scratch


def test_adding_twice_changes_nothing(studio: Any) -> None:
    prompt = Prompt(Prompt.id_of("hello", "en"), "hello", "en", slots=(Slot("a", "b"),), entities=(Slot("c", "d"),))

    assert [studio.catalog.add([prompt, prompt]), studio.catalog.add([prompt])] == [1, 0]
    assert studio.catalog.count("prompt") == 1
    assert studio.catalog.add([]) == 0


def test_a_row_is_known_by_all_its_keys(studio: Any) -> None:
    line = studio.lines([1])[0]
    jobs = [Job(f"00000000-0000-0000-0000-00000000000{n}", "demo", "{}") for n in (1, 2)]

    added = studio.catalog.add([JobLine(job.id, line.id, 0) for job in jobs])

    assert added == 2


def test_a_commit_is_all_or_nothing(studio: Any) -> None:
    writer = studio.catalog.audio.writer("run")
    done = studio.append(writer, studio.lines(range(3)))
    before = studio.catalog.lake.snapshot()

    def commit_and_die() -> None:
        with studio.catalog.lake.transaction():
            studio.catalog.commit(Done(takes=done, shards=writer.seal()))
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        commit_and_die()

    assert (studio.catalog.count("take"), studio.catalog.count("shard")) == (0, 0)
    assert studio.catalog.lake.snapshot() == before
    studio.catalog.commit(Done(takes=done))
    assert studio.catalog.count("take") == 3


def test_an_empty_commit_writes_nothing(studio: Any) -> None:
    before = studio.catalog.lake.snapshot()

    studio.catalog.commit(Done())

    assert studio.catalog.lake.snapshot() == before


KILLED = """
import os, runpy, sys
from pathlib import Path
Studio = runpy.run_path(str(Path(sys.argv[1]) / "conftest.py"))["Studio"]
from catalogs.catalog import Done
studio = Studio(Path(sys.argv[2]))
writer = studio.catalog.audio.writer("killed")
studio.catalog.commit(Done(takes=studio.append(writer, studio.lines(range(3)))))
studio.append(writer, studio.lines(range(3, 6)))
if sys.argv[3] == "sealed":
    writer.seal()
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("state", ["open", "sealed"])
def test_a_killed_job_leaves_what_it_committed(studio: Any, state: str) -> None:
    studio.catalog.lake.close()
    here = Path(__file__).parent
    subprocess.run([sys.executable, "-c", KILLED, str(here), str(studio.folder), state], check=False)

    with Catalog.create(studio.folder) as catalog:
        sealed = catalog.seal_abandoned()

        assert [(shard.name, shard.num_takes) for shard in sealed] == [("killed-000000.tar", 3)]
        for place in catalog.lake.rows('SELECT shard, "offset", num_bytes FROM take'):
            assert catalog.audio.read(Place(*place))
        assert catalog.seal_abandoned() == []
        assert catalog.count("shard") == 1


def test_rows_are_streamed_while_others_are_written(studio: Any) -> None:
    studio.record(range(10))
    rows = studio.catalog.stream("SELECT id FROM take WHERE num_samples > $least ORDER BY id", least=0)
    first = next(rows)

    studio.record(range(10, 15), shard="more")

    assert len([first, *rows]) == 10
    assert list((studio.folder / ".tmp").rglob("*.parquet")) == []


def test_a_run_says_what_ran_where_and_how_it_ended(studio: Any) -> None:
    run_id = studio.catalog.begin_run(None, "synthgen run demo")
    studio.catalog.end_run(run_id, "done")

    (row,) = studio.catalog.lake.table("SELECT * FROM run").to_pylist()
    assert (row["command"], row["outcome"]) == ("synthgen run demo", "done")
    assert json.loads(row["versions"])["duckdb"]
    assert row["started"] <= row["ended"]


def test_failures_are_reopened_all_or_by_their_reason(studio: Any) -> None:
    ids = [line.id for line in studio.lines(range(3))]
    errors = ["OutOfMemory", "ValueError", "ValueError"]
    studio.catalog.add([Failure("record", i, 1, error, "x") for i, error in zip(ids, errors, strict=True)])

    assert studio.catalog.reopen(reason="ValueError") == 2
    assert studio.catalog.reopen(reason=None) == 1
    assert studio.catalog.count("failure") == 0


def test_many_commits_are_tidied_up_on_the_way(studio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogs.catalog.COMMITS_PER_COMPACTION", 5)
    monkeypatch.setattr("catalogs.catalog.ROWS_PER_FLATTENING", 20)
    monkeypatch.setattr("catalogs.attaching.MANY_FILES", 4)

    for number in range(11):
        studio.record(range(20 * number, 20 * number + 20), shard=f"s{number}")

    held = studio.catalog.lake.rows("SELECT count(*) FROM takes_flat")[0][0]
    assert held == 100
    assert studio.catalog.count("takes") == 220
    files = studio.catalog.lake.rows("SELECT count(*) FROM ducklake_list_files('corpus', 'take')")[0][0]
    assert files <= 4


def test_a_transaction_within_another_is_part_of_it(studio: Any) -> None:
    lake = studio.catalog.lake
    before = lake.snapshot()

    with lake.transaction():
        lake.run("INSERT INTO job VALUES (NULL, 'a', '')")
        with lake.transaction():
            lake.run("INSERT INTO job VALUES (NULL, 'b', '')")

    assert lake.snapshot() == before + 1
    assert studio.catalog.count("job") == 2


def test_a_reader_sees_what_is_committed_and_nothing_before(studio: Any) -> None:
    with Catalog.open(studio.folder) as reader:
        studio.record(range(2))
        assert reader.count("takes") == 2
        with studio.catalog.lake.transaction():
            studio.catalog.lake.run("DELETE FROM take")
            assert reader.count("takes") == 2
        assert reader.count("takes") == 0


def test_a_reader_cannot_write(studio: Any) -> None:
    with Catalog.open(studio.folder) as reader, pytest.raises(CatalogError, match="read-only"):
        reader.lake.run("DELETE FROM prompt")


def test_a_table_name_is_never_a_python_variable(studio: Any) -> None:
    prompt_rows = studio.catalog.lake.table("SELECT 1 AS x")
    assert prompt_rows.num_rows == 1

    with pytest.raises(CatalogError, match="prompt_rows does not exist"):
        studio.catalog.lake.rows("FROM prompt_rows")


def test_one_lake_serves_one_thread_of_control(tmp_path: Path, studio: Any) -> None:
    first, second = Lake(studio.folder), Lake(studio.folder)

    first.run("INSERT INTO job VALUES (NULL, 'a', '')")
    second.run("INSERT INTO job VALUES (NULL, 'b', '')")

    assert studio.catalog.count("job") == 2
    first.close()
    second.close()


def test_a_session_that_ends_leaves_what_another_has_spilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogs.lake.MEMORY_LIMIT", "60MB")
    rows = "SELECT hash(i) AS h, repeat('x', 40) || i AS text FROM range(1_000_000) t(i)"
    with Catalog.create(tmp_path / "corpus") as first:
        first.lake.rows(f"CREATE TEMP TABLE spilled AS {rows}")
        with Catalog.create(tmp_path / "corpus") as second:
            second.lake.rows(f"CREATE TEMP TABLE spilled AS {rows}")
            scratches = [catalog.lake.scratch for catalog in (first, second)]
            assert all(list(scratch.rglob("duckdb_temp_*")) for scratch in scratches)

        assert first.lake.rows("SELECT count(DISTINCT text) FROM spilled") == [(1_000_000,)]
    assert not any(scratch.exists() for scratch in scratches)


def test_what_a_killed_session_has_left_is_removed_by_the_next(tmp_path: Path) -> None:
    with Catalog.create(tmp_path / "corpus") as living:
        (tmp_path / "corpus" / ".tmp" / "synthgen-dead").mkdir()
        with Catalog.create(tmp_path / "corpus") as later:
            left = {path.name for path in (tmp_path / "corpus" / ".tmp").iterdir()}
            assert left == {catalog.lake.scratch.name for catalog in (living, later)}


def test_sessions_that_begin_at_once_keep_out_of_each_others_way(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        scratches = list(threads.map(lambda _: Scratch(tmp_path / ".tmp"), range(200)))

    assert len({scratch.folder for scratch in scratches}) == 200
    assert all(scratch.folder.is_dir() for scratch in scratches)
    for scratch in scratches:
        scratch.close()
    assert not list((tmp_path / ".tmp").iterdir())


def test_a_statement_that_does_not_fit_into_memory_spills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogs.lake.MEMORY_LIMIT", "200MB")
    with Catalog.create(tmp_path / "corpus") as catalog:
        rows = "SELECT hash(i) AS h, repeat('x', 40) || i AS text FROM range(5_000_000) t(i)"
        catalog.lake.run(f"CREATE TABLE sorted AS {rows} ORDER BY h")

        assert catalog.lake.rows("SELECT count(*) FROM sorted") == [(5_000_000,)]
